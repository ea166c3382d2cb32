#include "node/config/key_files.hpp"

#include <nlohmann/json.hpp>

#include "crypto/secure_file.hpp"
#include "rpc/json/ledger_json.hpp"

namespace quorate::node {
namespace {

constexpr std::string_view kNodeKeyType = "quorate-node-key/1";
constexpr std::string_view kValidatorKeyType = "quorate-validator-key/1";

tl::unexpected<Error> damaged(const std::filesystem::path& path, std::string_view why) {
  return fail(Errc::corrupt, path.string() + ": " + std::string(why));
}

template <class Key>
Result<void> write_key(const std::filesystem::path& path, std::string_view type, const Key& key) {
  std::string seed = to_hex(key.expose_seed());
  // Formatted by hand: a JSON value would leave unwiped copies of the seed behind.
  std::string text = "{\n  \"type\": \"" + std::string(type) + "\",\n  \"public_key\": \"" +
                     to_0x(key.public_key()) + "\",\n  \"secret_seed\": \"" + seed + "\"\n}\n";
  auto written = crypto::write_private_file(path.string(), as_bytes(text));
  crypto::wipe(text);
  crypto::wipe(seed);
  return written;
}

// Takes the text of a member out of the file; the caller wipes it when it is secret.
Result<std::string> member(const rpc::Json& json, const std::filesystem::path& path,
                           const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) {
    return damaged(path, "there is no text '" + std::string(name) + "'");
  }
  return found->get<std::string>();
}

template <class Key>
Result<Key> parse_key(const std::filesystem::path& path, std::string_view type,
                      const rpc::Json& json) {
  if (!json.is_object()) return damaged(path, "not a key file");
  QUORATE_TRY(const std::string found_type, member(json, path, "type"));
  if (found_type != type) {
    return damaged(path,
                   "holds a '" + found_type + "' where a '" + std::string(type) + "' belongs");
  }
  QUORATE_TRY(const std::string public_text, member(json, path, "public_key"));
  QUORATE_TRY(std::string seed_text, member(json, path, "secret_seed"));
  auto seed_bytes = from_hex(seed_text);
  crypto::wipe(seed_text);
  if (!seed_bytes) return damaged(path, "secret_seed is not hexadecimal");
  auto seed = crypto::SecretSeed::from(*seed_bytes);
  crypto::wipe(*seed_bytes);
  if (!seed) return damaged(path, "secret_seed: " + seed.error().detail);
  Key key(std::move(*seed));
  if (to_0x(key.public_key()) != public_text) {
    return damaged(path, "public_key does not belong to secret_seed");
  }
  return key;
}

template <class Key>
Result<Key> read_key(const std::filesystem::path& path, std::string_view type) {
  QUORATE_TRY(Bytes bytes, crypto::read_private_file(path.string()));
  std::string text(bytes.begin(), bytes.end());
  crypto::wipe(bytes);
  auto json = rpc::parse_json(text);
  crypto::wipe(text);
  if (!json) return damaged(path, json.error().detail);
  auto key = parse_key<Key>(path, type, *json);
  if (json->is_object() && json->contains("secret_seed") && (*json)["secret_seed"].is_string()) {
    crypto::wipe((*json)["secret_seed"].get_ref<std::string&>());
  }
  return key;
}

}  // namespace

Result<void> write_node_key(const std::filesystem::path& path, const crypto::NodeKey& key) {
  return write_key(path, kNodeKeyType, key);
}

Result<void> write_validator_key(const std::filesystem::path& path,
                                 const crypto::ValidatorKey& key) {
  return write_key(path, kValidatorKeyType, key);
}

Result<crypto::NodeKey> read_node_key(const std::filesystem::path& path) {
  return read_key<crypto::NodeKey>(path, kNodeKeyType);
}

Result<crypto::ValidatorKey> read_validator_key(const std::filesystem::path& path) {
  return read_key<crypto::ValidatorKey>(path, kValidatorKeyType);
}

}  // namespace quorate::node
