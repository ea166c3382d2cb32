// Reading fields of a JSON object from outside: every reader checks type and range and, when it
// refuses, names the field by its whole path ("header.height: expected ..."). Pure functions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "crypto/address.hpp"
#include "crypto/base/bytes.hpp"
#include "rpc/json/ledger_json.hpp"

namespace quorate::rpc {

// The largest integer every JSON reader holds exactly.
inline constexpr std::uint64_t kJsonIntegerMax = (std::uint64_t{1} << 53U) - 1;

// A count as a JSON number, or as a decimal string above 2^53-1 (which only a hostile or absurd
// value reaches, and which must still not be shown wrong).
Json integer_json(std::uint64_t value);
// An amount: always a decimal string.
Json amount_json(std::uint64_t value);

// Errors of all readers: bad_encoding naming `path`.
Result<std::uint64_t> read_integer(const Json& value, const std::string& path,
                                   std::uint64_t max = UINT64_MAX);
Result<std::uint64_t> read_amount(const Json& value, const std::string& path);
Result<std::string> read_text(const Json& value, const std::string& path);
// Hex with the prefix "0x".
Result<Bytes> read_bytes(const Json& value, const std::string& path);
Result<crypto::Address> read_address(const Json& value, const std::string& path);
template <class Fixed>
Result<Fixed> read_fixed(const Json& value, const std::string& path) {
  QUORATE_TRY(const Bytes raw, read_bytes(value, path));
  auto fixed = Fixed::from(raw);
  if (!fixed) return fail(Errc::bad_encoding, path + ": " + fixed.error().detail);
  return *fixed;
}

// One object whose fields are read by name. Holds references: use it on the spot.
class Fields {
 public:
  // Error bad_encoding unless `json` is an object.
  static Result<Fields> of(const Json& json, std::string path);
  // Error bad_encoding naming the first key that is not in `known`, and what is known.
  Result<void> only(std::initializer_list<std::string_view> known) const;

  bool has(const char* name) const;
  // Error bad_encoding when the field is missing.
  Result<const Json*> get(const char* name) const;
  std::string path(const char* name) const;

  Result<std::uint64_t> integer(const char* name, std::uint64_t max = UINT64_MAX) const;
  Result<std::uint64_t> amount(const char* name) const;
  Result<std::string> text(const char* name) const;
  Result<crypto::Address> address(const char* name) const;
  // An array of at most `max` elements.
  Result<const Json*> array(const char* name, std::size_t max) const;
  template <class Strong>
  Result<Strong> integer_of(const char* name) const {
    QUORATE_TRY(const std::uint64_t value,
                integer(name, std::numeric_limits<typename Strong::rep>::max()));
    return Strong(static_cast<typename Strong::rep>(value));
  }
  template <class Fixed>
  Result<Fixed> fixed(const char* name) const {
    QUORATE_TRY(const Json* value, get(name));
    return read_fixed<Fixed>(*value, path(name));
  }

 private:
  Fields(const Json& json, std::string path) : json_(&json), path_(std::move(path)) {}
  const Json* json_;
  std::string path_;
};

}  // namespace quorate::rpc
