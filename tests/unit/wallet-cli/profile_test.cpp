#include "wallet-cli/profile.hpp"

#include <catch2/catch.hpp>

#include "rpc/json/ledger_json.hpp"
#include "tests/unit/ledger/fixture.hpp"
#include "tests/unit/wallet-cli/temp_home.hpp"
#include "wallet-cli/network.hpp"

namespace quorate::wallet {
namespace {

const std::string kChainId = "0x" + std::string(64, '7');

std::string config(const std::string& profile) {
  return R"({"profile":"local","profiles":{"local":)" + profile + "}}";
}

}  // namespace

TEST_CASE("without a configuration the wallet says how to get one") {
  const test::TempHome temp;
  const auto profile = load_profile(temp.home(), "");
  REQUIRE_FALSE(profile.has_value());
  CHECK(profile.error().exit == ExitCode::configuration);
  CHECK(profile.error().hint.find("quorate-testnet up") != std::string::npos);
}

TEST_CASE("a configuration that chooses no profile says how to choose one") {
  const test::TempHome temp;
  temp.write("wallet.json", "{\"profiles\":{}}");
  const auto profile = load_profile(temp.home(), "");
  REQUIRE_FALSE(profile.has_value());
  CHECK(profile.error().exit == ExitCode::configuration);
  CHECK(profile.error().hint.find("--profile") != std::string::npos);
}

TEST_CASE("a profile carries the nodes and the pin") {
  const test::TempHome temp;
  temp.write("wallet.json", config(R"({"chain_name":"local-7f3a","chain_id":")" + kChainId +
                                   R"(","rpc_urls":["http://127.0.0.1:8645"],"dev":true})"));
  const auto profile = load_profile(temp.home(), "");
  REQUIRE(profile.has_value());
  CHECK(profile->name == "local");
  CHECK(to_0x(profile->chain_id) == kChainId);
  CHECK(profile->rpc_urls == std::vector<std::string>{"http://127.0.0.1:8645"});
  CHECK(profile->dev);
  CHECK_FALSE(load_genesis(*profile)->has_value());
}

TEST_CASE("on a chain whose blocks nothing proves the wallet says so, and vouches for nothing") {
  const test::TempHome temp;
  ledger::Genesis genesis = ledger::test::small_genesis();
  genesis.consensus.engine = "raft";
  Profile profile;
  profile.name = "local";
  profile.chain_id = ledger::chain_id(genesis);
  profile.rpc_urls = {"http://127.0.0.1:1"};
  profile.genesis_file = temp.write("genesis.json", rpc::to_json(genesis).dump());
  Network network = Network::open(profile, {}, std::chrono::seconds(1)).value();
  const auto chain = network.chain();
  REQUIRE_FALSE(chain.has_value());
  CHECK(chain.error().exit == ExitCode::failed);
  CHECK(chain.error().message.find("proves the blocks of the engine raft") != std::string::npos);
  CHECK(chain.error().hint.find("ask several nodes") != std::string::npos);
}

TEST_CASE("a broken configuration is named with its file and field") {
  const test::TempHome temp;
  const auto path =
      temp.write("wallet.json", config(R"({"chain_name":"x","chain_id":"0x12","rpc_urls":[]})"));
  const auto profile = load_profile(temp.home(), "");
  REQUIRE_FALSE(profile.has_value());
  CHECK(profile.error().exit == ExitCode::configuration);
  CHECK(profile.error().message.find(path.string()) != std::string::npos);
  CHECK(profile.error().message.find("chain_id") != std::string::npos);
  temp.write("wallet.json", config(R"({"chain_name":"x","chain_id":")" + kChainId +
                                   R"(","rpc_urls":[],"dev":"yes"})"));
  CHECK(load_profile(temp.home(), "").error().message.find("profiles.local.dev") !=
        std::string::npos);
  temp.write("wallet.json", "{");
  CHECK(load_profile(temp.home(), "").error().exit == ExitCode::configuration);
  temp.write("wallet.json", config("{}"));
  CHECK(load_profile(temp.home(), "elsewhere").error().message.find("'elsewhere'") !=
        std::string::npos);
}

TEST_CASE("an unknown key is refused by its name, with the one that was meant") {
  const test::TempHome temp;
  const auto message = [&temp](const std::string& text) {
    temp.write("wallet.json", text);
    const auto profile = load_profile(temp.home(), "");
    REQUIRE_FALSE(profile.has_value());
    CHECK(profile.error().exit == ExitCode::configuration);
    return profile.error().message;
  };
  CHECK_THAT(message(R"({"profile":"local","profles":{}})"),
             Catch::Contains("wallet.json.profles: unknown field (did you mean 'profiles'?)"));
  CHECK_THAT(message(config(R"({"chain_name":"x","chain_id":")" + kChainId +
                            R"(","rpc_url":[],"dev":true})")),
             Catch::Contains("profiles.local.rpc_url: unknown field (did you mean 'rpc_urls'?)"));
}

}  // namespace quorate::wallet
