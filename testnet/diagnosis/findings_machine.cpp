// The machines below the nodes: clocks, disks, mempools.
#include <cmath>
#include <cstdlib>

#include "testnet/diagnosis/finders.hpp"

namespace quorate::testnet::finders {

namespace {

constexpr std::int64_t kClockRemark = 2'000;
constexpr double kSlowWriteMs = 200;
constexpr double kSlowerThanOthers = 5;

std::string seconds(std::int64_t milliseconds) {
  return std::to_string(std::llabs(milliseconds) / 1000) + " s";
}

}  // namespace

void clocks(const Judgement& judgement, Findings& out) {
  for (const auto& node : judgement.facts.nodes) {
    if (!node.clock_ahead_ms || std::llabs(*node.clock_ahead_ms) < kClockRemark) continue;
    const bool ahead = *node.clock_ahead_ms > 0;
    const bool far_ahead = *node.clock_ahead_ms > kClockAheadMax;
    const bool holds = holds_back(judgement.facts, node);
    std::string effect;
    if (far_ahead) effect = "; what it proposes is held until it is due";
    if (holds) effect = "; it holds back what others propose, and so does not vote for it";
    out.push_back({"clock",
                   {node.name},
                   "the clock of " + node.name + " is " + seconds(*node.clock_ahead_ms) +
                       (ahead ? " ahead" : " behind") + effect,
                   "Synchronise it (NTP)",
                   judgement.stalled && (far_ahead || holds)});
  }
}

void disks(const Judgement& judgement, Findings& out) {
  std::vector<double> times;
  for (const auto& node : judgement.facts.nodes) {
    if (node.write_ms) times.push_back(*node.write_ms);
  }
  if (times.empty()) return;
  std::sort(times.begin(), times.end());
  const double median = times[(times.size() - 1) / 2];
  for (const auto& node : judgement.facts.nodes) {
    if (!node.write_ms || *node.write_ms < kSlowWriteMs) continue;
    const bool slower = *node.write_ms > kSlowerThanOthers * median;
    out.push_back({"slow_disk",
                   {node.name},
                   "a synced write of " + node.name + " takes " +
                       std::to_string(std::llround(*node.write_ms)) + " ms" +
                       (slower ? ", the others' " + std::to_string(std::llround(median)) + " ms"
                               : std::string()),
                   slower ? "Move it to a faster disk, or find what else writes there"
                          : "All nodes share a slow disk; find what else writes there",
                   judgement.stalled});
  }
}

void mempools(const Judgement& judgement, Findings& out) {
  for (const auto& node : judgement.facts.nodes) {
    if (!answers(node) || node.mempool_max == 0 || node.waiting < node.mempool_max) continue;
    out.push_back({"mempool_full",
                   {node.name},
                   "the mempool of " + node.name + " is full and refuses transactions",
                   "Send less, or wait",
                   false});
  }
}

}  // namespace quorate::testnet::finders
