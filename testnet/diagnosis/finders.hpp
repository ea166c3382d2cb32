// What finds the single things: one function a question, in files by what they look at. Pure. Only
// the findings*.cpp include this header.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "testnet/diagnosis/findings.hpp"

namespace quorate::testnet::finders {

using Findings = std::vector<Finding>;

// A proposal is held until due where its proposer's clock is further ahead than the protocol's
// delta.
inline constexpr std::int64_t kClockAheadMax = 10'000;

inline bool alive(const NodeFacts& node) { return node.status.process == RunState::alive; }
inline bool answers(const NodeFacts& node) { return alive(node) && node.status.reachable; }

inline std::string with_reason(const std::string& text, const std::string& reason) {
  return reason.empty() ? text : text + ": " + reason;
}

// The value that most answering nodes share, for "the others".
template <class Value, class Of>
std::optional<Value> usual(const NetworkFacts& facts, Of of) {
  std::map<Value, std::size_t> count;
  for (const auto& node : facts.nodes) {
    if (answers(node)) ++count[of(node)];
  }
  const auto most = std::max_element(
      count.begin(), count.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == count.end() ? std::nullopt : std::optional<Value>(most->first);
}

// Of the view that most nodes are in.
inline std::optional<std::size_t> primary_of(const NetworkFacts& facts) {
  const auto index = usual<std::uint32_t>(
      facts, [](const auto& node) { return node.status.primary.value_or(UINT32_MAX); });
  return index && *index < facts.nodes.size() ? std::optional<std::size_t>(*index) : std::nullopt;
}

// Processes, links and who they are: findings_network.cpp.
void processes(const Judgement& judgement, Findings& out);
void links(const Judgement& judgement, Findings& out);
void identities(const Judgement& judgement, Findings& out);
void connections(const Judgement& judgement, Findings& out);
void alone(const Judgement& judgement, Findings& out);

// What they order and who may vote: findings_order.cpp.
void agreement(const Judgement& judgement, Findings& out);
void votes(const Judgement& judgement, Findings& out);
void parted(const Judgement& judgement, Findings& out);
void lag(const Judgement& judgement, Findings& out);
void mining(const Judgement& judgement, Findings& out);
void primary(const Judgement& judgement, Findings& out);
void watermarks(const Judgement& judgement, Findings& out);
void views(const Judgement& judgement, Findings& out);

// The machines below: findings_machine.cpp.
void clocks(const Judgement& judgement, Findings& out);
void disks(const Judgement& judgement, Findings& out);
void mempools(const Judgement& judgement, Findings& out);

}  // namespace quorate::testnet::finders
