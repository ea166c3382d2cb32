#include "rpc/methods/params.hpp"

#include "rpc/json/fields.hpp"

namespace quorate::rpc {

namespace {

const Json kNull = nullptr;

std::string names_of(const std::vector<ParamSpec>& specs) {
  if (specs.empty()) return "this method takes none";
  std::string names = "known are ";
  for (const ParamSpec& spec : specs) {
    if (&spec != &specs.front()) names += ", ";
    names += spec.name;
  }
  return names;
}

MethodError in_param(std::string_view name, const Error& error) {
  MethodError out = make_error(Code::invalid_params, error.detail);
  out.data["parameter"] = name;
  return out;
}

Json text_schema(std::string_view pattern, std::string_view description) {
  return {{"type", "string"}, {"pattern", pattern}, {"description", description}};
}

Json height_schema() { return {{"type", "integer"}, {"minimum", 0}, {"maximum", kJsonIntegerMax}}; }

}  // namespace

Json schema_of(ParamKind kind) {
  const Json digest = text_schema("^0x[0-9a-fA-F]{64}$", "32 bytes");
  const Json transaction = text_schema("^0x([0-9a-fA-F]{2})*$", "a signed transaction");
  switch (kind) {
    case ParamKind::block:
      return {{"oneOf",
               {height_schema(), {{"type", "string"}, {"enum", {"latest", "certified"}}}, digest}}};
    case ParamKind::height: return height_schema();
    case ParamKind::digest: return digest;
    case ParamKind::address: return text_schema("^qrt1[02-9ac-hj-np-z]+$", "bech32m");
    case ParamKind::transaction: return transaction;
    case ParamKind::transactions: return {{"type", "array"}, {"items", transaction}};
    case ParamKind::number: return height_schema();
    case ParamKind::share: return {{"type", "number"}, {"minimum", 0}, {"maximum", 0.5}};
    case ParamKind::flag: return {{"type", "boolean"}};
    case ParamKind::order: return {{"type", "string"}, {"enum", {"asc", "desc"}}};
    case ParamKind::topic: return {{"type", "string"}, {"enum", {"newBlocks", "transactions"}}};
    case ParamKind::subscription: return {{"type", "string"}};
    case ParamKind::filter:
      return {{"type", "object"},
              {"properties",
               {{"address", schema_of(ParamKind::address)}, {"from_height", height_schema()}}},
              {"additionalProperties", false}};
  }
  return Json::object();
}

MethodError bad_param(std::string_view name, const std::string& problem) {
  MethodError error =
      make_error(Code::invalid_params, "parameter \"" + std::string(name) + "\": " + problem);
  error.data["parameter"] = name;
  return error;
}

MethodResult<Params> Params::bind(const std::vector<ParamSpec>& specs, Json given) {
  Params out;
  if (given.is_array()) {
    if (given.size() > specs.size()) {
      return tl::unexpected(make_error(Code::invalid_params,
                                       "at most " + std::to_string(specs.size()) +
                                           " parameters, got " + std::to_string(given.size()),
                                       names_of(specs)));
    }
    for (std::size_t i = 0; i < given.size(); ++i) {
      out.values_[std::string(specs[i].name)] = std::move(given[i]);
    }
  } else if (given.is_object()) {
    for (auto& [name, value] : given.get_ref<Json::object_t&>()) {
      const std::string& wanted = name;
      const bool known = std::any_of(specs.begin(), specs.end(),
                                     [&](const ParamSpec& spec) { return spec.name == wanted; });
      if (!known) {
        // A name comes from outside and may be as long as a request.
        MethodError error = bad_param(wanted.substr(0, 64), "unknown");
        error.data["hint"] = names_of(specs);
        return tl::unexpected(std::move(error));
      }
      out.values_[name] = std::move(value);
    }
  }
  // A null stands for "left out", so that callers by position can skip one.
  for (const ParamSpec& spec : specs) {
    const auto at = out.values_.find(spec.name);
    if (at != out.values_.end() && at->is_null()) out.values_.erase(at);
    if (spec.required && !out.has(spec.name))
      return tl::unexpected(bad_param(spec.name, "missing"));
  }
  return out;
}

const Json& Params::raw(std::string_view name) const {
  const auto at = values_.find(name);
  return at == values_.end() ? kNull : *at;
}

MethodResult<BlockId> Params::block(std::string_view name) const {
  const Json& value = raw(name);
  if (value.is_null()) return BlockId(LatestBlock{});
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    if (text == "latest") return BlockId(LatestBlock{});
    if (text == "certified") return BlockId(CertifiedBlock{});
    const auto hash = read_fixed<Digest>(value, std::string(name));
    if (hash) return BlockId(*hash);
  } else if (const auto height = read_integer(value, std::string(name)); height) {
    return BlockId(Height(*height));
  }
  return tl::unexpected(
      bad_param(name, "expected a height, \"latest\", \"certified\" or a block hash"));
}

MethodResult<std::uint64_t> Params::number(std::string_view name, std::uint64_t fallback,
                                           std::uint64_t max) const {
  if (!has(name)) return fallback;
  const auto value = read_integer(raw(name), std::string(name), max);
  if (!value) return tl::unexpected(in_param(name, value.error()));
  return *value;
}

MethodResult<double> Params::share(std::string_view name, double fallback) const {
  if (!has(name)) return fallback;
  const double value = raw(name).is_number() ? raw(name).get<double>() : -1;
  if (value >= 0 && value <= 0.5) return value;
  return tl::unexpected(
      bad_param(name, "expected a number from 0 to 0.5: half of the hash rate reverses anything"));
}

MethodResult<std::optional<Height>> Params::height(std::string_view name) const {
  if (!has(name)) return std::optional<Height>();
  const auto value = read_integer(raw(name), std::string(name));
  if (!value) return tl::unexpected(in_param(name, value.error()));
  return std::optional<Height>(Height(*value));
}

MethodResult<Digest> Params::digest(std::string_view name) const {
  const auto value = read_fixed<Digest>(raw(name), std::string(name));
  if (!value) return tl::unexpected(in_param(name, value.error()));
  return *value;
}

MethodResult<crypto::Address> Params::address(std::string_view name) const {
  const auto value = read_address(raw(name), std::string(name));
  if (!value) return tl::unexpected(in_param(name, value.error()));
  return *value;
}

MethodResult<Bytes> Params::bytes(std::string_view name) const {
  auto value = read_bytes(raw(name), std::string(name));
  if (!value) return tl::unexpected(in_param(name, value.error()));
  return std::move(*value);
}

MethodResult<bool> Params::flag(std::string_view name, bool fallback) const {
  if (!has(name)) return fallback;
  if (!raw(name).is_boolean()) return tl::unexpected(bad_param(name, "expected true or false"));
  return raw(name).get<bool>();
}

MethodResult<std::string> Params::text(std::string_view name) const {
  auto value = read_text(raw(name), std::string(name));
  if (!value) return tl::unexpected(in_param(name, value.error()));
  return std::move(*value);
}

}  // namespace quorate::rpc
