#include "node/config/genesis_file.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "node/config/endpoint.hpp"
#include "node/config/files.hpp"
#include "rpc/json/ledger_json.hpp"

namespace quorate::node {
namespace {

constexpr std::size_t kGenesisBytesMax = 64U << 20U;
constexpr std::string_view kEntryType = "quorate-validator-entry/1";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Orders names as people count: node2 before node10. Total: equal only for equal names.
bool natural_less(const std::string& a, const std::string& b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (!is_digit(a[i]) || !is_digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
      continue;
    }
    const auto number_end = [](const std::string& text, std::size_t at) {
      while (at < text.size() && is_digit(text[at])) ++at;
      return at;
    };
    const std::size_t i_end = number_end(a, i);
    const std::size_t j_end = number_end(b, j);
    if (i_end - i != j_end - j) return i_end - i < j_end - j;
    const int order = a.compare(i, i_end - i, b, j, j_end - j);
    if (order != 0) return order < 0;
    i = i_end;
    j = j_end;
  }
  return a.size() - i < b.size() - j;
}

bool read_number(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

Result<std::string> text_member(const rpc::Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) {
    return fail(Errc::bad_encoding,
                "validator entry: there is no text '" + std::string(name) + "'");
  }
  return found->get<std::string>();
}

Result<PublicKey> key_member(const rpc::Json& json, const char* name) {
  QUORATE_TRY(const std::string text, text_member(json, name));
  auto key = PublicKey::from_hex(text);
  if (!key) {
    return fail(Errc::bad_encoding,
                "validator entry: '" + std::string(name) + "': " + key.error().detail);
  }
  return *key;
}

}  // namespace

Result<ledger::Genesis> read_genesis_file(const std::filesystem::path& path) {
  QUORATE_TRY(const std::string text, read_text_file(path, kGenesisBytesMax));
  auto json = rpc::parse_json(text);
  auto genesis = json ? rpc::genesis_from_json(*json) : tl::unexpected(json.error());
  if (!genesis) return fail(genesis.error().code, path.string() + ": " + genesis.error().detail);
  return genesis;
}

std::string genesis_text(const ledger::Genesis& genesis) {
  return rpc::to_json(genesis).dump(2) + "\n";
}

Result<void> write_genesis_file(const std::filesystem::path& path, const ledger::Genesis& genesis) {
  return write_new_file(path, genesis_text(genesis), 0644);
}

std::string validator_entry_text(const ValidatorEntry& entry) {
  nlohmann::ordered_json json;
  json["type"] = kEntryType;
  json["name"] = entry.validator.name;
  json["validator_key"] = to_0x(entry.validator.validator_key);
  json["node_key"] = to_0x(entry.validator.node_key);
  json["p2p"] = entry.validator.p2p;
  json["created"] = rpc::rfc3339(entry.created);
  json["created_ms"] = entry.created.value();
  return json.dump(2) + "\n";
}

Result<ValidatorEntry> parse_validator_entry(std::string_view text) {
  QUORATE_TRY(const rpc::Json json, rpc::parse_json(text));
  if (!json.is_object()) return fail(Errc::bad_encoding, "validator entry: not a JSON object");
  QUORATE_TRY(const std::string type, text_member(json, "type"));
  if (type != kEntryType) {
    return fail(Errc::bad_encoding, "validator entry: the type is '" + type + "' instead of '" +
                                        std::string(kEntryType) + "'");
  }
  ValidatorEntry out;
  QUORATE_TRY(out.validator.name, text_member(json, "name"));
  QUORATE_TRY(out.validator.validator_key, key_member(json, "validator_key"));
  QUORATE_TRY(out.validator.node_key, key_member(json, "node_key"));
  QUORATE_TRY(out.validator.p2p, text_member(json, "p2p"));
  if (auto endpoint = parse_endpoint(out.validator.p2p); !endpoint) {
    return fail(Errc::bad_encoding, "validator entry: 'p2p': " + endpoint.error().detail);
  }
  const auto created = json.find("created_ms");
  if (created == json.end() || !created->is_number_unsigned()) {
    return fail(Errc::bad_encoding, "validator entry: there is no number 'created_ms'");
  }
  out.created = WallMs(created->get<std::uint64_t>());
  return out;
}

Result<ledger::Genesis> build_genesis(GenesisPlan plan, bool allow_no_bft) {
  ledger::Genesis out;
  out.chain_name = std::move(plan.chain_name);
  out.consensus = plan.consensus;
  out.accounts = std::move(plan.accounts);
  out.submit_any = plan.submitters.empty();
  out.submitters = std::move(plan.submitters);
  for (ValidatorEntry& entry : plan.entries) {
    out.genesis_time = std::max(out.genesis_time, entry.created);
    out.validators.push_back(std::move(entry.validator));
  }
  if (plan.time) out.genesis_time = *plan.time;
  std::sort(out.validators.begin(), out.validators.end(),
            [](const ledger::GenesisValidator& a, const ledger::GenesisValidator& b) {
              return natural_less(a.name, b.name);
            });
  std::sort(out.accounts.begin(), out.accounts.end(),
            [](const ledger::GenesisAccount& a, const ledger::GenesisAccount& b) {
              return a.address < b.address;
            });
  std::sort(out.submitters.begin(), out.submitters.end());
  QUORATE_CHECK(ledger::validate(out, allow_no_bft));
  return out;
}

Result<ledger::GenesisAccount> parse_genesis_account(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return fail(Errc::invalid_argument,
                "'" + std::string(text) + "' is not of the form " + "ADDRESS=BALANCE");
  }
  ledger::GenesisAccount out;
  auto address = crypto::parse_address(text.substr(0, equals));
  if (!address) return fail(Errc::invalid_argument, address.error().detail);
  out.address = *address;
  const std::string_view balance = text.substr(equals + 1);
  if (!read_number(balance, out.balance)) {
    return fail(Errc::invalid_argument,
                "'" + std::string(balance) + "' is not a balance from 0 to 2^64-1");
  }
  return out;
}

Result<std::map<std::string, std::uint64_t>> parse_engine_parameters(
    const std::vector<std::string>& texts) {
  std::map<std::string, std::uint64_t> out;
  for (const std::string& text : texts) {
    const std::size_t equals = std::min(text.find('='), text.size());
    const std::string name = text.substr(0, equals);
    std::uint64_t value = 0;
    if (name.empty() || equals == text.size() ||
        !read_number(std::string_view(text).substr(equals + 1), value)) {
      return fail(
          Errc::invalid_argument,
          "engine parameter '" + text + "' is not of the form NAME=VALUE with a whole number");
    }
    if (!out.emplace(name, value).second) {
      return fail(Errc::invalid_argument, "engine parameter '" + name + "' is given twice");
    }
  }
  return out;
}

}  // namespace quorate::node
