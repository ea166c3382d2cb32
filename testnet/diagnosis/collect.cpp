#include "testnet/diagnosis/collect.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <thread>

#include "node/config/home.hpp"
#include "node/config/node_config.hpp"
#include "rpc/client/rpc_client.hpp"
#include "testnet/perturb/links.hpp"

namespace quorate::testnet {

namespace {

using rpc::Json;
using std::chrono::milliseconds;

constexpr milliseconds kAnswerMax{1500};
constexpr std::size_t kLogLines = 20;

std::uint64_t number(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::int64_t wall_ms() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void ask_info(rpc::RpcClient& client, NodeFacts& facts) {
  const auto before = wall_ms();
  const auto info = client.call("node_getInfo", Json::object());
  const auto after = wall_ms();
  if (!info || !info->is_object()) return;
  facts.version = info->value("version", "") + " (" + info->value("git_commit", "") + ")";
  facts.wire_version = number(*info, "wire_version");
  facts.storage_version = number(*info, "storage_version");
  if (const auto time = number(*info, "time_ms"); time != 0) {
    facts.clock_ahead_ms = static_cast<std::int64_t>(time) - (before + after) / 2;
  }
}

void ask_mempool(rpc::RpcClient& client, NodeFacts& facts) {
  const auto pool = client.call("mempool_getStatus", Json::object());
  if (!pool || !pool->is_object()) return;
  facts.waiting = number(*pool, "ready");
  facts.mempool_max = number(*pool, "transactions_max");
}

WriteTotals ask_writes(rpc::RpcClient& client) {
  const auto page = client.get("/metrics");
  return page && page->status == 200 ? write_totals(page->body) : WriteTotals{};
}

struct Asked {
  NodeFacts facts;
  WriteTotals writes;
};

Asked ask(const Cluster& cluster, std::size_t index) {
  Asked out;
  out.facts.name = cluster.node(index).name;
  const auto process = cluster.process(index);
  out.facts.status = ask_node(cluster.node(index), process, kAnswerMax);
  if (out.facts.status.process == RunState::dead) {
    out.facts.last_words = last_error(cluster.log_tail(index, kLogLines));
  }
  if (!out.facts.status.reachable) return out;
  auto client = rpc::RpcClient::create({cluster.node(index).rpc_url()}, {kAnswerMax, kAnswerMax});
  if (!client) return out;
  ask_info(*client, out.facts);
  ask_mempool(*client, out.facts);
  out.writes = ask_writes(*client);
  return out;
}

std::uint64_t tip_of(const NodeStatus& status) { return status.branch ? status.branch->tip : 0; }

std::vector<Asked> ask_all(const Cluster& cluster) {
  std::vector<Asked> out(cluster.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    threads.emplace_back([&, i] { out[i] = ask(cluster, i); });
  }
  for (auto& thread : threads) thread.join();
  return out;
}

std::optional<double> mean_write_ms(const WriteTotals& before, const WriteTotals& after) {
  const double lately = after.count - before.count;
  if (lately >= 1) return 1000 * (after.seconds - before.seconds) / lately;
  if (after.count >= 1) return 1000 * after.seconds / after.count;
  return std::nullopt;
}

// By its configuration file; what the environment changes is not seen.
bool mines_on_demand(const Cluster& cluster, const NodeEntry& node) {
  const node::Home home{cluster.layout().home(node.name)};
  const auto config = node::load_config(home.config_file(), {}, {});
  return config && config->values.mining.instant_ms > 0;
}

}  // namespace

NetworkFacts collect_facts(const Cluster& cluster, milliseconds observation) {
  NetworkFacts facts;
  facts.quorum = cluster.quorum();
  facts.mines = cluster.traits().mines;
  facts.commit_depth = cluster.traits().commit_depth;
  const auto& nodes = cluster.manifest().nodes;
  facts.mines_on_demand =
      facts.mines && std::all_of(nodes.begin(), nodes.end(), [&](const NodeEntry& node) {
        return mines_on_demand(cluster, node);
      });
  const auto begin = std::chrono::steady_clock::now();
  const auto before = ask_all(cluster);
  std::this_thread::sleep_for(observation);
  auto after = ask_all(cluster);
  facts.now_ms = static_cast<std::uint64_t>(wall_ms());
  facts.observed_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin).count());
  for (std::size_t i = 0; i < after.size(); ++i) {
    NodeFacts node = std::move(after[i].facts);
    const auto& earlier = before[i].facts.status;
    // A node that did not answer before has not advanced by answering now.
    node.height_before = earlier.reachable ? earlier.height : node.status.height;
    node.view_before = earlier.reachable ? earlier.view : node.status.view;
    node.tip_before = tip_of(earlier.reachable ? earlier : node.status);
    node.write_ms = mean_write_ms(before[i].writes, after[i].writes);
    facts.nodes.push_back(std::move(node));
  }
  const Links links(cluster.layout(), cluster.manifest());
  facts.fault_links = links.exist();
  facts.fault_links_run = links.process() == RunState::alive;
  if (facts.fault_links) {
    if (auto rules = links.rules()) facts.rules = std::move(*rules);
  }
  return facts;
}

// Lines are "TIME LEVEL COMPONENT message key=value ..." or, with log.format json, an object.
std::string last_error(const std::string& log_tail) {
  std::istringstream lines(log_tail);
  std::string found;
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find(" ERROR ");
    if (at != std::string::npos) {
      found = line.substr(at + 7);
    } else if (line.find("\"level\":\"error\"") != std::string::npos) {
      found = line;
    } else if (line.find("error: ") != std::string::npos) {
      found = line.substr(line.find("error: ") + 7);
    }
  }
  return found;
}

WriteTotals write_totals(const std::string& metrics) {
  WriteTotals out;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    const bool sum = line.rfind("quorate_storage_write_duration_seconds_sum", 0) == 0;
    const bool count = line.rfind("quorate_storage_write_duration_seconds_count", 0) == 0;
    if (!sum && !count) continue;
    std::istringstream value(line.substr(line.rfind(' ') + 1));
    double number = 0;
    if (value >> number) (sum ? out.seconds : out.count) += number;
  }
  return out;
}

}  // namespace quorate::testnet
