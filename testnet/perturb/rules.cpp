#include "testnet/perturb/rules.hpp"

#include <algorithm>
#include <sstream>

#include "rpc/json/fields.hpp"
#include "testnet/manifest.hpp"

namespace quorate::testnet {

namespace {

constexpr std::size_t kDirectionsMax = kNodesMax * kNodesMax;

Result<LinkRule> rule_from(const rpc::Fields& fields) {
  LinkRule rule;
  QUORATE_TRY(const rpc::Json* cut, fields.get("cut"));
  QUORATE_TRY(const rpc::Json* loss, fields.get("loss_percent"));
  if (!cut->is_boolean() || !loss->is_number()) {
    return fail(Errc::bad_encoding, fields.path("cut") + ": expected true or false, and a number");
  }
  rule.cut = cut->get<bool>();
  rule.loss_percent = loss->get<double>();
  QUORATE_TRY(const auto delay, fields.integer("delay_ms", UINT32_MAX));
  QUORATE_TRY(const auto jitter, fields.integer("jitter_ms", UINT32_MAX));
  QUORATE_TRY(rule.bytes_per_second, fields.integer("bytes_per_second"));
  rule.delay_ms = static_cast<std::uint32_t>(delay);
  rule.jitter_ms = static_cast<std::uint32_t>(jitter);
  return rule;
}

}  // namespace

const LinkRule& LinkRules::at(NodeIndex from, NodeIndex to) const {
  static const LinkRule kNone;
  const auto found = rules_.find({from, to});
  return found == rules_.end() ? kNone : found->second;
}

void LinkRules::set(NodeIndex from, NodeIndex to, const LinkRule& rule) {
  if (rule.perturbs()) {
    rules_[{from, to}] = rule;
  } else {
    rules_.erase({from, to});
  }
}

Result<void> partition(LinkRules& rules, const std::vector<std::vector<NodeIndex>>& groups) {
  constexpr std::size_t kRest = SIZE_MAX;
  std::vector<std::size_t> group_of(rules.nodes(), kRest);
  for (std::size_t group = 0; group < groups.size(); ++group) {
    for (const NodeIndex node : groups[group]) {
      if (group_of.at(node) != kRest && group_of[node] != group) {
        return fail(Errc::invalid_argument,
                    "node" + std::to_string(node) + " is in two groups; a node can be in one only");
      }
      group_of[node] = group;
    }
  }
  if (std::all_of(group_of.begin(), group_of.end(),
                  [&](std::size_t group) { return group == group_of.front(); })) {
    return fail(Errc::invalid_argument,
                "one group that holds every node is no partition; name at least one side, for "
                "example: quorate-testnet partition 0,1 2,3");
  }
  for (NodeIndex from = 0; from < rules.nodes(); ++from) {
    for (NodeIndex to = 0; to < rules.nodes(); ++to) {
      if (from == to) continue;
      LinkRule rule = rules.at(from, to);
      rule.cut = group_of[from] != group_of[to];
      rules.set(from, to, rule);
    }
  }
  return {};
}

std::vector<std::vector<NodeIndex>> connected_groups(const LinkRules& rules) {
  std::vector<std::vector<NodeIndex>> groups;
  std::vector<bool> placed(rules.nodes(), false);
  for (NodeIndex start = 0; start < rules.nodes(); ++start) {
    if (placed[start]) continue;
    std::vector<NodeIndex> group{start};
    placed[start] = true;
    for (std::size_t next = 0; next < group.size(); ++next) {
      for (NodeIndex other = 0; other < rules.nodes(); ++other) {
        if (placed[other] || rules.separated(group[next], other)) continue;
        placed[other] = true;
        group.push_back(other);
      }
    }
    std::sort(group.begin(), group.end());
    groups.push_back(std::move(group));
  }
  return groups;
}

std::string describe(const LinkRule& rule) {
  std::ostringstream out;
  const auto separate = [&out] { out << (out.tellp() > 0 ? ", " : ""); };
  if (rule.cut) out << "cut";
  if (rule.delay_ms != 0 || rule.jitter_ms != 0) {
    separate();
    out << "+" << rule.delay_ms << " ms";
    if (rule.jitter_ms != 0) out << " to +" << rule.delay_ms + rule.jitter_ms << " ms";
  }
  if (rule.loss_percent > 0) {
    separate();
    out << rule.loss_percent << " % loss";
  }
  if (rule.bytes_per_second != 0) {
    separate();
    out << "at most " << rule.bytes_per_second << " B/s";
  }
  return out.tellp() > 0 ? out.str() : "as it is";
}

rpc::Json to_json(const LinkRules& rules) {
  rpc::Json list = rpc::Json::array();
  for (const auto& [direction, rule] : rules.all()) {
    list.push_back({{"from", direction.first},
                    {"to", direction.second},
                    {"cut", rule.cut},
                    {"delay_ms", rule.delay_ms},
                    {"jitter_ms", rule.jitter_ms},
                    {"loss_percent", rule.loss_percent},
                    {"bytes_per_second", rule.bytes_per_second}});
  }
  return {{"nodes", rules.nodes()}, {"rules", std::move(list)}};
}

Result<LinkRules> rules_from(const rpc::Json& json) {
  QUORATE_TRY(const auto fields, rpc::Fields::of(json, "links"));
  QUORATE_TRY(const auto nodes, fields.integer("nodes", kNodesMax));
  QUORATE_TRY(const rpc::Json* list, fields.array("rules", kDirectionsMax));
  LinkRules rules(nodes);
  for (const auto& entry : *list) {
    QUORATE_TRY(const auto each, rpc::Fields::of(entry, "links.rules"));
    QUORATE_TRY(const auto from, each.integer("from", nodes - 1));
    QUORATE_TRY(const auto to, each.integer("to", nodes - 1));
    QUORATE_TRY(const auto rule, rule_from(each));
    rules.set(from, to, rule);
  }
  return rules;
}

}  // namespace quorate::testnet
