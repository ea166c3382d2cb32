#include "testnet/simulate/reigns.hpp"

#include <algorithm>
#include <map>

#include "crypto/certificate/quorum.hpp"

namespace quorate::testnet {

std::vector<Reign> reigns(const SimulationReport& report) {
  const auto& lanes = report.record.lanes();
  std::vector<std::pair<Duration, std::size_t>> changes;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    for (const LaneState& state : lanes[i]) changes.emplace_back(state.since, i);
  }
  std::sort(changes.begin(), changes.end());
  std::vector<std::size_t> next(lanes.size());
  std::map<std::uint64_t, std::uint32_t> members;
  std::vector<std::optional<std::uint64_t>> current(lanes.size());
  std::vector<Reign> out;
  for (const auto& [when, lane] : changes) {
    const LaneState& state = lanes[lane].at(next[lane]++);
    if (current[lane]) --members[*current[lane]];
    current[lane].reset();
    if (state.kind == LaneState::Kind::in_view) current[lane] = state.view;
    if (current[lane]) ++members[*current[lane]];
    std::optional<std::uint64_t> view;
    for (const auto& [candidate, count] : members) {
      if (count >= crypto::quorum_size(report.scene.replicas)) view = candidate;
    }
    if (!out.empty() && out.back().view == view) continue;
    if (!out.empty()) out.back().end = when;
    out.push_back({when, report.end.ended, view});
  }
  return out;
}

}  // namespace quorate::testnet
