// The test network's tool over the same engine: it makes a network of it, and simulates nothing that
// it has no model of.
#include <catch2/catch.hpp>

#include "testnet/genesis.hpp"
#include "testnet/simulate/options.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/node/third_engine/sequencer.hpp"

using namespace quorate;

namespace third_engine_network_test {

TEST_CASE("the testnet tool makes a network of an engine that only the factory knows") {
  const TemporaryFolder folder;
  testnet::NetworkPlan plan;
  plan.rpc_base_port = 20000;
  plan.p2p_base_port = 21000;
  CHECK(plan.engine == consensus::sequencer::kName);
  const testnet::Layout layout{folder / "net"};
  REQUIRE(testnet::create_network(layout, plan).has_value());
  const auto manifest = testnet::load_manifest(layout);
  REQUIRE(manifest.has_value());
  CHECK(manifest->engine == consensus::sequencer::kName);
  CHECK(manifest->traits.commit_depth == consensus::sequencer::kSequencerDepth);
  CHECK_FALSE(manifest->traits.mines);

  plan.engine = "another";
  const auto unknown = testnet::check(plan);
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().detail.find("there are: sequencer") != std::string::npos);
}

TEST_CASE("an engine that the simulator has no model of is refused by it, with what it models") {
  const auto scene = testnet::make_scene(testnet::SimulateOptions{});
  REQUIRE_FALSE(scene.has_value());
  CHECK(scene.error().detail ==
        "--engine sequencer: the simulator models engines whose blocks are proved by seals or by "
        "work");
}

}  // namespace third_engine_network_test
