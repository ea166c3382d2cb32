#include "testnet/diagnosis/diagnosis.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "testnet/diagnosis/findings.hpp"

namespace quorate::testnet {

namespace {

bool can_vote(const NetworkFacts& facts, const NodeFacts& node) {
  const auto& status = node.status;
  return status.process == RunState::alive && status.reachable && !status.observer &&
         status.halted.empty() && !status.syncing && !holds_back(facts, node);
}

bool linked(const NetworkFacts& facts, std::size_t a, std::size_t b) {
  if (facts.fault_links && facts.rules.nodes() != 0 && facts.rules.separated(a, b)) return false;
  const auto* there = facts.nodes[a].status.peer(facts.nodes[b].name);
  const auto* back = facts.nodes[b].status.peer(facts.nodes[a].name);
  // A node whose list of peers could not be read is given the benefit of the doubt.
  return (there == nullptr || there->connected) && (back == nullptr || back->connected);
}

bool advanced(const NetworkFacts& facts) {
  return std::any_of(facts.nodes.begin(), facts.nodes.end(), [](const NodeFacts& node) {
    return node.status.reachable && node.status.height > node.height_before;
  });
}

std::uint64_t greatest_height(const NetworkFacts& facts) {
  std::uint64_t height = 0;
  for (const auto& node : facts.nodes) height = std::max(height, node.status.height);
  return height;
}

// Where blocks are mined: what one expects of the next block, and how long ago the last one came.
struct Pace {
  std::uint64_t tip = 0;
  std::uint64_t hashes_per_second = 0;
  double expected_ms = 0;  // for the next block; 0 when nobody looks for it
  double age_ms = 0;       // of the newest tip
};

Pace pace_of(const NetworkFacts& facts) {
  Pace out;
  std::uint64_t hashes = 0;
  std::uint64_t newest_ms = 0;
  for (const auto& node : facts.nodes) {
    if (!node.status.reachable || !node.status.branch) continue;
    const BranchStatus& branch = *node.status.branch;
    if (branch.is_miner()) out.hashes_per_second += branch.hashes_per_second;
    out.tip = std::max(out.tip, branch.tip);
    newest_ms = std::max(newest_ms, branch.tip_time_ms);
    hashes = std::max(hashes, branch.expected_hashes);
  }
  if (out.hashes_per_second > 0) {
    out.expected_ms =
        1e3 * static_cast<double>(hashes) / static_cast<double>(out.hashes_per_second);
  }
  if (facts.now_ms > newest_ms) out.age_ms = static_cast<double>(facts.now_ms - newest_ms);
  return out;
}

// Waits are exponential: one of more than so many times the mean comes once in e^12.
constexpr double kPatience = 12;
// The time in a header is of whole seconds, and a clock may be off by one or two.
constexpr double kSlackMs = 5000;

bool mining_goes_on(const NetworkFacts& facts, const Pace& pace) {
  const bool grown = std::any_of(facts.nodes.begin(), facts.nodes.end(), [](const NodeFacts& node) {
    return node.status.reachable && node.status.branch && node.status.branch->tip > node.tip_before;
  });
  return grown || (pace.expected_ms > 0 && pace.age_ms < kPatience * pace.expected_ms + kSlackMs);
}

// Whoever would mine has nothing to mine for.
bool rests_by_design(const NetworkFacts& facts) {
  return facts.mines_on_demand &&
         std::any_of(facts.nodes.begin(), facts.nodes.end(),
                     [](const NodeFacts& node) { return node.status.reachable; }) &&
         std::all_of(facts.nodes.begin(), facts.nodes.end(), [](const NodeFacts& node) {
           return !node.status.reachable || node.waiting == 0;
         });
}

std::string seconds_text(double ms) {
  const auto tenths = static_cast<std::uint64_t>(ms / 100);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

bool nobody_answers(const NetworkFacts& facts) {
  return std::none_of(facts.nodes.begin(), facts.nodes.end(),
                      [](const NodeFacts& node) { return node.status.reachable; });
}

std::string mining_summary(const NetworkFacts& facts, Condition condition, const Pace& pace) {
  const std::string heights =
      "tip " + std::to_string(pace.tip) + ", final " + std::to_string(greatest_height(facts));
  if (condition == Condition::going_on) {
    return "blocks are mined: " + heights +
           (pace.expected_ms > 0
                ? "; the next is expected within " + seconds_text(pace.expected_ms) + " on average"
                : "");
  }
  if (condition == Condition::idle) {
    return "nothing is stalled: no transaction waits, and instant mining makes no other blocks (" +
           heights + ")";
  }
  if (nobody_answers(facts)) return "stalled: no node answers, so nobody mines";
  if (pace.hashes_per_second == 0) return "stalled at " + heights + ": nobody mines";
  return "stalled at " + heights + ": no block for " + seconds_text(pace.age_ms) +
         ", although one is expected within " + seconds_text(pace.expected_ms) + " on average";
}

// What waits where it could be committed. A node that is cut off or behind may still hold what the
// others have committed long since; only below a quorum there is nobody else to ask.
std::uint64_t waiting(const NetworkFacts& facts, const std::vector<std::size_t>& able) {
  std::uint64_t most = 0;
  if (able.size() < facts.quorum) {
    for (const auto& node : facts.nodes) most = std::max(most, node.waiting);
    return most;
  }
  std::uint64_t top = 0;
  for (const std::size_t i : able) top = std::max(top, facts.nodes[i].status.height);
  for (const std::size_t i : able) {
    if (facts.nodes[i].status.height == top) most = std::max(most, facts.nodes[i].waiting);
  }
  return most;
}

std::string summary(const NetworkFacts& facts, Condition condition,
                    const std::vector<std::size_t>& able) {
  const auto seconds = std::to_string((facts.observed_ms + 500) / 1000) + " s";
  const auto height = std::to_string(greatest_height(facts));
  if (condition == Condition::going_on) return "blocks are committed: height " + height;
  if (condition == Condition::idle) {
    return "nothing is stalled: no transaction waits, and an idle chain makes no blocks (height " +
           height + ")";
  }
  std::string text = "stalled at height " + height + ": ";
  if (nobody_answers(facts)) {
    text = "stalled: no node answers, so nobody can say at which height";
  } else if (const auto count = waiting(facts, able); count > 0) {
    text += std::to_string(count) + " transactions wait and none was committed in " + seconds;
  } else {
    text += "a transaction could not commit now";
  }
  if (able.size() < facts.quorum) {
    text += "; " + std::to_string(able.size()) + " of " + std::to_string(facts.nodes.size()) +
            " nodes can vote together, quorum " + std::to_string(facts.quorum);
  }
  return text;
}

}  // namespace

std::string_view to_string(Condition condition) {
  switch (condition) {
    case Condition::going_on: return "going_on";
    case Condition::idle: return "idle";
    case Condition::stalled: return "stalled";
  }
  return "?";
}

// Grown from each node in turn by everybody that all of the set reach: exact enough for the sizes
// and the faults of a testnet, whose groups do not overlap.
std::vector<std::size_t> able_to_commit(const NetworkFacts& facts) {
  std::vector<std::size_t> best;
  for (std::size_t start = 0; start < facts.nodes.size(); ++start) {
    if (!can_vote(facts, facts.nodes[start])) continue;
    std::vector<std::size_t> group{start};
    for (std::size_t other = 0; other < facts.nodes.size(); ++other) {
      if (other == start || !can_vote(facts, facts.nodes[other])) continue;
      const bool fits = std::all_of(group.begin(), group.end(), [&](std::size_t member) {
        return linked(facts, member, other);
      });
      if (fits) group.push_back(other);
    }
    if (group.size() > best.size()) best = std::move(group);
  }
  std::sort(best.begin(), best.end());
  return best;
}

namespace {

// Of those that can vote, the largest set in which everybody reaches everybody, be it through
// others: proposals and blocks are passed on, so that it commits, with delay.
std::size_t in_touch(const NetworkFacts& facts) {
  std::set<std::size_t> seen;
  std::size_t most = 0;
  for (std::size_t start = 0; start < facts.nodes.size(); ++start) {
    if (!can_vote(facts, facts.nodes[start]) || !seen.insert(start).second) continue;
    std::vector<std::size_t> group{start};
    for (std::size_t next = 0; next < group.size(); ++next) {
      for (std::size_t other = 0; other < facts.nodes.size(); ++other) {
        if (!can_vote(facts, facts.nodes[other]) || !linked(facts, group[next], other)) continue;
        if (seen.insert(other).second) group.push_back(other);
      }
    }
    most = std::max(most, group.size());
  }
  return most;
}

// Nothing here knows why: what the nodes themselves say, or that they say nothing.
void add_last_resort(const NetworkFacts& facts, std::vector<Finding>& out) {
  const std::string logs = "quorate-testnet logs ";
  bool said = false;
  for (const NodeFacts& node : facts.nodes) {
    if (!node.status.reachable || node.status.ready || node.status.reason.empty()) continue;
    out.push_back({"not_ready",
                   {node.name},
                   node.name + " says that it is not ready: " + node.status.reason,
                   logs + node.name,
                   true});
    said = true;
  }
  if (said) return;
  out.push_back(
      {"unknown",
       {},
       facts.mines
           ? "somebody mines, and no cause shows in what the nodes say"
           : "a quorum runs, is connected and may vote, and no cause shows in what the nodes say",
       "Ask again in a few seconds, then look at " + logs + "NODE" +
           (facts.mines ? "" : ", and at the metrics of the primary"),
       true});
}

}  // namespace

Diagnosis diagnose(const NetworkFacts& facts) {
  const auto able = able_to_commit(facts);
  const bool through_others = able.size() < facts.quorum && in_touch(facts) >= facts.quorum;
  const bool below_quorum = able.size() < facts.quorum && !through_others;
  Diagnosis out;
  const Pace pace = pace_of(facts);
  if (facts.mines && mining_goes_on(facts, pace)) {
    out.condition = Condition::going_on;
  } else if (facts.mines) {
    out.condition = rests_by_design(facts) ? Condition::idle : Condition::stalled;
  } else if (advanced(facts)) {
    out.condition = Condition::going_on;
  } else if (waiting(facts, able) > 0 || below_quorum) {
    out.condition = Condition::stalled;
  } else {
    out.condition = Condition::idle;
  }
  out.summary = facts.mines ? mining_summary(facts, out.condition, pace)
                            : summary(facts, out.condition, able);
  const Judgement judgement{facts, out.condition == Condition::stalled, below_quorum};
  out.findings = all_findings(judgement);
  if (through_others && !facts.mines) {
    out.findings.push_back(
        {"sparse_links",
         {},
         "no quorum of nodes that all reach each other: what one has to tell another is passed on "
         "by a third, and commits may be slow",
         facts.fault_links ? "quorate-testnet heal" : "",
         judgement.stalled});
  }
  const bool explained = std::any_of(out.findings.begin(), out.findings.end(),
                                     [](const Finding& finding) { return finding.cause; });
  if (judgement.stalled && !explained) add_last_resort(facts, out.findings);
  std::stable_sort(out.findings.begin(), out.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.cause && !b.cause; });
  return out;
}

}  // namespace quorate::testnet
