#include "testnet/wallet_profile.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "rpc/json/ledger_json.hpp"
#include "tests/support/temporary_folder.hpp"

namespace quorate::testnet::wallet_profile_test {

namespace {

Manifest example() {
  Manifest manifest;
  manifest.chain_name = "local-7f3a";
  manifest.chain_id.bytes.fill(0xAB);
  manifest.nodes = {{"node0", 8645, 30645}, {"node1", 8646, 30646}};
  return manifest;
}

rpc::Json read(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  const auto json = rpc::parse_json(text.str());
  return json ? *json : rpc::Json();
}

}  // namespace

TEST_CASE("the profile pins the chain and lists every node") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "deep" / "wallet.json";
  const auto active = write_wallet_profile(file, Layout{folder.path() / "net"}, example());
  CHECK(active.value_or("") == "local");
  const auto json = read(file);
  CHECK(json["profile"] == "local");
  const auto& local = json["profiles"]["local"];
  CHECK(local["chain_name"] == "local-7f3a");
  CHECK(local["chain_id"] == to_0x(example().chain_id));
  CHECK(local["dev"] == true);
  CHECK(local["genesis_file"] == (folder.path() / "net" / "genesis.json").string());
  CHECK(local["rpc_urls"] == rpc::Json::array({"http://127.0.0.1:8645", "http://127.0.0.1:8646"}));
}

TEST_CASE("other profiles, other keys and the user's choice of profile are kept") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "wallet.json";
  std::ofstream(file) << R"({"profile":"acme","profiles":{"acme":{"chain_id":"0x01"}},"colour":1})";
  const auto active = write_wallet_profile(file, Layout{folder.path()}, example());
  CHECK(active.value_or("") == "acme");
  REQUIRE(remove_wallet_profile(file, example().chain_id).has_value());
  const auto json = read(file);
  CHECK(json["profile"] == "acme");
  CHECK(json["colour"] == 1);
  CHECK(json["profiles"]["acme"]["chain_id"] == "0x01");
  CHECK_FALSE(json["profiles"].contains("local"));
}

TEST_CASE("removing the only profile removes the file, and keeps it for what else is in it") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "wallet.json";
  REQUIRE(write_wallet_profile(file, Layout{folder.path()}, example()).has_value());
  REQUIRE(remove_wallet_profile(file, example().chain_id).has_value());
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(remove_wallet_profile(file, example().chain_id).has_value());

  std::ofstream(file) << R"({"colour":1})";
  REQUIRE(write_wallet_profile(file, Layout{folder.path()}, example()).has_value());
  REQUIRE(remove_wallet_profile(file, example().chain_id).has_value());
  CHECK(read(file) == rpc::Json{{"colour", 1}});
}

TEST_CASE("a profile that points to another testnet is found before it is moved") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "wallet.json";
  Digest other;
  other.bytes.fill(1);
  CHECK(other_testnet(file, other).value() == std::nullopt);
  REQUIRE(write_wallet_profile(file, Layout{folder.path() / "net"}, example()).has_value());
  CHECK(other_testnet(file, other).value() == folder.path() / "net");
  CHECK(other_testnet(file, example().chain_id).value() == std::nullopt);
  std::ofstream(file) << R"({"profiles":{"local":{"chain_id":"0x01","genesis_file":7}}})";
  CHECK(other_testnet(file, other).value() == std::nullopt);
}

TEST_CASE("a profile that pins another chain is not removed") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "wallet.json";
  REQUIRE(write_wallet_profile(file, Layout{folder.path()}, example()).has_value());
  Digest other;
  other.bytes.fill(1);
  REQUIRE(remove_wallet_profile(file, other).has_value());
  CHECK(read(file)["profiles"].contains("local"));
}

TEST_CASE("a configuration that is not JSON is left alone") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "wallet.json";
  std::ofstream(file) << "profile = acme\n";
  const auto checked = check_wallet_config(file);
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().detail.find(file.string()) == 0);
  const auto active = write_wallet_profile(file, Layout{folder.path()}, example());
  REQUIRE_FALSE(active.has_value());
  CHECK(active.error().code == Errc::corrupt);
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  CHECK(line == "profile = acme");
}

}  // namespace quorate::testnet::wallet_profile_test
