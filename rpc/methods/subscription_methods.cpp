// chain_subscribe and chain_unsubscribe: over WebSocket only.
#include "rpc/json/fields.hpp"
#include "rpc/methods/method.hpp"

namespace quorate::rpc {

namespace {

MethodError needs_websocket() {
  return make_error(Code::not_supported, "subscriptions need a WebSocket connection",
                    "connect to /ws on this address");
}

MethodResult<SubscriptionRequest> read_request(const Params& params) {
  SubscriptionRequest request;
  QUORATE_TRY(const std::string topic, params.text("topic"));
  if (topic == "transactions") {
    request.topic = Topic::transactions;
  } else if (topic != "newBlocks") {
    return tl::unexpected(bad_param("topic", "expected \"newBlocks\" or \"transactions\""));
  }
  if (!params.has("options")) return request;
  static const std::vector<ParamSpec> kOptions = {{"address", ParamKind::address, false, ""},
                                                  {"from_height", ParamKind::height, false, ""}};
  if (!params.raw("options").is_object()) {
    return tl::unexpected(bad_param("options", "expected an object"));
  }
  QUORATE_TRY(const Params options, Params::bind(kOptions, params.raw("options")));
  if (options.has("address")) {
    if (request.topic != Topic::transactions) {
      return tl::unexpected(bad_param("options.address", "only \"transactions\" has this filter"));
    }
    QUORATE_TRY(request.address, options.address("address"));
  }
  QUORATE_TRY(request.from_height, options.height("from_height"));
  return request;
}

MethodResult<Json> subscribe(const Params& params, const Context& context) {
  if (context.connection == nullptr) return tl::unexpected(needs_websocket());
  QUORATE_TRY(const SubscriptionRequest request, read_request(params));
  QUORATE_TRY(std::string id, context.connection->subscribe(request));
  return Json(std::move(id));
}

MethodResult<Json> unsubscribe(const Params& params, const Context& context) {
  if (context.connection == nullptr) return tl::unexpected(needs_websocket());
  QUORATE_TRY(const std::string id, params.text("subscription"));
  return Json(context.connection->unsubscribe(id));
}

}  // namespace

std::vector<Method> subscription_methods() {
  return {
      {"chain_subscribe",
       "Notifications about final blocks, over WebSocket. With from_height history comes first "
       "and then what is new, in order of height, without a gap or a duplicate. Under proof of "
       "work blocks can be withdrawn: then a notification with reversed comes, and those of the "
       "heavier branch follow.",
       {{"topic", ParamKind::topic, true, "\"newBlocks\" or \"transactions\""},
        {"options", ParamKind::filter, false,
         "from_height: replay from here; address (transactions only): sent or received by it"}},
       "the subscription's identifier",
       R"({"topic": "newBlocks", "options": {"from_height": 1}})",
       answer_now(subscribe)},
      {"chain_unsubscribe",
       "Ends a subscription.",
       {{"subscription", ParamKind::subscription, true, "what chain_subscribe returned"}},
       "true, or false when there was no such subscription on this connection",
       R"({"subscription": "0x1"})",
       answer_now(unsubscribe)},
  };
}

}  // namespace quorate::rpc
