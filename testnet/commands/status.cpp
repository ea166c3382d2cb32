#include <algorithm>
#include <iostream>

#include "rpc/json/ledger_json.hpp"
#include "testnet/cluster.hpp"
#include "testnet/commands/commands.hpp"
#include "testnet/output.hpp"

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

rpc::Json as_json(const Cluster& cluster, const std::vector<NodeStatus>& statuses) {
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
      entry["peers_connected"] = status.peers_connected();
    }
    nodes.push_back(std::move(entry));
  }
  const auto& manifest = cluster.manifest();
  return {{"chain_name", manifest.chain_name}, {"chain_id", to_0x(manifest.chain_id)},
          {"engine", manifest.engine},         {"alive", alive},
          {"quorum", cluster.quorum()},        {"nodes", std::move(nodes)}};
}

void print(const Cluster& cluster, const std::vector<NodeStatus>& statuses) {
  std::vector<std::vector<std::string>> rows = {
      {"NODE", "PROCESS", "PID", "ROLE", "HEIGHT", "FINAL", "VIEW", "PEERS", "READY"}};
  std::size_t alive = 0;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto& status = statuses[i];
    alive += status.process == RunState::alive ? 1 : 0;
    const auto number = [&](std::uint64_t value) {
      return status.reachable ? std::to_string(value) : "-";
    };
    rows.push_back({cluster.node(i).name, std::string(to_text(status.process)),
                    status.pid != 0 ? std::to_string(status.pid) : "-", Cluster::role(status, i),
                    number(status.height), number(status.certified_height), number(status.view),
                    number(status.peers_connected()),
                    status.ready ? "yes" : "no: " + status.reason});
  }
  std::cout << table(rows);
  std::cout << "  chain " << cluster.manifest().chain_name << ", " << alive << "/" << cluster.size()
            << " alive, quorum " << cluster.quorum()
            << (alive < cluster.quorum() ? ": below quorum, halted by design" : "") << "\n";
  if (alive < cluster.quorum()) return;
  const auto knows = std::find_if(statuses.begin(), statuses.end(), [](const NodeStatus& status) {
    return status.primary.has_value();
  });
  if (knows == statuses.end()) return;
  const std::string warning = cluster.primary_warning(knows->primary);
  if (!warning.empty()) std::cout << "  " << warning << "\n";
}

}  // namespace

Result<int> run_status(const CommonOptions& common) {
  QUORATE_TRY(const auto cluster, Cluster::open(common.data));
  std::vector<NodeStatus> statuses;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    statuses.push_back(cluster.status(i, std::chrono::seconds(2)));
  }
  if (common.json) {
    std::cout << as_json(cluster, statuses).dump(2) << "\n";
  } else {
    print(cluster, statuses);
  }
  return 0;
}

}  // namespace quorate::testnet
