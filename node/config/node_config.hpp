// The settings of one node, from four layers: flag > environment (QUORATE_RPC__LISTEN) > file
// (config.toml) > default. One table of keys (config_keys.cpp) drives parsing, checking, printing,
// the generated file and the environment, so that a key is added in one place. An unknown key is
// an error with its place and the nearest key there is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/result.hpp"
#include "node/config/home.hpp"

namespace quorate::node {

struct NodeConfig {
  struct Rpc {
    std::string listen = "127.0.0.1:8645";
    std::vector<std::string> allowed_hosts;  // besides localhost and the listen address
    std::uint64_t requests_per_second = 200;
    std::uint64_t connections_max = 256;
  } rpc;
  struct P2p {
    std::string listen = "0.0.0.0:30645";
    std::vector<std::string> peers;  // "name=host:port", instead of the genesis's address
  } p2p;
  struct Log {
    std::string level = "info";
    std::string format = "auto";
  } log;
  struct MempoolSettings {
    std::uint64_t transactions_max = 100'000;
    std::uint64_t bytes_max = 64U << 20U;
    std::uint64_t per_account_max = 4'096;
    std::uint64_t lifetime_seconds = 600;
  } mempool;
  struct Consensus {
    std::uint64_t batch_delay_ms = 0;
    bool observer = false;
  } consensus;
  struct Mining {  // where the chain is ordered by work
    bool enabled = true;
    std::uint64_t threads = 1;
    std::uint64_t duty_percent = 100;
    std::uint64_t instant_ms = 0;  // 0 = off
  } mining;
  struct Verify {
    std::uint64_t threads = 0;  // 0 = by the number of processors
  } verify;
};

enum class Origin : std::uint8_t { by_default, file, environment, flag };
std::string_view to_string(Origin origin);

struct Setting {
  std::string key;    // "rpc.listen"
  std::string value;  // as config.toml would hold it
  Origin origin = Origin::by_default;
  std::string where;  // "config.toml:12", "QUORATE_RPC__LISTEN", "--rpc-listen"; empty by default
};

struct LoadedConfig {
  NodeConfig values;
  std::vector<Setting> settings;  // every key, in the order of the table

  Origin origin(std::string_view key) const;
};

// A value given as text on the command line or in the environment; lists are separated by commas.
struct TextSetting {
  std::string key;
  std::string text;
  std::string where;  // how to name it in messages: "--rpc-listen"
};

// A file that does not exist counts as empty. Errors: invalid_argument naming place and key.
Result<LoadedConfig> load_config(const std::filesystem::path& file, const Environment& environment,
                                 const std::vector<TextSetting>& flags);

// config.toml with every key commented at its default and `set` written out.
// Error invalid_argument for an unknown key or a bad value in `set`.
Result<std::string> render_config(const std::vector<TextSetting>& set);

}  // namespace quorate::node
