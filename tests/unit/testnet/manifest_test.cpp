#include "testnet/manifest.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/temporary_folder.hpp"

namespace quorate::testnet {

namespace {

Manifest example() {
  Manifest manifest;
  manifest.engine = "pbft";
  manifest.chain_name = "local-7f3a";
  manifest.chain_id.bytes.fill(0xAB);
  manifest.load_accounts = 3;
  manifest.traits.connected_min = 2;
  manifest.nodes = {{"node0", 8645, 30645}, {"node1", 8646, 30646}};
  return manifest;
}

}  // namespace

TEST_CASE("what is stored in testnet.json is what is loaded") {
  const TemporaryFolder folder;
  const Layout layout{folder.path()};
  REQUIRE(store(layout, example()).has_value());
  const auto loaded = load_manifest(layout);
  REQUIRE(loaded.has_value());
  CHECK(loaded->chain_name == "local-7f3a");
  CHECK(loaded->chain_id == example().chain_id);
  CHECK(loaded->load_accounts == 3);
  REQUIRE(loaded->nodes.size() == 2);
  CHECK(loaded->nodes[1].name == "node1");
  CHECK(loaded->nodes[1].rpc_url() == "http://127.0.0.1:8646");
  CHECK(loaded->find("node1").value_or(9) == 1);
  REQUIRE_FALSE(loaded->find("node7").has_value());
  CHECK(loaded->find("node7").error().detail.find("node0 to node1") != std::string::npos);
}

TEST_CASE("what the engine is like is stored with the testnet, and is voting where it is not") {
  const TemporaryFolder folder;
  const Layout layout{folder.path()};
  auto manifest = example();
  manifest.traits.seals = false;
  manifest.traits.connected_min = 1;
  manifest.traits.commit_depth = 6;
  manifest.traits.mines = true;
  REQUIRE(store(layout, manifest).has_value());
  auto loaded = load_manifest(layout);
  REQUIRE(loaded.has_value());
  CHECK_FALSE(loaded->traits.seals);
  CHECK(loaded->traits.connected_min == 1);
  CHECK(loaded->traits.commit_depth == 6);
  CHECK(loaded->traits.mines);

  std::ifstream in(layout.manifest_file());
  std::string text(std::istreambuf_iterator<char>(in), {});
  const auto begin = text.find("\"engine_traits\"");
  text.erase(begin, text.find("},", begin) + 2 - begin);
  std::ofstream(layout.manifest_file()) << text;
  loaded = load_manifest(layout);
  REQUIRE(loaded.has_value());
  CHECK(loaded->traits.seals);
  CHECK(loaded->traits.connected_min == 2);  // the quorum of two
  CHECK_FALSE(loaded->traits.mines);
}

TEST_CASE("an existing testnet.json is never replaced") {
  const TemporaryFolder folder;
  const Layout layout{folder.path()};
  REQUIRE(store(layout, example()).has_value());
  REQUIRE_FALSE(store(layout, example()).has_value());
}

TEST_CASE("a folder without a testnet says how to start one") {
  const TemporaryFolder folder;
  const auto loaded = load_manifest(Layout{folder.path()});
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().code == Errc::not_found);
  CHECK(loaded.error().detail.find("quorate-testnet up") != std::string::npos);
}

TEST_CASE("a damaged testnet.json is refused with its name") {
  const std::string text =
      GENERATE(as<std::string>{}, "", "[]", "{}", "{\"testnet_version\":\"1\"}",
               "{\"testnet_version\":1,\"engine\":\"pbft\"}", "not json");
  const TemporaryFolder folder;
  const Layout layout{folder.path()};
  std::ofstream(layout.manifest_file()) << text;
  const auto loaded = load_manifest(layout);
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().detail.find("testnet.json") != std::string::npos);
}

}  // namespace quorate::testnet
