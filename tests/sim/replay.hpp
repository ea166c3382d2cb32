// Executes a chain a second time, from genesis.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ledger/chain.hpp"

namespace quorate::sim {

// Nothing when every block of `chain`, executed again from this genesis, has the hash expected for
// its height; otherwise what is wrong.
std::optional<std::string> replay_fault(const ledger::Genesis& genesis, const ledger::Chain& chain,
                                        const std::function<Digest(Height)>& expected);

}  // namespace quorate::sim
