// partition, heal and perturb: what the fault links do from now on.
#include <iostream>

#include "testnet/cluster.hpp"
#include "testnet/commands/commands.hpp"
#include "testnet/output.hpp"
#include "testnet/perturb/links.hpp"

namespace quorate::testnet {

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out{""};
  for (const char c : text) {
    if (c == separator) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

Result<std::vector<NodeIndex>> nodes_of(const Manifest& manifest, const std::string& list) {
  std::vector<NodeIndex> out;
  for (const auto& name : split(list, ',')) {
    QUORATE_TRY(const auto index, manifest.find(name));
    out.push_back(index);
  }
  return out;
}

// The links of a testnet that has them, and the only command that changes them meanwhile.
struct Session {
  Cluster cluster;
  DataLock lock;
  LinkRules rules;

  Links links() const { return {cluster.layout(), cluster.manifest()}; }
};

Result<Session> open_session(const CommonOptions& common) {
  QUORATE_TRY(auto cluster, Cluster::open(common.data));
  QUORATE_TRY(auto lock, DataLock::acquire(cluster.layout()));
  const Links links(cluster.layout(), cluster.manifest());
  if (!links.exist()) {
    return fail(Errc::rejected,
                "the nodes are connected directly, so there is nothing to cut or to slow down. Put "
                "fault links between them first (nodes that run are restarted one after the "
                "other; the data stays): quorate-testnet up --faults --data " +
                    common.data.string());
  }
  QUORATE_TRY(auto rules, links.rules());
  return Session{std::move(cluster), std::move(lock), std::move(rules)};
}

struct Side {
  std::vector<NodeIndex> nodes;
  std::size_t alive = 0;
};

std::vector<Side> sides(const Cluster& cluster, const LinkRules& rules) {
  std::vector<Side> out;
  for (auto& group : connected_groups(rules)) {
    Side side{std::move(group), 0};
    for (const NodeIndex node : side.nodes) {
      if (cluster.state(node) == RunState::alive) ++side.alive;
    }
    out.push_back(std::move(side));
  }
  return out;
}

// Of one side that is the whole network.
std::string reach(const Cluster& cluster, const LinkRules& rules) {
  std::string text;
  std::size_t missing = 0;
  for (NodeIndex a = 0; a < rules.nodes(); ++a) {
    for (NodeIndex b = a + 1; b < rules.nodes(); ++b) {
      if (!rules.separated(a, b) || ++missing > 3) continue;
      text += (text.empty() ? "" : ", ") + cluster.node(a).name + " and " + cluster.node(b).name;
    }
  }
  if (missing == 0) return "every node reaches every other";
  return text + (missing > 3 ? " and more" : "") + " reach each other only through others";
}

// Where every side goes on by itself.
std::string branches_summary(const Cluster& cluster, const LinkRules& rules,
                             const std::vector<Side>& groups) {
  if (groups.size() == 1) return reach(cluster, rules) + ": the branch with most work wins";
  std::string text;
  for (const auto& side : groups) {
    text += (text.empty() ? "" : " | ") + names(cluster, side.nodes);
  }
  return text + ": each side goes on with a branch of its own. When they meet again, the branch " +
         "with less work is withdrawn, and with it what only that side called final (depth " +
         std::to_string(cluster.traits().commit_depth) + "). Later: quorate-testnet heal";
}

std::string summary(const Cluster& cluster, const LinkRules& rules) {
  const auto groups = sides(cluster, rules);
  if (cluster.traits().mines) return branches_summary(cluster, rules, groups);
  std::string text;
  std::string with_quorum;
  for (const auto& side : groups) {
    text += (text.empty() ? "" : " | ") + names(cluster, side.nodes);
    if (side.alive >= cluster.quorum()) with_quorum = names(cluster, side.nodes);
  }
  const auto quorum = std::to_string(cluster.quorum());
  if (groups.size() == 1) text = reach(cluster, rules);
  if (!with_quorum.empty()) {
    return text + (groups.size() == 1 ? "; quorum " + quorum
                                      : ": " + with_quorum + " go on, quorum " + quorum);
  }
  return text + ": no side has the quorum of " + quorum +
         ": halted by design. Try: quorate-testnet " + (groups.size() == 1 ? "start" : "heal");
}

rpc::Json as_json(const Cluster& cluster, const LinkRules& rules, const LinkState& state) {
  rpc::Json groups = rpc::Json::array();
  bool halted = true;
  for (const auto& side : sides(cluster, rules)) {
    rpc::Json group = rpc::Json::array();
    for (const NodeIndex node : side.nodes) group.push_back(cluster.node(node).name);
    groups.push_back(std::move(group));
    halted = halted && side.alive < cluster.quorum();
  }
  rpc::Json traffic = rpc::Json::array();
  for (const auto& [direction, passed] : state.traffic) {
    traffic.push_back({{"from", direction.first},
                       {"to", direction.second},
                       {"bytes", passed.bytes},
                       {"connections", passed.connections},
                       {"resets", passed.resets},
                       {"held_back", passed.held_back}});
  }
  return {{"groups", std::move(groups)},
          {"rules", to_json(rules)["rules"]},
          {"traffic", std::move(traffic)},
          {"quorum", cluster.quorum()},
          {"halted", halted}};
}

void print_rules(const Cluster& cluster, const LinkRules& rules, const LinkState& state) {
  std::vector<std::vector<std::string>> rows = {
      {"FROM", "TO", "RULE", "BYTES", "CHUNKS HELD BACK", "RESETS"}};
  for (NodeIndex from = 0; from < cluster.size(); ++from) {
    for (NodeIndex to = 0; to < cluster.size(); ++to) {
      if (from == to) continue;
      const auto found = state.traffic.find({from, to});
      const LinkTraffic passed = found == state.traffic.end() ? LinkTraffic{} : found->second;
      rows.push_back({cluster.node(from).name, cluster.node(to).name, describe(rules.at(from, to)),
                      std::to_string(passed.bytes), std::to_string(passed.held_back),
                      std::to_string(passed.resets)});
    }
  }
  std::cout << table(rows);
}

// Puts the session's rules into force and says what that means.
Result<int> apply(const Session& session, const CommonOptions& common, bool list) {
  QUORATE_TRY(const auto state, session.links().apply(session.rules));
  const auto& cluster = session.cluster;
  if (common.json) {
    std::cout << as_json(cluster, session.rules, state).dump(2) << "\n";
    return 0;
  }
  if (list || common.verbose) print_rules(cluster, session.rules, state);
  std::cout << "  " << summary(cluster, session.rules) << "\n";
  return 0;
}

// The directions that the options of perturb select.
Result<std::vector<Direction>> selected(const Manifest& manifest, const PerturbOptions& options) {
  std::vector<Direction> out;
  const auto add = [&](NodeIndex from, NodeIndex to) {
    out.emplace_back(from, to);
    if (!options.one_way) out.emplace_back(to, from);
  };
  for (const auto& link : options.links) {
    const auto ends = split(link, ':');
    if (ends.size() != 2) {
      return fail(Errc::invalid_argument, "--link '" + link + "': expected two nodes, as in 0:1");
    }
    QUORATE_TRY(const auto from, manifest.find(ends[0]));
    QUORATE_TRY(const auto to, manifest.find(ends[1]));
    if (from == to) return fail(Errc::invalid_argument, "a node has no link to itself");
    add(from, to);
  }
  for (const auto& name : options.nodes) {
    QUORATE_TRY(const auto node, manifest.find(name));
    for (NodeIndex other = 0; other < manifest.nodes.size(); ++other) {
      if (other != node) add(node, other);
    }
  }
  if (!out.empty()) return out;
  if (options.one_way) {
    return fail(Errc::invalid_argument, "--one-way needs --link or --node to say which way");
  }
  for (NodeIndex from = 0; from < manifest.nodes.size(); ++from) {
    for (NodeIndex to = from + 1; to < manifest.nodes.size(); ++to) add(from, to);
  }
  return out;
}

}  // namespace

Result<int> run_partition(const PartitionOptions& options) {
  QUORATE_TRY(auto session, open_session(options.common));
  std::vector<std::vector<NodeIndex>> groups;
  for (const auto& list : options.groups) {
    QUORATE_TRY(auto group, nodes_of(session.cluster.manifest(), list));
    groups.push_back(std::move(group));
  }
  QUORATE_CHECK(partition(session.rules, groups));
  return apply(session, options.common, false);
}

Result<int> run_heal(const CommonOptions& common) {
  QUORATE_TRY(auto session, open_session(common));
  session.rules.clear();
  return apply(session, common, false);
}

Result<int> run_perturb(const PerturbOptions& options) {
  QUORATE_TRY(auto session, open_session(options.common));
  QUORATE_TRY(const auto directions, selected(session.cluster.manifest(), options));
  for (const auto& [from, to] : directions) {
    LinkRule rule = session.rules.at(from, to);
    rule.delay_ms = options.delay_ms.value_or(rule.delay_ms);
    rule.jitter_ms = options.jitter_ms.value_or(rule.jitter_ms);
    rule.loss_percent = options.loss_percent.value_or(rule.loss_percent);
    rule.bytes_per_second = options.bytes_per_second.value_or(rule.bytes_per_second);
    session.rules.set(from, to, rule);
  }
  return apply(session, options.common, true);
}

Result<int> run_fault_links(const CommonOptions& common) { return Links::serve(common.data); }

}  // namespace quorate::testnet
