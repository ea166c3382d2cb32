// The texts that a node takes from people: validator entries, genesis accounts, addresses to listen
// on, log levels, and values of every configuration key. What is accepted must survive being
// written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/base/assert.hpp"
#include "node/config/config_keys.hpp"
#include "node/config/endpoint.hpp"
#include "node/config/genesis_file.hpp"
#include "node/config/log_levels.hpp"

using namespace quorate;
using namespace quorate::node;

namespace {

void check_entry(std::string_view text) {
  const auto entry = parse_validator_entry(text);
  if (!entry) return;
  const auto again = parse_validator_entry(validator_entry_text(*entry));
  QUORATE_ASSERT(again.has_value());
  QUORATE_ASSERT(again->validator == entry->validator && again->created == entry->created);
}

void check_settings(std::string_view text) {
  for (const ConfigKey& key : config_keys()) {
    const auto value = key.parse_text(text);
    NodeConfig config;
    if (value && key.set(config, *value)) QUORATE_ASSERT(key.get(config) == *value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_entry(text);
  check_settings(text);
  static_cast<void>(parse_genesis_account(text));
  static_cast<void>(parse_log_levels(text));
  if (const auto endpoint = parse_endpoint(text)) {
    const auto again = parse_endpoint(to_string(*endpoint));
    QUORATE_ASSERT(again.has_value() && *again == *endpoint);
  }
  return 0;
}
