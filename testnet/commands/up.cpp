#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <numeric>
#include <thread>

#include "crypto/dev_accounts.hpp"
#include "node/config/genesis_file.hpp"
#include "rpc/json/ledger_json.hpp"
#include "testnet/cluster.hpp"
#include "testnet/commands/commands.hpp"
#include "testnet/output.hpp"
#include "testnet/perturb/links.hpp"
#include "testnet/ports.hpp"
#include "testnet/wallet_profile.hpp"

namespace quorate::testnet {

namespace {

std::vector<std::size_t> all_of(std::size_t count) {
  std::vector<std::size_t> out(count);
  std::iota(out.begin(), out.end(), std::size_t{0});
  return out;
}

std::string port_range(const char* purpose, std::uint16_t first, std::size_t count) {
  return std::string(purpose) + " ports " + std::to_string(first) + " to " +
         std::to_string(first + count - 1);
}

using Refuse =
    std::function<tl::unexpected<Error>(const std::string& there, const std::string& wanted)>;

// What the genesis holds cannot be changed any more; it must not be ignored in silence either.
Result<void> check_same_genesis(const Cluster& cluster, const UpOptions& options,
                                const Refuse& refuse) {
  const auto& plan = options.plan;
  const auto there = cluster.manifest().load_accounts;
  if (options.load_accounts_given && there != plan.load_accounts) {
    return refuse(std::to_string(there) + " load accounts", std::to_string(plan.load_accounts));
  }
  const bool interval_given = options.checkpoint_interval_given && plan.checkpoint_interval != 0;
  if (!interval_given && plan.engine_parameters.empty()) return {};
  QUORATE_TRY(const auto genesis, node::read_genesis_file(cluster.layout().genesis_file()));
  for (const auto& [name, value] : plan.engine_parameters) {
    const auto& those = genesis.consensus.engine_parameters;
    const auto found = those.find(name);
    if (found != those.end() && found->second == value) continue;
    return refuse(
        name + (found == those.end() ? " at its default" : "=" + std::to_string(found->second)),
        name + "=" + std::to_string(value));
  }
  const auto interval = genesis.consensus.checkpoint_interval;
  if (!interval_given || interval == plan.checkpoint_interval) return {};
  return refuse("a checkpoint every " + std::to_string(interval) + " blocks",
                "every " + std::to_string(plan.checkpoint_interval));
}

Result<void> check_same(const Cluster& cluster, const UpOptions& options) {
  const Refuse refuse = [&](const std::string& there, const std::string& wanted) {
    return fail(Errc::conflict, cluster.layout().data.string() + " holds a testnet with " + there +
                                    ", not " + wanted +
                                    ". To start afresh: quorate-testnet down --purge --data " +
                                    cluster.layout().data.string());
  };
  const auto& manifest = cluster.manifest();
  if (options.engine_given && manifest.engine != options.plan.engine) {
    return refuse("engine " + manifest.engine, "engine " + options.plan.engine);
  }
  if (options.nodes_given && cluster.size() != options.plan.nodes) {
    return refuse(std::to_string(cluster.size()) + " nodes",
                  std::to_string(options.plan.nodes) + " nodes");
  }
  const auto& first = manifest.nodes.front();
  if (options.rpc_base_port_given && first.rpc_port != options.plan.rpc_base_port) {
    return refuse(port_range("RPC", first.rpc_port, cluster.size()),
                  std::to_string(options.plan.rpc_base_port) + " and up");
  }
  if (options.p2p_base_port_given && first.p2p_port != options.plan.p2p_base_port) {
    return refuse(port_range("P2P", first.p2p_port, cluster.size()),
                  std::to_string(options.plan.p2p_base_port) + " and up");
  }
  if (options.mining_given) {
    return fail(Errc::conflict,
                "how this testnet mines is in config/config.toml of each node "
                "(mining.duty_percent, mining.instant_ms): change it there");
  }
  return check_same_genesis(cluster, options, refuse);
}

// Opens what is there or makes it; `created` says which.
Result<Cluster> open_or_create(const UpOptions& options, bool& created) {
  const Layout layout{options.common.data};
  created = false;
  std::error_code error;
  if (std::filesystem::exists(layout.manifest_file(), error)) {
    return Cluster::open(options.common.data);
  }
  QUORATE_CHECK(check(options.plan));
  const auto nodes = plan_nodes(options.plan);
  QUORATE_CHECK(check_ports(nodes, all_of(nodes.size()), PortChoice::open));
  QUORATE_TRY([[maybe_unused]] const auto manifest, create_network(layout, options.plan));
  created = true;
  return Cluster::open(options.common.data);
}

// Puts fault links between the nodes, also between those that run: they are restarted one after the
// other, so that the chain goes on meanwhile.
Result<void> reroute(const Cluster& cluster, const UpOptions& options) {
  for (std::size_t index = 0; index + 1 < cluster.size(); ++index) {  // the last one dials nobody
    const auto process = cluster.process(index);
    if (!process || Links::dials_through_links(*process)) continue;
    QUORATE_CHECK(send_signal(*process, SIGTERM));
    QUORATE_TRY(const bool ended, wait_for_end(*process, options.common.timeout));
    if (!ended) {
      return fail(Errc::timeout, cluster.node(index).name +
                                     " does not stop, so it is not yet behind fault links; end it "
                                     "with quorate-testnet kill and try again");
    }
    QUORATE_CHECK(cluster.start(index));
    QUORATE_CHECK(cluster.wait_settled({index}, options.common.timeout));
    if (!options.common.quiet) {
      std::cerr << "  " << cluster.node(index).name << " restarted behind fault links\n";
    }
  }
  return {};
}

// "node1: it is not connected; node3: observer: ...".
std::string list(const Cluster& cluster, const std::vector<Unready>& unready) {
  std::string out;
  for (const Unready& each : unready) {
    out += (out.empty() ? "" : "; ") + cluster.node(each.node).name + ": " + each.why;
  }
  return out;
}

// A new network must be ready as a whole. One that is there already may have nodes that can only
// follow, for good, and goes on without them.
Result<std::vector<Unready>> wait_for_all(const Cluster& cluster, bool created,
                                          std::chrono::milliseconds timeout) {
  if (created) {
    QUORATE_CHECK(cluster.wait_ready(all_of(cluster.size()), timeout));
    return std::vector<Unready>{};
  }
  return cluster.wait_settled(all_of(cluster.size()), timeout);
}

// Starts what is dead, continues what is paused, and waits for everyone; returns who runs without
// being ready. When a node cannot run, the ones this call started are ended again: a failed `up`
// leaves nothing running that was not there.
Result<std::vector<Unready>> start_all(const Cluster& cluster, bool created,
                                       std::chrono::milliseconds timeout) {
  for (const std::size_t index : cluster.in_state(RunState::paused)) {
    if (const auto process = cluster.process(index)) {
      QUORATE_CHECK(send_signal(*process, SIGCONT));
    }
  }
  const auto dead = cluster.in_state(RunState::dead);
  QUORATE_CHECK(check_ports(cluster.manifest().nodes, dead, PortChoice::recorded));
  auto outcome = [&]() -> Result<std::vector<Unready>> {
    for (const std::size_t index : dead) QUORATE_CHECK(cluster.start(index));
    return wait_for_all(cluster, created, timeout);
  }();
  if (outcome) return outcome;
  for (const std::size_t index : dead) {
    const auto process = cluster.process(index);
    if (!process) continue;
    QUORATE_CHECK(send_signal(*process, SIGTERM));
    QUORATE_TRY(const bool ended, wait_for_end(*process, std::chrono::seconds(3)));
    if (!ended) QUORATE_CHECK(send_signal(*process, SIGKILL));
  }
  return outcome;
}

// What runs goes on running: it may need more time, or be needed to find out what is wrong.
Result<void> check_quorum(const Cluster& cluster, const std::vector<Unready>& unready,
                          std::chrono::milliseconds timeout) {
  const std::size_t ready = cluster.size() - unready.size();
  if (ready >= std::max<std::size_t>(cluster.quorum(), 1)) return {};
  return fail(Errc::timeout, std::to_string(ready) + " of " + std::to_string(cluster.size()) +
                                 " nodes are ready after " +
                                 std::to_string(timeout.count() / 1000) + " s, " + cluster.rule() +
                                 " (" + list(cluster, unready) +
                                 "). They go on running. Next: quorate-testnet why-stalled");
}

// A node that mines needs a moment after it is ready to have something to look for.
std::vector<NodeStatus> first_statuses(const Cluster& cluster) {
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  std::vector<NodeStatus> out;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    while (true) {
      auto status = cluster.status(i, std::chrono::seconds(2));
      const bool idle = status.branch && !status.branch->is_miner();
      if (!idle || std::chrono::steady_clock::now() > patience) {
        out.push_back(std::move(status));
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  return out;
}

std::string program_folder() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "build/bin" : self.parent_path().string();
}

bool on_path(const std::string& folder) {
  const char* path = std::getenv("PATH");
  return path != nullptr &&
         (":" + std::string(path) + ":").find(":" + folder + ":") != std::string::npos;
}

void print_nodes(const Cluster& cluster, const std::vector<NodeStatus>& statuses) {
  std::vector<std::vector<std::string>> rows = {
      {"NODE", "ROLE", "RPC / WS / metrics", "P2P", "PID"}};
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto& node = cluster.node(i);
    rows.push_back({node.name, Cluster::role(statuses[i], i), node.rpc_url(), node.p2p_address(),
                    std::to_string(statuses[i].pid)});
  }
  std::cout << table(rows);
}

void print_unready(const Cluster& cluster, const std::vector<Unready>& unready) {
  for (const Unready& each : unready) {
    const bool follows = each.why.rfind("observer", 0) == 0;
    std::cout << "  ! " << cluster.node(each.node).name << " runs and is not ready: " << each.why
              << "\n    "
              << (follows
                      ? "The others go on without its vote. What to do: docs/operations.md, \"A "
                        "disk was lost or wiped\""
                      : "The others go on without it meanwhile. What holds it up: "
                        "quorate-testnet why-stalled")
              << "\n";
  }
}

void print_accounts() {
  std::cout << "  Dev accounts (WELL-KNOWN KEYS: never fund them elsewhere)\n";
  std::vector<std::vector<std::string>> rows;
  for (std::uint32_t i = 0; i < crypto::kDevNames.size(); ++i) {
    rows.push_back({"(" + std::to_string(i) + ")", std::string(crypto::kDevNames.at(i)),
                    crypto::to_text(crypto::dev_account_address(i)),
                    std::to_string(kDevAccountBalance)});
  }
  std::cout << table(rows);
}

void print_next(const UpOptions& options, const std::string& active_profile) {
  const auto folder = program_folder();
  if (!on_path(folder)) std::cout << "  Programs: export PATH=\"" << folder << ":$PATH\"\n";
  if (active_profile != "local") {
    std::cout << "  The wallet's active profile is '" << active_profile
              << "'; for this testnet give it --profile local\n";
  }
  const std::string data =
      options.common.data == "./testnet-data" ? "" : " --data " + options.common.data.string();
  std::cout << "  Next: quorate-wallet send alice bob 25 \u00b7 quorate-testnet status" << data
            << "\n";
}

rpc::Json up_json(const Cluster& cluster, const std::vector<NodeStatus>& statuses) {
  rpc::Json nodes = rpc::Json::array();
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto& node = cluster.node(i);
    nodes.push_back({{"name", node.name},
                     {"role", Cluster::role(statuses[i], i)},
                     {"rpc_url", node.rpc_url()},
                     {"p2p", node.p2p_address()},
                     {"ready", statuses[i].ready},
                     {"reason", statuses[i].reason},
                     {"pid", statuses[i].pid}});
  }
  rpc::Json accounts = rpc::Json::array();
  for (std::uint32_t i = 0; i < crypto::kDevNames.size(); ++i) {
    accounts.push_back({{"name", crypto::kDevNames.at(i)},
                        {"address", crypto::to_text(crypto::dev_account_address(i))},
                        {"genesis_balance", std::to_string(kDevAccountBalance)}});
  }
  const auto& manifest = cluster.manifest();
  return {{"data", std::filesystem::absolute(cluster.layout().data).string()},
          {"engine", manifest.engine},
          {"chain_name", manifest.chain_name},
          {"chain_id", to_0x(manifest.chain_id)},
          {"faults_tolerated", cluster.faults_tolerated()},
          {"commit_depth", cluster.traits().commit_depth},
          {"nodes", std::move(nodes)},
          {"dev_accounts", std::move(accounts)}};
}

void print_heading(const Cluster& cluster, bool created, bool plain) {
  const auto& manifest = cluster.manifest();
  std::string engine = manifest.engine;
  std::transform(engine.begin(), engine.end(), engine.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  const std::string promise = manifest.traits.commit_depth > 0
                                  ? "final at depth " + std::to_string(manifest.traits.commit_depth)
                                  : "tolerates f=" + std::to_string(cluster.faults_tolerated());
  std::cout << "  " << cluster.size() << "-node " << engine << " testnet in "
            << cluster.layout().data.string() << " (chain " << manifest.chain_name << ", "
            << promise << ")\n";
  std::cout << "  " << tick(plain) << " keys and genesis     " << (created ? "" : "kept, ")
            << "genesis " << short_hash(manifest.chain_id) << std::endl;
}

// The wallet has one profile for testnets: it follows the one that was brought up last.
void warn_of_other(const std::optional<std::filesystem::path>& folder) {
  if (!folder) return;
  const auto other = Cluster::open(*folder);
  if (!other || other->in_state(RunState::alive).empty()) return;
  std::cerr << "warning: the wallet's profile 'local' pointed to the testnet in "
            << folder->string()
            << ", which still runs, and points to this one from now on. Back to that: "
               "quorate-testnet up --data "
            << folder->string() << "\n";
}

}  // namespace

Result<int> run_up(UpOptions options) {
  QUORATE_TRY(options.plan.engine_parameters,
              node::parse_engine_parameters(options.engine_parameters));
  QUORATE_TRY(const auto profile, wallet_config_file());
  QUORATE_CHECK(check_wallet_config(profile));
  bool created = false;
  QUORATE_TRY(const auto cluster, open_or_create(options, created));
  QUORATE_TRY(const auto lock, DataLock::acquire(cluster.layout()));
  if (!created) QUORATE_CHECK(check_same(cluster, options));
  if (!options.common.json) print_heading(cluster, created, options.common.plain);
  const Links links(cluster.layout(), cluster.manifest());
  const bool had_links = links.exist();
  if (options.faults || had_links) QUORATE_CHECK(links.start());
  const auto unready = start_all(cluster, created, options.common.timeout);
  if (!unready) {
    if (options.faults && !had_links) QUORATE_CHECK(links.stop());
    return tl::unexpected(unready.error());
  }
  QUORATE_CHECK(check_quorum(cluster, *unready, options.common.timeout));
  if (options.faults) QUORATE_CHECK(reroute(cluster, options));
  QUORATE_TRY(const auto other, other_testnet(profile, cluster.manifest().chain_id));
  QUORATE_TRY(const auto active,
              write_wallet_profile(profile, cluster.layout(), cluster.manifest()));

  warn_of_other(other);

  const auto statuses = first_statuses(cluster);
  if (options.common.json) {
    std::cout << up_json(cluster, statuses).dump(2) << "\n";
    return 0;
  }
  std::cout << "  " << tick(options.common.plain) << " node0..node" << cluster.size() - 1
            << " ready   " << cluster.size() - unready->size() << "/" << cluster.size() << "\n";
  print_nodes(cluster, statuses);
  print_unready(cluster, *unready);
  if (options.common.quiet) return 0;
  print_accounts();
  print_next(options, active);
  return 0;
}

}  // namespace quorate::testnet
