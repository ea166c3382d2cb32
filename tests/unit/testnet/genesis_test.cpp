#include "testnet/genesis.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "crypto/dev_accounts.hpp"
#include "node/config/genesis_file.hpp"
#include "node/config/home.hpp"
#include "node/config/key_files.hpp"
#include "node/config/node_config.hpp"
#include "testnet/load/accounts.hpp"
#include "testnet/ports.hpp"
#include "tests/support/temporary_folder.hpp"

namespace quorate::testnet {

TEST_CASE("a new network has keys, one genesis and its own ports for every node") {
  const TemporaryFolder folder;
  const Layout layout{folder.path() / "net"};
  NetworkPlan plan;
  plan.nodes = 7;
  plan.rpc_base_port = 20000;
  plan.p2p_base_port = 21000;
  plan.load_accounts = 2;
  plan.checkpoint_interval = 8;
  const auto manifest = create_network(layout, plan);
  REQUIRE(manifest.has_value());
  const auto genesis = node::read_genesis_file(layout.genesis_file());
  REQUIRE(genesis.has_value());
  CHECK(ledger::validate(*genesis, false).has_value());
  CHECK(ledger::chain_id(*genesis) == manifest->chain_id);
  CHECK(crypto::is_dev_chain_name(genesis->chain_name));
  CHECK(genesis->consensus.checkpoint_interval == 8);
  CHECK(genesis->consensus.proposals_in_flight <= 16);
  CHECK(genesis->accounts.size() == crypto::kDevNames.size() + 2);
  REQUIRE(genesis->validators.size() == 7);

  for (std::size_t i = 0; i < 7; ++i) {
    const node::Home home{layout.home(manifest->nodes[i].name)};
    const auto own = node::read_genesis_file(home.genesis_file());
    REQUIRE(own.has_value());
    CHECK(*own == *genesis);
    const auto key = node::read_validator_key(home.validator_key_file());
    REQUIRE(key.has_value());
    CHECK(key->public_key() == genesis->validators[i].validator_key);
    const auto config = node::load_config(home.config_file(), {}, {});
    REQUIRE(config.has_value());
    CHECK(config->values.rpc.listen == "127.0.0.1:" + std::to_string(20000 + i));
    CHECK(config->values.p2p.listen == "127.0.0.1:" + std::to_string(21000 + i));
    CHECK(config->values.p2p.listen == genesis->validators[i].p2p);
  }
}

TEST_CASE("a folder that holds something else is left alone") {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "thesis.tex") << "years of work";
  const auto manifest = create_network(Layout{folder.path()}, NetworkPlan{});
  REQUIRE_FALSE(manifest.has_value());
  CHECK(manifest.error().code == Errc::conflict);
  CHECK(std::filesystem::exists(folder.path() / "thesis.tex"));
}

TEST_CASE("sizes, engines and ports that cannot be are refused before anything is written") {
  NetworkPlan plan;
  SECTION("too few nodes") { plan.nodes = 3; }
  SECTION("too many nodes") { plan.nodes = 17; }
  SECTION("an unknown engine") { plan.engine = "raft"; }
  SECTION("ports past the end") { plan.p2p_base_port = 65533; }
  SECTION("ports that overlap") { plan.p2p_base_port = static_cast<std::uint16_t>(8645 + 3); }
  const auto refused = check(plan);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::invalid_argument);
  if (plan.nodes == 17) CHECK(refused.error().detail == "a testnet has 4 to 16 nodes, not 17");
}

TEST_CASE("load accounts follow from their index") {
  CHECK(load_account_key(0).public_key() == load_account_key(0).public_key());
  CHECK(load_account_key(0).public_key() != load_account_key(1).public_key());
  CHECK(load_account_key(1).public_key() != load_account_key(256).public_key());
}

TEST_CASE("a busy port is named with its node and purpose") {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(fd, 1) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::uint16_t port = ntohs(address.sin_port);
  CHECK_FALSE(port_is_free(port));
  const std::vector<NodeEntry> nodes = {{"node0", port, port}};
  const auto checked = check_ports(nodes, {0}, PortChoice::open);
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().detail.find("port " + std::to_string(port) + " (RPC of node0)") !=
        std::string::npos);
  CHECK(checked.error().detail.find("--rpc-base-port and") != std::string::npos);
  // An existing testnet has no choice, and is not told that an option helps.
  const auto recorded = check_ports(nodes, {0}, PortChoice::recorded);
  REQUIRE_FALSE(recorded.has_value());
  CHECK(recorded.error().detail.find("down --purge") != std::string::npos);
  CHECK(recorded.error().detail.find("--rpc-base-port and") == std::string::npos);
  CHECK(check_ports(nodes, {}, PortChoice::open).has_value());
  ::close(fd);
  CHECK(port_is_free(port));
}

}  // namespace quorate::testnet
