#include "rpc/json/fields.hpp"

#include <charconv>

#include "crypto/base/nearest.hpp"

namespace quorate::rpc {

namespace {

// What was found instead, short enough for an error line.
std::string found(const Json& value) {
  if (value.is_object() || value.is_array()) return value.type_name();
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > 80) text.replace(77, std::string::npos, "...");
  return text;
}

tl::unexpected<Error> wrong(const std::string& path, const std::string& expected,
                            const Json& value) {
  return fail(Errc::bad_encoding, path + ": expected " + expected + ", got " + found(value));
}

// Digits only, no sign, no leading zero, within 64 bits.
bool parse_decimal(const std::string& text, std::uint64_t& out) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && stopped == end;
}

}  // namespace

Json integer_json(std::uint64_t value) {
  if (value > kJsonIntegerMax) return std::to_string(value);
  return value;
}

Json amount_json(std::uint64_t value) { return std::to_string(value); }

Result<std::uint64_t> read_integer(const Json& value, const std::string& path, std::uint64_t max) {
  std::uint64_t out = 0;
  // A value built in a program may be a signed integer; one that was parsed is unsigned if >= 0.
  if (value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0)) {
    out = value.get<std::uint64_t>();
    if (out > kJsonIntegerMax) return wrong(path, "an integer of at most 2^53-1", value);
  } else if (!value.is_string() || !parse_decimal(value.get_ref<const std::string&>(), out) ||
             out <= kJsonIntegerMax) {
    // Only what does not fit a JSON number travels as a string: one value, one form.
    return wrong(path, "a non-negative integer", value);
  }
  if (out > max) return wrong(path, "at most " + std::to_string(max), value);
  return out;
}

Result<std::uint64_t> read_amount(const Json& value, const std::string& path) {
  std::uint64_t out = 0;
  if (!value.is_string() || !parse_decimal(value.get_ref<const std::string&>(), out)) {
    return wrong(path, "an amount as a decimal string, like \"1000\"", value);
  }
  return out;
}

Result<std::string> read_text(const Json& value, const std::string& path) {
  if (!value.is_string()) return wrong(path, "a string", value);
  return value.get_ref<const std::string&>();
}

Result<Bytes> read_bytes(const Json& value, const std::string& path) {
  if (!value.is_string()) return wrong(path, "bytes as a 0x-hex string", value);
  const std::string& text = value.get_ref<const std::string&>();
  if (text.size() < 2 || text[0] != '0' || text[1] != 'x') {
    return wrong(path, "bytes as a 0x-hex string", value);
  }
  auto bytes = from_hex(text);
  if (!bytes) return fail(Errc::bad_encoding, path + ": " + bytes.error().detail);
  return bytes;
}

Result<crypto::Address> read_address(const Json& value, const std::string& path) {
  QUORATE_TRY(const std::string text, read_text(value, path));
  auto address = crypto::parse_address(text);
  if (!address) return fail(Errc::bad_encoding, path + ": " + address.error().detail);
  return address;
}

Result<Fields> Fields::of(const Json& json, std::string path) {
  if (!json.is_object()) return wrong(path, "an object", json);
  return Fields(json, std::move(path));
}

Result<void> Fields::only(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, value] : json_->items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::vector<std::string> candidates(known.begin(), known.end());
    std::string names;
    for (const std::string& name : candidates) names += (names.empty() ? "" : ", ") + name;
    const auto meant = suggestion(key, candidates);
    return fail(Errc::bad_encoding, path(key.c_str()) + ": unknown field" +
                                        (meant ? " (did you mean '" + *meant + "'?)" : "") +
                                        "; known here are " + names);
  }
  return {};
}

bool Fields::has(const char* name) const { return json_->contains(name); }

Result<const Json*> Fields::get(const char* name) const {
  const auto at = json_->find(name);
  if (at == json_->end()) return fail(Errc::bad_encoding, path(name) + ": missing");
  return &*at;
}

std::string Fields::path(const char* name) const {
  return path_.empty() ? std::string(name) : path_ + "." + name;
}

Result<std::uint64_t> Fields::integer(const char* name, std::uint64_t max) const {
  QUORATE_TRY(const Json* value, get(name));
  return read_integer(*value, path(name), max);
}

Result<std::uint64_t> Fields::amount(const char* name) const {
  QUORATE_TRY(const Json* value, get(name));
  return read_amount(*value, path(name));
}

Result<std::string> Fields::text(const char* name) const {
  QUORATE_TRY(const Json* value, get(name));
  return read_text(*value, path(name));
}

Result<crypto::Address> Fields::address(const char* name) const {
  QUORATE_TRY(const Json* value, get(name));
  return read_address(*value, path(name));
}

Result<const Json*> Fields::array(const char* name, std::size_t max) const {
  QUORATE_TRY(const Json* value, get(name));
  if (!value->is_array()) return wrong(path(name), "an array", *value);
  if (value->size() > max) {
    return fail(Errc::bad_encoding, path(name) + ": at most " + std::to_string(max) +
                                        " elements, got " + std::to_string(value->size()));
  }
  return value;
}

}  // namespace quorate::rpc
