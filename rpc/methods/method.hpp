// One entry of the method table. The same entry dispatches a call, checks its parameters and
// documents it (rpc.discover, docs/rpc.md), so that the three cannot disagree. To add a method: one
// entry in the *_methods.cpp of its namespace.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rpc/backend.hpp"
#include "rpc/methods/params.hpp"

namespace quorate::rpc {

enum class Topic { new_blocks, transactions };
struct SubscriptionRequest {
  Topic topic = Topic::new_blocks;
  std::optional<crypto::Address> address;  // transactions sent or received by it
  std::optional<Height> from_height;       // replay from here; otherwise only what comes
};

// The caller's connection, where it can carry notifications. Called during Handler only.
class Connection {
 public:
  virtual ~Connection() = default;
  // The subscription's identifier; error limit_exceeded. Notifications start after the reply.
  virtual MethodResult<std::string> subscribe(const SubscriptionRequest& request) = 0;
  // False when there is no such subscription.
  virtual bool unsubscribe(const std::string& id) = 0;
};

struct Context {
  Backend& backend;
  Connection* connection = nullptr;  // none over plain HTTP
};

// Called exactly once, on any thread.
using Done = std::function<void(MethodResult<Json>)>;
// Starts the call and returns at once; `params` and the connection are valid until it returns.
using Handler = std::function<void(const Params& params, const Context& context, Done done)>;

struct Method {
  std::string_view name;
  std::string_view summary;
  std::vector<ParamSpec> params;
  std::string_view result;   // what comes back, in a sentence
  std::string_view example;  // parameters by name, as JSON; works on any chain unless it has a "$"
  Handler handler;
};

// A handler that has its answer at once.
template <class Function>
Handler answer_now(Function function) {
  return [function](const Params& params, const Context& context, const Done& done) {
    done(function(params, context));
  };
}

// What this chain's engine does not have: -32004.
MethodError not_by_this_engine(const Context& context, const char* what, const char* hint);
// Error not_supported where nothing proves the blocks.
MethodResult<void> demand_proofs(const Context& context);

// The whole table, in the order in which it is documented.
const std::vector<Method>& method_table();
const Method* find_method(std::string_view name);

// The parts of the table, one per namespace.
std::vector<Method> chain_methods();
std::vector<Method> subscription_methods();
std::vector<Method> account_methods();
std::vector<Method> tx_methods();
std::vector<Method> consensus_methods();
std::vector<Method> node_methods();

}  // namespace quorate::rpc
