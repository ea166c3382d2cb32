// The options of `simulate` for an engine that orders by work. Pure.
#pragma once

#include "testnet/simulate/options.hpp"

namespace quorate::testnet {

// None: PBFT. Errors: invalid_argument, naming the option.
Result<std::optional<sim::timed::WorkScene>> make_work(const SimulateOptions& options);
// Whether this kind of fault goes with the engine. Error invalid_argument, naming those that do.
Result<void> check_kind(sim::timed::FaultKind kind, bool work);
// A stop without blocks that a story tells of: where blocks come by chance, one that is rare.
Duration told_stop(const sim::timed::Scene& scene);
// As --hash-share takes them.
std::string joined(const std::vector<std::uint64_t>& numbers);

}  // namespace quorate::testnet
