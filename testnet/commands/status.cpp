#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <set>

#include "rpc/json/ledger_json.hpp"
#include "testnet/cluster.hpp"
#include "testnet/commands/commands.hpp"
#include "testnet/output.hpp"
#include "testnet/perturb/links.hpp"

namespace quorate::testnet {

namespace {

std::string_view to_text(RunState state) {
  switch (state) {
    case RunState::dead: return "dead";
    case RunState::alive: return "alive";
    case RunState::paused: return "paused";
  }
  return "?";
}

// Blocks that signatures prove, or that another node has, and that it has not executed.
std::uint64_t lag_of(const NodeStatus& status) {
  return std::max(status.lag, status.target > status.height ? status.target - status.height : 0);
}

// "1", or "0>1" while it asks for view 1.
std::string view_of(const NodeStatus& status) {
  std::string text = std::to_string(status.view);
  if (status.promise_view > status.view) text += ">" + std::to_string(status.promise_view);
  return text;
}

// "progress 0.8 s, view 1.2 s"
std::string timers_of(const NodeStatus& status) {
  std::string text;
  for (const auto& [name, left] : status.timers) {
    text += (text.empty() ? "" : ", ") + name + " " + std::to_string(left) + " ms";
  }
  return text.empty() ? "none" : text;
}

rpc::Json links_json(const Cluster& cluster) {
  const Links links(cluster.layout(), cluster.manifest());
  if (!links.exist()) return nullptr;
  const auto rules = links.rules();
  return {{"process", to_text(links.process())},
          {"rules", rules ? to_json(*rules)["rules"] : rpc::Json::array()}};
}

rpc::Json branch_json(const BranchStatus& branch) {
  return {{"tip", branch.tip},
          {"tip_id", branch.tip_id},
          {"tip_time_ms", branch.tip_time_ms},
          {"best_header", branch.best_header},
          {"bits", branch.bits},
          {"expected_hashes", branch.expected_hashes},
          {"hashes", branch.hashes},
          {"hashes_per_second", branch.hashes_per_second},
          {"blocks_mined", branch.blocks_mined},
          {"stale_blocks", branch.stale_blocks},
          {"branch_switches", branch.branch_switches},
          {"deepest_switch", branch.deepest_switch},
          {"rewinds", branch.rewinds},
          {"orphans", branch.orphans},
          {"mining", branch.mining}};
}

rpc::Json status_json(const Cluster& cluster, const std::vector<NodeStatus>& statuses) {
  rpc::Json nodes = rpc::Json::array();
  std::size_t alive = 0;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto& status = statuses[i];
    alive += status.process == RunState::alive ? 1 : 0;
    rpc::Json entry = {{"name", cluster.node(i).name},
                       {"process", to_text(status.process)},
                       {"pid", status.pid},
                       {"rpc_url", cluster.node(i).rpc_url()},
                       {"role", Cluster::role(status, i)},
                       {"reachable", status.reachable},
                       {"ready", status.ready},
                       {"reason", status.reason}};
    if (status.reachable) {
      entry["height"] = status.height;
      entry["certified_height"] = status.certified_height;
      entry["view"] = status.view;
      entry["promise_view"] = status.promise_view;
      entry["changing_view"] = status.changing_view;
      entry["low_watermark"] = status.low_watermark;
      entry["high_watermark"] = status.high_watermark;
      entry["lag"] = lag_of(status);
      entry["view_timeout_ms"] = status.view_timeout_ms;
      entry["timers"] = status.timers;
      entry["suspects"] = rpc::Json::array();
      for (const auto& suspect : status.suspects) {
        entry["suspects"].push_back({{"name", suspect.name}, {"reason", suspect.reason}});
      }
      entry["halted"] = status.halted;
      if (status.branch) entry["branch"] = branch_json(*status.branch);
      entry["peers_connected"] = status.peers_connected();
    }
    nodes.push_back(std::move(entry));
  }
  const auto& manifest = cluster.manifest();
  return {{"chain_name", manifest.chain_name},
          {"chain_id", to_0x(manifest.chain_id)},
          {"engine", manifest.engine},
          {"commit_depth", manifest.traits.commit_depth},
          {"alive", alive},
          {"quorum", cluster.quorum()},
          {"fault_links", links_json(cluster)},
          {"nodes", std::move(nodes)}};
}

// 1234567 as "1.23 M".
std::string short_number(std::uint64_t value) {
  static constexpr std::array<const char*, 5> kUnits = {"", " k", " M", " G", " T"};
  double scaled = static_cast<double>(value);
  std::size_t unit = 0;
  while (scaled >= 1000 && unit + 1 < kUnits.size()) {
    scaled /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f" : "%.3g", scaled);
  return text + std::string(kUnits.at(unit));
}

// Where blocks are mined: the branch in place of view and primary.
void print_branches(const Cluster& cluster, const std::vector<NodeStatus>& statuses, bool verbose) {
  std::vector<std::vector<std::string>> rows = {{"NODE", "PROCESS", "PID", "ROLE", "TIP", "FINAL",
                                                 "LAG", "DIFFICULTY", "HASH/S", "REORGS", "DEEPEST",
                                                 "PEERS"}};
  if (verbose) {
    for (const char* column : {"MINED", "STALE", "ORPHANS", "REWINDS", "TIP ID"}) {
      rows[0].emplace_back(column);
    }
  }
  rows[0].emplace_back("READY");
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto& status = statuses[i];
    const BranchStatus branch = status.branch.value_or(BranchStatus{});
    const auto of_branch = [&](const std::string& text) { return status.branch ? text : "-"; };
    const auto number = [&](std::uint64_t value) {
      return status.reachable ? std::to_string(value) : "-";
    };
    rows.push_back({cluster.node(i).name, std::string(to_text(status.process)),
                    status.pid != 0 ? std::to_string(status.pid) : "-", Cluster::role(status, i),
                    of_branch(number(branch.tip)), number(status.height), number(lag_of(status)),
                    of_branch(short_number(branch.expected_hashes)),
                    of_branch(short_number(branch.hashes_per_second)),
                    of_branch(number(branch.branch_switches)),
                    of_branch(number(branch.deepest_switch)), number(status.peers_connected())});
    if (verbose) {
      for (const std::uint64_t value :
           {branch.blocks_mined, branch.stale_blocks, branch.orphans, branch.rewinds}) {
        rows.back().push_back(of_branch(number(value)));
      }
      rows.back().push_back(of_branch(branch.tip_id.substr(0, 14)));
    }
    rows.back().push_back(status.ready ? "yes" : "no: " + status.reason);
  }
  std::cout << table(rows);
}

// The tip of the branch with the most work among those that answer, and how fast it grows.
void print_pace(const Cluster& cluster, const std::vector<NodeStatus>& statuses) {
  std::uint64_t rate = 0;
  std::uint64_t hashes = 0;
  for (const auto& status : statuses) {
    if (!status.branch) continue;
    rate += status.branch->hashes_per_second;
    hashes = std::max(hashes, status.branch->expected_hashes);
  }
  std::cout << "  a block is final at depth " << cluster.traits().commit_depth;
  if (rate > 0) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.1f",
                  static_cast<double>(hashes) / static_cast<double>(rate));
    std::cout << "; at " << short_number(rate) << " hashes per second the next takes " << text
              << " s on average";
  } else {
    std::cout << "; nobody is looking for one now";
  }
  std::cout << "\n";
}

void print_table(const Cluster& cluster, const std::vector<NodeStatus>& statuses, bool verbose) {
  std::vector<std::vector<std::string>> rows = {
      {"NODE", "PROCESS", "PID", "ROLE", "HEIGHT", "FINAL", "LAG", "VIEW", "PEERS"}};
  if (verbose) {
    for (const char* column : {"WATERMARKS", "TIMEOUT", "TIMERS"}) rows[0].emplace_back(column);
  }
  rows[0].emplace_back("READY");
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto& status = statuses[i];
    const auto known = [&](const std::string& text) { return status.reachable ? text : "-"; };
    const auto number = [&](std::uint64_t value) { return known(std::to_string(value)); };
    rows.push_back({cluster.node(i).name, std::string(to_text(status.process)),
                    status.pid != 0 ? std::to_string(status.pid) : "-", Cluster::role(status, i),
                    number(status.height), number(status.certified_height), number(lag_of(status)),
                    known(view_of(status)), number(status.peers_connected())});
    if (verbose) {
      rows.back().push_back(known(std::to_string(status.low_watermark) + ".." +
                                  std::to_string(status.high_watermark)));
      rows.back().push_back(known(std::to_string(status.view_timeout_ms) + " ms"));
      rows.back().push_back(known(timers_of(status)));
    }
    rows.back().push_back(status.ready ? "yes" : "no: " + status.reason);
  }
  std::cout << table(rows);
}

// Who would leave the view and why, and who has stopped for good.
void print_suspects(const Cluster& cluster, const std::vector<NodeStatus>& statuses) {
  std::set<std::string> lines;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    for (const auto& suspect : statuses[i].suspects) {
      lines.insert(suspect.name + " suspects the primary: " + suspect.reason);
    }
    if (!statuses[i].halted.empty()) {
      lines.insert(cluster.node(i).name + " has halted: " + statuses[i].halted);
    }
  }
  for (const auto& line : lines) std::cout << "  " << line << "\n";
}

void print_links(const Cluster& cluster) {
  const Links links(cluster.layout(), cluster.manifest());
  if (!links.exist()) return;
  const auto rules = links.rules();
  if (links.process() != RunState::alive) {
    std::cout << "  the fault links do not run: quorate-testnet up\n";
  } else if (!rules || rules->empty()) {
    std::cout << "  connected through fault links that change nothing now\n";
  } else {
    std::cout << "  connected through fault links with rules in force: quorate-testnet perturb\n";
  }
}

void print(const Cluster& cluster, const std::vector<NodeStatus>& statuses, bool verbose) {
  const bool mines = cluster.traits().mines;
  mines ? print_branches(cluster, statuses, verbose) : print_table(cluster, statuses, verbose);
  const auto alive = cluster.in_state(RunState::alive).size();
  std::cout << "  chain " << cluster.manifest().chain_name << ", " << alive << "/" << cluster.size()
            << " alive, " << cluster.rule()
            << (alive < cluster.quorum() && !mines ? ": below quorum, halted by design" : "")
            << "\n";
  if (mines) print_pace(cluster, statuses);
  print_suspects(cluster, statuses);
  print_links(cluster);
  if (alive < cluster.quorum()) return;
  const auto knows = std::find_if(statuses.begin(), statuses.end(), [](const NodeStatus& status) {
    return status.primary.has_value();
  });
  if (knows == statuses.end()) return;
  const std::string warning = cluster.primary_warning(knows->primary);
  if (!warning.empty()) std::cout << "  " << warning << "\n";
}

// A node on a slow line does not know how far the others are. A few blocks are made while one asks
// node after node: so many say nothing.
void compare_heights(std::vector<NodeStatus>& statuses) {
  constexpr std::uint64_t kMeanwhile = 20;
  std::uint64_t top = 0;
  for (const NodeStatus& status : statuses) top = std::max(top, status.height);
  for (NodeStatus& status : statuses) {
    const bool behind = status.reachable && status.height + kMeanwhile < top;
    if (behind) status.lag = std::max(status.lag, top - status.height);
  }
}

}  // namespace

Result<int> run_status(const CommonOptions& common) {
  QUORATE_TRY(const auto cluster, Cluster::open(common.data));
  std::vector<NodeStatus> statuses;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    statuses.push_back(cluster.status(i, std::chrono::seconds(2)));
  }
  compare_heights(statuses);
  if (common.json) {
    std::cout << status_json(cluster, statuses).dump(2) << "\n";
  } else {
    print(cluster, statuses, common.verbose);
  }
  return 0;
}

}  // namespace quorate::testnet
