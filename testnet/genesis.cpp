#include "testnet/genesis.hpp"

#include <unistd.h>

#include <chrono>

#include "crypto/dev_accounts.hpp"
#include "crypto/hash.hpp"
#include "node/config/files.hpp"
#include "node/config/genesis_file.hpp"
#include "node/config/home.hpp"
#include "node/config/key_files.hpp"
#include "node/config/node_config.hpp"
#include "node/engine_config.hpp"
#include "testnet/load/accounts.hpp"

namespace quorate::testnet {

namespace {

namespace fs = std::filesystem;

struct NodeKeys {
  crypto::ValidatorKey validator;
  crypto::NodeKey node;
};

std::vector<NodeKeys> random_keys(const NetworkPlan& plan) {
  std::vector<NodeKeys> out;
  for (std::uint32_t i = 0; i < plan.nodes; ++i) {
    out.push_back(NodeKeys{crypto::ValidatorKey::random(), crypto::NodeKey::random()});
  }
  return out;
}

ledger::Genesis make_genesis(const NetworkPlan& plan, const std::vector<NodeEntry>& nodes,
                             const std::vector<NodeKeys>& keys) {
  ledger::Genesis genesis;
  // The suffix tells one local chain from the next at a glance; the chain_id tells them apart.
  const PublicKey& first = keys.front().validator.public_key();
  genesis.chain_name = "local-" + to_hex(ByteView(first).first(2));
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  genesis.genesis_time = WallMs(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
  genesis.consensus.engine = plan.engine;
  genesis.consensus.engine_parameters = plan.engine_parameters;
  if (plan.checkpoint_interval != 0) {
    genesis.consensus.checkpoint_interval = plan.checkpoint_interval;
    const std::uint64_t window = 2 * plan.checkpoint_interval;
    if (genesis.consensus.proposals_in_flight > window) {
      genesis.consensus.proposals_in_flight = static_cast<std::uint32_t>(window);
    }
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    genesis.validators.push_back({nodes[i].name, keys[i].validator.public_key(),
                                  keys[i].node.public_key(), nodes[i].p2p_address()});
  }
  for (std::uint32_t i = 0; i < crypto::kDevNames.size(); ++i) {
    genesis.accounts.push_back({crypto::dev_account_address(i), kDevAccountBalance});
  }
  for (std::uint32_t i = 0; i < plan.load_accounts; ++i) {
    genesis.accounts.push_back(
        {crypto::address_of(load_account_key(i).public_key()), kLoadAccountBalance});
  }
  return genesis;
}

// What differs from the defaults of a node.
std::vector<node::TextSetting> settings(const NodeEntry& entry, const NetworkPlan& plan,
                                        const consensus::EngineTraits& traits) {
  std::vector<node::TextSetting> out = {
      {"rpc.listen", "127.0.0.1:" + std::to_string(entry.rpc_port), "testnet"},
      {"rpc.requests_per_second", "0", "testnet"},
      {"rpc.connections_max", "0", "testnet"},
      {"p2p.listen", entry.p2p_address(), "testnet"},
  };
  if (!traits.mines) return out;
  out.push_back({"mining.duty_percent", std::to_string(plan.mining.duty_percent), "testnet"});
  if (plan.mining.instant_ms != 0) {
    out.push_back({"mining.instant_ms", std::to_string(plan.mining.instant_ms), "testnet"});
  }
  return out;
}

Result<void> write_home(const fs::path& root, const std::vector<node::TextSetting>& set,
                        const NodeKeys& keys, const ledger::Genesis& genesis) {
  const node::Home home{root};
  QUORATE_CHECK(node::create_home(home));
  QUORATE_CHECK(node::write_validator_key(home.validator_key_file(), keys.validator));
  QUORATE_CHECK(node::write_node_key(home.node_key_file(), keys.node));
  QUORATE_CHECK(node::write_genesis_file(home.genesis_file(), genesis));
  QUORATE_TRY(const auto config, node::render_config(set));
  return node::write_new_file(home.config_file(), config, 0600);
}

Result<void> make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail(Errc::io, "cannot create " + path.string() + ": " + error.message());
  return {};
}

Result<Manifest> write_network(const Layout& staging, const NetworkPlan& plan) {
  QUORATE_CHECK(make_folder(staging.data / "logs"));
  QUORATE_CHECK(make_folder(staging.data / "run"));
  Manifest manifest;
  manifest.engine = plan.engine;
  manifest.nodes = plan_nodes(plan);
  manifest.load_accounts = plan.load_accounts;
  const auto keys = random_keys(plan);
  auto genesis = make_genesis(plan, manifest.nodes, keys);
  QUORATE_CHECK(choose_difficulty(genesis, plan.mining));
  QUORATE_CHECK(ledger::validate(genesis, false));
  QUORATE_TRY(manifest.traits, node::engine_traits(genesis));
  manifest.chain_name = genesis.chain_name;
  manifest.chain_id = ledger::chain_id(genesis);
  QUORATE_CHECK(node::write_genesis_file(staging.genesis_file(), genesis));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& entry = manifest.nodes[i];
    QUORATE_CHECK(write_home(staging.home(entry.name), settings(entry, plan, manifest.traits),
                             keys[i], genesis));
  }
  QUORATE_CHECK(store(staging, manifest));
  return manifest;
}

}  // namespace

Result<void> check(const NetworkPlan& plan) {
  if (plan.nodes < kNodesMin || plan.nodes > kNodesMax) {
    return fail(Errc::invalid_argument,
                "a testnet has " + std::to_string(kNodesMin) + " to " + std::to_string(kNodesMax) +
                    " nodes, not " + std::to_string(plan.nodes) +
                    (plan.nodes < kNodesMin ? ": fewer tolerate no fault" : ""));
  }
  const auto fits = [&](std::uint16_t base) { return base != 0 && base <= 65535 - plan.nodes; };
  if (!fits(plan.rpc_base_port) || !fits(plan.p2p_base_port)) {
    return fail(Errc::invalid_argument, "a base port must leave room for every node below 65536");
  }
  const auto [low, high] = std::minmax(plan.rpc_base_port, plan.p2p_base_port);
  if (high - low < static_cast<int>(plan.nodes)) {
    return fail(Errc::invalid_argument,
                "the RPC and P2P ports overlap; choose bases further apart");
  }
  auto genesis = make_genesis(plan, plan_nodes(plan), random_keys(plan));
  return choose_difficulty(genesis, plan.mining,
                           [](const consensus::PuzzleSolver&) { return 1e6; });
}

std::vector<NodeEntry> plan_nodes(const NetworkPlan& plan) {
  std::vector<NodeEntry> nodes;
  for (std::uint32_t i = 0; i < plan.nodes; ++i) {
    nodes.push_back({"node" + std::to_string(i), static_cast<std::uint16_t>(plan.rpc_base_port + i),
                     static_cast<std::uint16_t>(plan.p2p_base_port + i)});
  }
  return nodes;
}

Result<Manifest> create_network(const Layout& layout, const NetworkPlan& plan) {
  QUORATE_CHECK(check(plan));
  std::error_code error;
  if (fs::exists(layout.data, error) && !fs::is_empty(layout.data, error)) {
    return fail(Errc::conflict, layout.data.string() +
                                    " exists and holds no testnet; it is left alone. Choose "
                                    "another folder with --data");
  }
  const Layout staging{layout.data.string() + ".new-" + std::to_string(::getpid())};
  fs::remove_all(staging.data, error);
  auto manifest = write_network(staging, plan);
  if (manifest) {
    fs::rename(staging.data, layout.data, error);
    if (!error) return manifest;
    manifest = fail(Errc::io, "cannot create " + layout.data.string() + ": " + error.message());
  }
  fs::remove_all(staging.data, error);
  return manifest;
}

}  // namespace quorate::testnet
