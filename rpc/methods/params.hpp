// The parameters of one call, bound to a method's list of parameters. Binding refuses what is
// unknown, missing or too many; the accessors check type and range. Every error is -32602 naming
// the parameter. Used on one thread, while the call is being started.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rpc/methods/error.hpp"

namespace quorate::rpc {

// How many items a list returns: unasked, and at most.
inline constexpr std::uint64_t kListDefault = 20;
inline constexpr std::uint64_t kListMax = 100;

// What a parameter holds; each kind has one JSON schema and one accessor.
enum class ParamKind {
  block,         // a height, "latest", "certified" or a block hash
  height,        // a number
  digest,        // 32 bytes, 0x-hex
  address,       // bech32m
  transaction,   // signed canonical encoding, 0x-hex
  transactions,  // a list of those
  number,        // a non-negative integer
  share,         // a fraction from 0 to 1/2
  flag,          // true or false
  order,         // "asc" or "desc"
  topic,         // what to subscribe to
  subscription,  // an identifier chain_subscribe returned
  filter,        // an object of subscription options
};
Json schema_of(ParamKind kind);

struct ParamSpec {
  std::string_view name;
  ParamKind kind;
  bool required = false;
  std::string_view summary;
};

struct LatestBlock {};
struct CertifiedBlock {};
using BlockId = std::variant<LatestBlock, CertifiedBlock, Height, Digest>;

class Params {
 public:
  // `given` is an array (by position), an object (by name) or null (none).
  static MethodResult<Params> bind(const std::vector<ParamSpec>& specs, Json given);

  bool has(std::string_view name) const { return values_.contains(name); }
  // The value as it was given; null when it was left out.
  const Json& raw(std::string_view name) const;

  MethodResult<BlockId> block(std::string_view name) const;  // latest when left out
  MethodResult<std::uint64_t> number(std::string_view name, std::uint64_t fallback,
                                     std::uint64_t max) const;
  MethodResult<double> share(std::string_view name, double fallback) const;
  MethodResult<std::optional<Height>> height(std::string_view name) const;
  MethodResult<Digest> digest(std::string_view name) const;
  MethodResult<crypto::Address> address(std::string_view name) const;
  MethodResult<Bytes> bytes(std::string_view name) const;
  MethodResult<bool> flag(std::string_view name, bool fallback) const;
  MethodResult<std::string> text(std::string_view name) const;

 private:
  Json values_ = Json::object();
};

// An -32602 that names the parameter.
MethodError bad_param(std::string_view name, const std::string& problem);

}  // namespace quorate::rpc
