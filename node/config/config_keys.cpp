#include "node/config/config_keys.hpp"

#include <charconv>

#include "crypto/base/nearest.hpp"
#include "node/config/endpoint.hpp"
#include "node/config/log_levels.hpp"

namespace quorate::node {
namespace {

Result<void> anything(const ConfigValue&) { return {}; }

template <std::uint64_t Min, std::uint64_t Max>
Result<void> between(const ConfigValue& value) {
  const auto number = std::get<std::uint64_t>(value);
  if (number >= Min && number <= Max) return {};
  return fail(Errc::invalid_argument, std::to_string(number) + " is not between " +
                                          std::to_string(Min) + " and " + std::to_string(Max));
}

Result<void> is_endpoint(const ConfigValue& value) {
  QUORATE_CHECK(parse_endpoint(std::get<std::string>(value)));
  return {};
}

Result<void> are_peers(const ConfigValue& value) {
  for (const std::string& peer : std::get<std::vector<std::string>>(value)) {
    const std::size_t equals = peer.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Errc::invalid_argument, "'" + peer + "' is not of the form name=host:port");
    }
    QUORATE_CHECK(parse_endpoint(std::string_view(peer).substr(equals + 1)));
  }
  return {};
}

Result<void> is_log_level(const ConfigValue& value) {
  QUORATE_CHECK(parse_log_levels(std::get<std::string>(value)));
  return {};
}

Result<void> is_log_format(const ConfigValue& value) {
  const auto& text = std::get<std::string>(value);
  if (text == "auto" || text == "plain" || text == "json") return {};
  return fail(Errc::invalid_argument, "'" + text + "' is not one of auto, plain, json");
}

template <class T>
ConfigKey key(std::string_view name, std::string_view help, T& (*accessor)(NodeConfig&),
              ConfigKey::Check check) {
  return ConfigKey{name, help, accessor, check};
}

using Text = std::string;
using Texts = std::vector<std::string>;
using Number = std::uint64_t;

std::vector<ConfigKey> make_keys() {
  using C = NodeConfig;
  return {
      key<Text>(
          "rpc.listen", "Address of JSON-RPC, WebSocket, health and metrics.",
          [](C& c) -> Text& { return c.rpc.listen; }, is_endpoint),
      key<Texts>(
          "rpc.allowed_hosts",
          "Host names that requests may carry, besides localhost and the listen address; "
          "\"*\" allows all.",
          [](C& c) -> Texts& { return c.rpc.allowed_hosts; }, anything),
      key<Number>(
          "rpc.requests_per_second",
          "Per remote address; 0 = no limit, the default on local- and dev- chains.",
          [](C& c) -> Number& { return c.rpc.requests_per_second; }, between<0, 1'000'000>),
      key<Number>(
          "rpc.connections_max", "Open connections per remote address; 0 = no limit.",
          [](C& c) -> Number& { return c.rpc.connections_max; }, between<0, 1'000'000>),
      key<Text>(
          "p2p.listen", "Address on which other validators connect.",
          [](C& c) -> Text& { return c.p2p.listen; }, is_endpoint),
      key<Texts>(
          "p2p.peers",
          "Where a validator is reached when not at the genesis's address: "
          "\"name=host:port\".",
          [](C& c) -> Texts& { return c.p2p.peers; }, are_peers),
      key<Text>(
          "log.level",
          "trace, debug, info, warn, error or off; single parts as in "
          "\"info,consensus=debug\".",
          [](C& c) -> Text& { return c.log.level; }, is_log_level),
      key<Text>(
          "log.format", "plain, json, or auto: json into a pipe, else plain.",
          [](C& c) -> Text& { return c.log.format; }, is_log_format),
      key<Number>(
          "mempool.transactions_max", "Transactions that may wait at this node.",
          [](C& c) -> Number& { return c.mempool.transactions_max; }, between<1, 100'000'000>),
      key<Number>(
          "mempool.bytes_max", "Bytes that may wait at this node.",
          [](C& c) -> Number& { return c.mempool.bytes_max; }, between<16'384, 68'719'476'736>),
      key<Number>(
          "mempool.per_account_max",
          "Transactions of one account that may wait; also the widest nonce gap kept.",
          [](C& c) -> Number& { return c.mempool.per_account_max; }, between<1, 1'000'000>),
      key<Number>(
          "mempool.lifetime_seconds", "How long a transaction may wait.",
          [](C& c) -> Number& { return c.mempool.lifetime_seconds; }, between<1, 31'536'000>),
      key<Number>(
          "consensus.batch_delay_ms",
          "How long the primary waits for more transactions before it proposes.",
          [](C& c) -> Number& { return c.consensus.batch_delay_ms; }, between<0, 10'000>),
      key<bool>(
          "consensus.observer", "Follow and verify the chain without ever voting.",
          [](C& c) -> bool& { return c.consensus.observer; }, anything),
      key<bool>(
          "mining.enabled", "Look for blocks, on a chain that is ordered by proof of work.",
          [](C& c) -> bool& { return c.mining.enabled; }, anything),
      key<Number>(
          "mining.threads", "Threads that look for blocks.",
          [](C& c) -> Number& { return c.mining.threads; }, between<1, 256>),
      key<Number>(
          "mining.duty_percent", "How much of one processor each of them uses; it sleeps the rest.",
          [](C& c) -> Number& { return c.mining.duty_percent; }, between<1, 100>),
      key<Number>(
          "mining.instant_ms",
          "For tests, where the easiest target is trivial: look only while transactions wait, "
          "after "
          "a random wait of this mean; 0 = off.",
          [](C& c) -> Number& { return c.mining.instant_ms; }, between<0, 600'000>),
      key<Number>(
          "verify.threads", "Threads that check signatures; 0 = by the number of processors.",
          [](C& c) -> Number& { return c.verify.threads; }, between<0, 256>),
  };
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4U];
      out += kDigits[static_cast<unsigned char>(c) & 15U];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

Texts split_list(std::string_view text) {
  Texts out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) out.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

}  // namespace

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = make_keys();
  return keys;
}

const ConfigKey* find_config_key(std::string_view name) {
  for (const ConfigKey& candidate : config_keys()) {
    if (candidate.name == name) return &candidate;
  }
  return nullptr;
}

std::string unknown_key_message(std::string_view name) {
  std::vector<std::string> names;
  for (const ConfigKey& candidate : config_keys()) names.emplace_back(candidate.name);
  // A key in the wrong table ("listen" at the top) is nearest to its last part.
  std::string best = nearest(name, names).value_or("");
  for (const std::string& candidate : names) {
    if (candidate.substr(candidate.find('.') + 1) == name) best = candidate;
  }
  return "unknown key '" + std::string(name) + "'; did you mean '" + best + "'?";
}

ConfigValue ConfigKey::get(const NodeConfig& config) const {
  NodeConfig copy = config;
  return std::visit([&copy](auto access) -> ConfigValue { return access(copy); }, accessor);
}

Result<void> ConfigKey::set(NodeConfig& config, const ConfigValue& value) const {
  if (value.index() != accessor.index()) {
    return fail(Errc::invalid_argument, "expected " + std::string(type_name()));
  }
  QUORATE_CHECK(check(value));
  std::visit(
      [&](auto access) {
        auto& target = access(config);
        target = std::get<std::remove_reference_t<decltype(target)>>(value);
      },
      accessor);
  return {};
}

Result<ConfigValue> ConfigKey::parse_text(std::string_view text) const {
  if (std::holds_alternative<bool& (*)(NodeConfig&)>(accessor)) {
    if (text == "true" || text == "1") return ConfigValue(true);
    if (text == "false" || text == "0") return ConfigValue(false);
    return fail(Errc::invalid_argument, "expected true or false, got '" + std::string(text) + "'");
  }
  if (std::holds_alternative<Number& (*)(NodeConfig&)>(accessor)) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
      return fail(Errc::invalid_argument,
                  "expected a whole number, got '" + std::string(text) + "'");
    }
    return ConfigValue(number);
  }
  if (std::holds_alternative<Text& (*)(NodeConfig&)>(accessor)) return ConfigValue(Text(text));
  return ConfigValue(split_list(text));
}

std::string_view ConfigKey::type_name() const {
  static constexpr std::array<std::string_view, 4> kNames = {
      "true or false", "a whole number", "a text in quotes", "a list of texts in quotes"};
  return kNames[accessor.index()];
}

std::string to_toml(const ConfigValue& value) {
  struct Print {
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(Number number) const { return std::to_string(number); }
    std::string operator()(const Text& text) const { return quote(text); }
    std::string operator()(const Texts& texts) const {
      std::string out = "[";
      for (const Text& text : texts) out += (out.size() > 1 ? ", " : "") + quote(text);
      return out + "]";
    }
  };
  return std::visit(Print{}, value);
}

std::string environment_name(std::string_view key) {
  std::string out = "QUORATE_";
  for (const char c : key) {
    if (c == '.') {
      out += "__";
    } else {
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return out;
}

}  // namespace quorate::node
