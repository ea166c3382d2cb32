#include <catch2/catch.hpp>

#include "crypto/base/nearest.hpp"
#include "node/config/config_keys.hpp"
#include "node/config/endpoint.hpp"
#include "node/config/log_levels.hpp"
#include "node/config/node_config.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace quorate;
using namespace quorate::node;

namespace {

const Setting& setting(const LoadedConfig& config, const std::string& key) {
  for (const Setting& candidate : config.settings) {
    if (candidate.key == key) return candidate;
  }
  FAIL("no key " << key);
  return config.settings.front();
}

std::string error_of(const TemporaryFolder& folder, const std::string& text) {
  folder.write("config.toml", text);
  const auto config = load_config(folder / "config.toml", {}, {});
  REQUIRE_FALSE(config);
  CHECK(config.error().code == Errc::invalid_argument);
  return config.error().detail;
}

}  // namespace

TEST_CASE("the generated configuration holds every key, commented, and changes nothing") {
  const TemporaryFolder folder;
  const auto text = render_config({});
  REQUIRE(text);
  for (const ConfigKey& key : config_keys()) {
    const std::string name(key.name.substr(key.name.find('.') + 1));
    CHECK(text->find("\n#" + name + " = ") != std::string::npos);
  }
  folder.write("config.toml", *text);
  const auto config = load_config(folder / "config.toml", {}, {});
  REQUIRE(config);
  for (const Setting& each : config->settings) CHECK(each.origin == Origin::by_default);
}

TEST_CASE("every default, uncommented, is accepted and keeps its value") {
  const TemporaryFolder folder;
  std::string text;
  for (const ConfigKey& key : config_keys()) {
    text += std::string(key.name) + " = " + to_toml(key.get(NodeConfig{})) + "\n";
  }
  folder.write("config.toml", text);
  const auto config = load_config(folder / "config.toml", {}, {});
  REQUIRE(config);
  for (const ConfigKey& key : config_keys()) {
    CHECK(key.get(config->values) == key.get(NodeConfig{}));
    CHECK(setting(*config, std::string(key.name)).origin == Origin::file);
  }
}

TEST_CASE(
    "a flag wins over the environment, which wins over the file, which wins over the default") {
  const TemporaryFolder folder;
  folder.write("config.toml",
               "[rpc]\nlisten = \"127.0.0.1:1\"\nconnections_max = 7\n"
               "[log]\nlevel = \"warn\"\n");
  const Environment environment = {{"QUORATE_RPC__LISTEN", "127.0.0.1:2"},
                                   {"QUORATE_LOG__LEVEL", "error"},
                                   {"QUORATE_HOME", "/nowhere"},
                                   {"UNRELATED", "x"}};
  const auto config = load_config(folder / "config.toml", environment,
                                  {{"rpc.listen", "127.0.0.1:3", "--rpc-listen"}});
  REQUIRE(config);
  CHECK(config->values.rpc.listen == "127.0.0.1:3");
  CHECK(config->values.log.level == "error");
  CHECK(config->values.rpc.connections_max == 7);
  CHECK(config->values.p2p.listen == NodeConfig{}.p2p.listen);

  CHECK(setting(*config, "rpc.listen").origin == Origin::flag);
  CHECK(setting(*config, "rpc.listen").where == "--rpc-listen");
  CHECK(setting(*config, "rpc.listen").value == "\"127.0.0.1:3\"");
  CHECK(setting(*config, "log.level").where == "QUORATE_LOG__LEVEL");
  CHECK(setting(*config, "rpc.connections_max").where == "config.toml:3");
  CHECK(setting(*config, "p2p.listen").origin == Origin::by_default);
  CHECK(config->origin("rpc.connections_max") == Origin::file);
}

TEST_CASE("an unknown key is refused with line, column and the nearest key") {
  const TemporaryFolder folder;
  const std::string detail = error_of(folder, "[rpc]\n  lisen = \"127.0.0.1:1\"\n");
  CHECK(detail.find("config.toml:2:3: unknown key 'rpc.lisen'; did you mean 'rpc.listen'?") !=
        std::string::npos);
}

TEST_CASE("a key outside its table and an unknown table point to the key that was meant") {
  const TemporaryFolder folder;
  CHECK(error_of(folder, "batch_delay_ms = 5\n").find("'consensus.batch_delay_ms'?") !=
        std::string::npos);
  CHECK(error_of(folder, "[mempol]\nbytes_max = 5\n").find(":1:") != std::string::npos);
}

TEST_CASE("a value of the wrong type or out of range is refused where it stands") {
  const TemporaryFolder folder;
  CHECK(error_of(folder, "[rpc]\nconnections_max = \"many\"\n")
            .find("config.toml:2:19: key 'rpc.connections_max': expected a whole number") !=
        std::string::npos);
  CHECK(error_of(folder, "[mempool]\ntransactions_max = 0\n").find("not between 1 and") !=
        std::string::npos);
  CHECK(error_of(folder, "[mempool]\nbytes_max = -1\n").find("must not be negative") !=
        std::string::npos);
  CHECK(error_of(folder, "[p2p]\npeers = [1]\n").find("list of texts") != std::string::npos);
  CHECK(error_of(folder, "[p2p]\npeers = [\"node1\"]\n").find("name=host:port") !=
        std::string::npos);
  CHECK(error_of(folder, "[log]\nlevel = \"loud\"\n").find("'loud' is not a log level") !=
        std::string::npos);
  CHECK(error_of(folder, "[rpc]\nlisten = \"8645\"\n").find("the port is missing") !=
        std::string::npos);
  CHECK(error_of(folder, "[rpc\nlisten = 1\n").find("config.toml:1:") != std::string::npos);
}

TEST_CASE("a misspelt variable of ours is an error, not silence") {
  const TemporaryFolder folder;
  const auto config =
      load_config(folder / "config.toml", {{"QUORATE_RPC__LISEN", "127.0.0.1:1"}}, {});
  REQUIRE_FALSE(config);
  CHECK(config.error().detail.find("QUORATE_RPC__LISEN: unknown key 'rpc.lisen'; did you mean "
                                   "'rpc.listen'?") != std::string::npos);
}

TEST_CASE("settings given to render_config are written out and read back") {
  const TemporaryFolder folder;
  const auto text = render_config({{"rpc.listen", "127.0.0.1:18645", "test"},
                                   {"p2p.peers", "node1=127.0.0.1:2,node2=[::1]:3", "test"},
                                   {"consensus.observer", "true", "test"}});
  REQUIRE(text);
  folder.write("config.toml", *text);
  const auto config = load_config(folder / "config.toml", {}, {});
  REQUIRE(config);
  CHECK(config->values.rpc.listen == "127.0.0.1:18645");
  CHECK(config->values.p2p.peers == std::vector<std::string>{"node1=127.0.0.1:2", "node2=[::1]:3"});
  CHECK(config->values.consensus.observer);
  CHECK_FALSE(render_config({{"rpc.listn", "x", "test"}}));
}

TEST_CASE("endpoints need a host and a port, and brackets around IPv6") {
  CHECK(*parse_endpoint("127.0.0.1:8645") == Endpoint{"127.0.0.1", 8645});
  CHECK(*parse_endpoint("[::1]:1") == Endpoint{"::1", 1});
  CHECK(to_string(Endpoint{"::1", 1}) == "[::1]:1");
  CHECK(*parse_endpoint("node0.example.org:30645") == Endpoint{"node0.example.org", 30645});
  for (const char* bad : {"", "localhost", ":1", "a:65536", "a:-1", "a:1x", "::1:1", "a b:1",
                          "a:", "[]:1", "[zz]:1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_endpoint(bad));
  }
}

TEST_CASE("log levels apply to all parts or to single ones") {
  const auto levels = parse_log_levels("info,consensus=debug,p2p=off");
  REQUIRE(levels);
  CHECK(levels->of("node") == LogThreshold::info);
  CHECK(levels->of("consensus") == LogThreshold::debug);
  CHECK(levels->of("p2p") == LogThreshold::off);
  CHECK_FALSE(parse_log_levels("info,,warn"));
  CHECK_FALSE(parse_log_levels("consensus=verbose"));
}

TEST_CASE("a suggestion is made for a typo and not for another word") {
  CHECK(edit_distance("lisen", "listen") == 1);
  CHECK(edit_distance("rnu", "run") == 1);
  CHECK(suggestion("rnu", {"init", "run"}) == "run");
  CHECK_FALSE(suggestion("frobnicate", {"init", "run"}));
  CHECK(nearest("frobnicate", {"init"}) == "init");
}
