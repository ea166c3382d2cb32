#include "node/runtime/validator_state.hpp"

#include <charconv>

#include "crypto/secure_file.hpp"

namespace quorate::node {

namespace {

constexpr std::string_view kBeforeKey = R"({"version":1,"validator_key":")";
constexpr std::string_view kBeforeUuid = R"(","db_uuid":")";
constexpr std::string_view kBeforeIndex = R"(","last_index":)";
constexpr std::string_view kEnd = "}\n";

// Takes `prefix` and then `size` characters from the front of `text`; empty when they are not
// there.
std::string_view take(std::string_view& text, std::string_view prefix, std::size_t size) {
  if (!text.starts_with(prefix) || text.size() < prefix.size() + size) return {};
  const std::string_view out = text.substr(prefix.size(), size);
  text.remove_prefix(prefix.size() + size);
  return out;
}

}  // namespace

std::string to_text(const ValidatorState& state) {
  std::string out(kBeforeKey);
  out += to_0x(state.validator_key);
  out += kBeforeUuid;
  out += to_0x(state.db_uuid);
  out += kBeforeIndex;
  out += std::to_string(state.last_index);
  out += kEnd;
  return out;
}

Result<ValidatorState> parse_validator_state(std::string_view text) {
  std::string_view rest = text;
  const auto key = PublicKey::from_hex(take(rest, kBeforeKey, 2 + 2 * PublicKey::kSize));
  const auto uuid = DbUuid::from_hex(take(rest, kBeforeUuid, 2 + 2 * DbUuid::kSize));
  ValidatorState out;
  if (key && uuid && rest.starts_with(kBeforeIndex)) {
    out.validator_key = *key;
    out.db_uuid = *uuid;
    rest.remove_prefix(kBeforeIndex.size());
    std::from_chars(rest.data(), rest.data() + rest.size(), out.last_index);
    // There is one way to write it, which also settles what from_chars left over.
    if (to_text(out) == text) return out;
  }
  return fail(Errc::corrupt, "it is not of the form that quorate-node writes");
}

Result<std::optional<ValidatorState>> read_validator_state(const std::filesystem::path& path) {
  const auto bytes = crypto::read_private_file(path);
  if (!bytes) {
    if (bytes.error().code == Errc::not_found) return std::nullopt;
    return tl::unexpected(bytes.error());
  }
  QUORATE_TRY(const ValidatorState state,
              parse_validator_state({reinterpret_cast<const char*>(bytes->data()), bytes->size()}));
  return std::optional<ValidatorState>(state);
}

Result<void> write_validator_state(const std::filesystem::path& path, const ValidatorState& state) {
  return crypto::replace_private_file(path, as_bytes(to_text(state)));
}

}  // namespace quorate::node
