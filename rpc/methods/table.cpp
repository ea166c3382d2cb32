#include "rpc/methods/method.hpp"

namespace quorate::rpc {

const std::vector<Method>& method_table() {
  static const std::vector<Method> kTable = [] {
    std::vector<Method> all;
    for (auto part : {chain_methods(), subscription_methods(), account_methods(), tx_methods(),
                      consensus_methods(), node_methods()}) {
      std::move(part.begin(), part.end(), std::back_inserter(all));
    }
    return all;
  }();
  return kTable;
}

const Method* find_method(std::string_view name) {
  static const std::map<std::string_view, const Method*> kByName = [] {
    std::map<std::string_view, const Method*> out;
    for (const Method& method : method_table()) out.emplace(method.name, &method);
    return out;
  }();
  const auto at = kByName.find(name);
  return at == kByName.end() ? nullptr : at->second;
}

MethodError not_by_this_engine(const Context& context, const char* what, const char* hint) {
  return make_error(Code::not_supported,
                    "the engine of this chain (" + context.backend.genesis().consensus.engine +
                        ") makes no " + what,
                    hint);
}

MethodResult<void> demand_proofs(const Context& context) {
  if (context.backend.engine().proved_by != consensus::ProvedBy::none) return {};
  return tl::unexpected(not_by_this_engine(context, "proofs of its blocks for clients",
                                           "ask several nodes and compare their blocks"));
}

}  // namespace quorate::rpc
