// What this machine is and can do: printed beside every result, so that results can be compared
// across machines as ratios.
#pragma once

#include <filesystem>

#include "testnet/compare/model.hpp"

namespace quorate::testnet::comparison {

// Takes about a second. `folder` must be on the disk that the testnets write to. Errors: io.
Result<Machine> probe_machine(const std::filesystem::path& folder);
// The share of all CPU time that the hypervisor took between two samples.
double steal_between(const StealSample& before, const StealSample& after);

}  // namespace quorate::testnet::comparison
