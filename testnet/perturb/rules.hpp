// What the fault links do to the bytes between two nodes, for each direction on its own: nothing by
// default. Rules are data; proxy.hpp carries them out. Pure; one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/result.hpp"
#include "rpc/json/ledger_json.hpp"

namespace quorate::testnet {

struct LinkRule {
  bool cut = false;             // nothing passes; what was sent waits until the link is whole again
  std::uint32_t delay_ms = 0;   // added to every chunk
  std::uint32_t jitter_ms = 0;  // up to this much more, evenly spread; the order stays
  double loss_percent = 0;      // chance that a chunk needs a retransmission: see shaper.hpp
  std::uint64_t bytes_per_second = 0;  // 0 = no limit

  bool operator==(const LinkRule&) const = default;
  // Nothing gets through: each connection hangs, or breaks before anything came over it.
  bool severs() const { return cut || loss_percent >= 100; }
  bool perturbs() const { return *this != LinkRule{}; }
};

using NodeIndex = std::size_t;
using Direction = std::pair<NodeIndex, NodeIndex>;  // from, to

class LinkRules {
 public:
  explicit LinkRules(std::size_t nodes = 0) : nodes_(nodes) {}

  std::size_t nodes() const { return nodes_; }
  const LinkRule& at(NodeIndex from, NodeIndex to) const;
  void set(NodeIndex from, NodeIndex to, const LinkRule& rule);
  void clear() { rules_.clear(); }
  bool empty() const { return rules_.empty(); }
  // Nothing passes at all between them, in at least one direction.
  bool separated(NodeIndex a, NodeIndex b) const { return at(a, b).severs() || at(b, a).severs(); }
  // Only those that perturb.
  const std::map<Direction, LinkRule>& all() const { return rules_; }

  bool operator==(const LinkRules&) const = default;

 private:
  std::size_t nodes_;
  std::map<Direction, LinkRule> rules_;
};

// Cuts every link between two groups and joins those within a group; delays and losses stay. Nodes
// that no group names are one more group. Error invalid_argument when a node is in two groups, or
// when there is only one group in the end.
Result<void> partition(LinkRules& rules, const std::vector<std::vector<NodeIndex>>& groups);
// The groups that can reach each other, by smallest member: {{0, 1}, {2, 3}} after a partition.
std::vector<std::vector<NodeIndex>> connected_groups(const LinkRules& rules);

// "cut", or "+200 ms ±20 ms, 5 % loss, at most 100000 B/s"
std::string describe(const LinkRule& rule);

rpc::Json to_json(const LinkRules& rules);
// Error bad_encoding naming the field.
Result<LinkRules> rules_from(const rpc::Json& json);

}  // namespace quorate::testnet
