#include "rpc/methods/dispatcher.hpp"

#include <atomic>

namespace quorate::rpc {

namespace {

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string answer_text(const std::string& id, const MethodResult<Json>& result) {
  std::string out = R"({"jsonrpc":"2.0","id":)" + id;
  if (result) {
    out += R"(,"result":)" + dump(*result);
  } else {
    out += R"(,"error":)" + dump(error_json(result.error()));
  }
  out += '}';
  return out;
}

// The answers to one text. Whoever answers last sends them all.
class Answers {
 public:
  Answers(std::size_t count, bool batch, Dispatcher::Reply reply)
      : texts_(count), missing_(count), batch_(batch), reply_(std::move(reply)) {}

  // An empty text for a notification. Once per place.
  void put(std::size_t place, std::string text) {
    bytes_.fetch_add(text.size(), std::memory_order_relaxed);
    texts_[place] = std::move(text);
    if (missing_.fetch_sub(1, std::memory_order_acq_rel) == 1) reply_(join());
  }

  bool too_large() const { return bytes_.load(std::memory_order_relaxed) > kBatchReplyBytesMax; }

 private:
  std::string join() {
    if (!batch_) return std::move(texts_.front());
    std::string out;
    out.reserve(bytes_.load(std::memory_order_relaxed) + texts_.size() + 2);
    for (const std::string& text : texts_) {
      if (text.empty()) continue;
      out += out.empty() ? '[' : ',';
      out += text;
    }
    if (!out.empty()) out += ']';
    return out;
  }

  std::vector<std::string> texts_;
  std::atomic<std::size_t> missing_;
  std::atomic<std::size_t> bytes_{0};
  bool batch_;
  Dispatcher::Reply reply_;
};

// One request, taken apart. `id` is the JSON text to repeat; empty for a notification.
struct Request {
  std::string id;
  std::string method;
  Json params;
};

struct BadRequest {
  std::string id;  // "null" where it could not be read
  MethodError error;
};

tl::expected<Request, BadRequest> read_request(Json& json) {
  const auto bad = [](std::string id, std::string problem) {
    return tl::unexpected(
        BadRequest{std::move(id), make_error(Code::invalid_request, std::move(problem))});
  };
  if (!json.is_object()) return bad("null", "a request is an object");
  Request request;
  if (const auto id = json.find("id"); id != json.end()) {
    if (!id->is_null() && !id->is_string() && !id->is_number()) {
      return bad("null", "id is a string, a number or null");
    }
    request.id = dump(*id);
  }
  const std::string answer_id = request.id.empty() ? "null" : request.id;
  const auto version = json.find("jsonrpc");
  if (version == json.end() || *version != "2.0") {
    return bad(answer_id, R"(a request has "jsonrpc": "2.0")");
  }
  const auto method = json.find("method");
  if (method == json.end() || !method->is_string()) {
    return bad(answer_id, "a request has a method, a string");
  }
  request.method = std::move(method->get_ref<std::string&>());
  if (const auto params = json.find("params"); params != json.end()) {
    if (!params->is_structured()) return bad(answer_id, "params is an array or an object");
    request.params = std::move(*params);
  }
  return request;
}

MethodError unknown_method(const std::string& name) {
  return make_error(Code::method_not_found, "there is no method \"" + name.substr(0, 64) + "\"",
                    "rpc.discover lists the methods");
}

MethodError batch_too_large() {
  return make_error(Code::limit_exceeded,
                    "not run: the answers of this batch exceed " +
                        std::to_string(kBatchReplyBytesMax >> 20U) + " MiB already",
                    "send fewer requests per batch");
}

// Starts one call; `done` gets its result.
void start_call(Request& request, const Context& context, const Done& done) {
  const Method* method = find_method(request.method);
  if (method == nullptr) return done(tl::unexpected(unknown_method(request.method)));
  auto params = Params::bind(method->params, std::move(request.params));
  if (!params) return done(tl::unexpected(params.error()));
  method->handler(*params, context, done);
}

}  // namespace

std::string error_reply(const MethodError& error) {
  return answer_text("null", tl::unexpected(error));
}

Dispatcher::Dispatcher(Backend& backend, std::shared_ptr<CallObserver> observer)
    : backend_(backend), observer_(std::move(observer)) {}

std::size_t Dispatcher::handle(std::string_view text, Connection* connection, Reply reply) const {
  auto parsed = parse_json(text);
  if (!parsed) {
    reply(error_reply(make_error(Code::parse_error, parsed.error().detail)));
    return 1;
  }
  const bool batch = parsed->is_array();
  const std::size_t count = batch ? parsed->size() : 1;
  if (count == 0) {
    reply(error_reply(make_error(Code::invalid_request, "a batch has at least one request")));
    return 1;
  }
  if (count > kBatchMax) {
    reply(error_reply(make_error(Code::limit_exceeded,
                                 "at most " + std::to_string(kBatchMax) +
                                     " requests in a batch, got " + std::to_string(count),
                                 "split it; for transactions use tx_submitBatch")));
    return 1;
  }
  const auto answers = std::make_shared<Answers>(count, batch, std::move(reply));
  const Context context{backend_, connection};
  for (std::size_t i = 0; i < count; ++i) {
    auto request = read_request(batch ? (*parsed)[i] : *parsed);
    if (!request) {
      answers->put(i, answer_text(request.error().id, tl::unexpected(request.error().error)));
      continue;
    }
    const auto started = std::chrono::steady_clock::now();
    const std::string label = find_method(request->method) ? request->method : "unknown";
    const Done done = [answers, i, id = request->id, label, started,
                       observer = observer_](const MethodResult<Json>& result) {
      const int code = result ? 0 : static_cast<int>(result.error().code);
      if (observer) observer->called(label, code, std::chrono::steady_clock::now() - started);
      answers->put(i, id.empty() ? std::string() : answer_text(id, result));
    };
    if (answers->too_large()) {
      done(tl::unexpected(batch_too_large()));
    } else {
      start_call(*request, context, done);
    }
  }
  return count;
}

}  // namespace quorate::rpc
