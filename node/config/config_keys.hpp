// The table of configuration keys. Internal to node/config.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crypto/base/result.hpp"
#include "node/config/node_config.hpp"

namespace quorate::node {

using ConfigValue = std::variant<bool, std::uint64_t, std::string, std::vector<std::string>>;

struct ConfigKey {
  // Where the value lives; the alternative is the type of the key.
  using Accessor =
      std::variant<bool& (*)(NodeConfig&), std::uint64_t& (*)(NodeConfig&),
                   std::string& (*)(NodeConfig&), std::vector<std::string>& (*)(NodeConfig&)>;
  using Check = Result<void> (*)(const ConfigValue&);

  std::string_view name;
  std::string_view help;  // one line, stands above the key in the generated file
  Accessor accessor;
  Check check;

  ConfigValue get(const NodeConfig& config) const;
  // Error invalid_argument: another type, or refused by the check. Does not name the key.
  Result<void> set(NodeConfig& config, const ConfigValue& value) const;
  // From a flag or an environment variable.
  Result<ConfigValue> parse_text(std::string_view text) const;
  std::string_view type_name() const;
};

const std::vector<ConfigKey>& config_keys();
const ConfigKey* find_config_key(std::string_view name);
// "unknown key 'rpc.lisen'; did you mean 'rpc.listen'?"
std::string unknown_key_message(std::string_view name);
// As TOML: "text", 12, true, ["a", "b"].
std::string to_toml(const ConfigValue& value);
// "rpc.listen" -> "QUORATE_RPC__LISTEN"
std::string environment_name(std::string_view key);

}  // namespace quorate::node
