#include "rpc/methods/openrpc.hpp"

#include "rpc/methods/method.hpp"

namespace quorate::rpc {

namespace {

// An example works on any chain when it has no placeholder to fill in.
Json examples_of(const Method& method) {
  if (method.example.find('$') != std::string_view::npos) return Json::array();
  Json params = Json::array();
  const Json values = Json::parse(method.example);
  for (const auto& [name, value] : values.items()) {
    params.push_back({{"name", name}, {"value", value}});
  }
  return Json::array({{{"name", "example"}, {"params", std::move(params)}}});
}

Json method_json(const Method& method) {
  Json params = Json::array();
  for (const ParamSpec& spec : method.params) {
    params.push_back({{"name", spec.name},
                      {"summary", spec.summary},
                      {"required", spec.required},
                      {"schema", schema_of(spec.kind)}});
  }
  Json out = {
      {"name", method.name},
      {"summary", method.summary},
      {"paramStructure", "either"},
      {"params", std::move(params)},
      {"result", {{"name", "result"}, {"description", method.result}, {"schema", Json::object()}}}};
  if (Json examples = examples_of(method); !examples.empty()) {
    out["examples"] = std::move(examples);
  }
  return out;
}

}  // namespace

Json openrpc_document(const std::string& version) {
  Json methods = Json::array();
  for (const Method& method : method_table()) methods.push_back(method_json(method));
  Json errors = Json::object();
  for (const auto& [code, meaning] : all_codes()) {
    const std::string reason = make_error(code, "").data["reason"];
    errors[reason] = {{"code", static_cast<int>(code)}, {"message", meaning}};
  }
  return {{"openrpc", "1.2.6"},
          {"info", {{"title", "Quorate node"}, {"version", version}}},
          {"methods", std::move(methods)},
          {"components", {{"errors", std::move(errors)}}}};
}

}  // namespace quorate::rpc
