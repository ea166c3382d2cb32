// The view that a quorum of replicas was in, over time. Pure.
#pragma once

#include <optional>
#include <vector>

#include "testnet/simulate/report.hpp"

namespace quorate::testnet {

struct Reign {
  Duration begin{0};
  Duration end{0};
  std::optional<std::uint64_t> view;  // none: no view had a quorum
};
std::vector<Reign> reigns(const SimulationReport& report);

}  // namespace quorate::testnet
