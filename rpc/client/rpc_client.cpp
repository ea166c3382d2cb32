#include "rpc/client/rpc_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "rpc/client/deadline_io.hpp"
#include "rpc/json/ledger_json.hpp"

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace quorate::rpc {

namespace {

// An answer may hold a whole block with its transactions.
constexpr std::uint64_t kAnswerBytesMax = 64U << 20U;

struct Node {
  std::string text;
  Url url;
};

RpcError protocol_error(const std::string& url, std::string message) {
  RpcError error;
  error.kind = RpcError::Kind::protocol;
  error.message = std::move(message);
  error.url = url;
  return error;
}

}  // namespace

struct RpcClient::Impl {
  using Response = http::response<http::string_body>;

  // How one exchange ended.
  struct Failure {
    RpcError error;
    bool retry_here = false;  // a kept connection had been closed meanwhile
    bool try_next = false;    // this node cannot be reached; another one may be
  };

  std::vector<Node> nodes;
  RpcClientOptions options;
  std::size_t current = 0;
  std::uint64_t last_id = 0;
  net::io_context io;
  std::optional<beast::tcp_stream> stream;
  beast::flat_buffer buffer;

  tl::expected<void, Failure> connect() {
    const Node& node = nodes[current];
    beast::error_code ec;
    net::ip::tcp::resolver resolver(io);
    const auto endpoints = resolver.resolve(node.url.host, node.url.port, ec);
    if (!ec) {
      buffer.clear();
      stream.emplace(io);
      stream->expires_after(options.connect_timeout);
      ec = run_to_end(io,
                      [&](auto handler) { stream->async_connect(endpoints, std::move(handler)); });
    }
    if (!ec) {
      beast::error_code ignored;
      stream->socket().set_option(net::ip::tcp::no_delay(true), ignored);
      return {};
    }
    stream.reset();
    Failure failure{transport_error(ec, node.text, "cannot connect to"), false, true};
    // A node that does not even accept is unreachable, however that shows.
    failure.error.kind = RpcError::Kind::unreachable;
    failure.error.reached = false;
    return tl::unexpected(std::move(failure));
  }

  tl::expected<Response, Failure> exchange(http::request<http::string_body>& request) {
    const bool kept = stream.has_value();
    if (!kept) {
      if (auto connected = connect(); !connected) return tl::unexpected(connected.error());
    }
    const Node& node = nodes[current];
    request.set(http::field::host, node.url.authority());
    stream->expires_after(options.request_timeout);
    beast::error_code ec = run_to_end(
        io, [&](auto handler) { http::async_write(*stream, request, std::move(handler)); });
    http::response_parser<http::string_body> parser;
    parser.body_limit(kAnswerBytesMax);
    if (!ec) {
      ec = run_to_end(
          io, [&](auto handler) { http::async_read(*stream, buffer, parser, std::move(handler)); });
    }
    if (ec) {
      stream.reset();
      // A kept connection that dies before a byte of the answer was most likely closed before the
      // request arrived. Asking again is safe: no method does twice what it did once.
      const bool stale = kept && !parser.got_some() && ec != beast::error::timeout;
      Failure failure{transport_error(ec, node.text, "no answer from"), stale, false};
      failure.try_next = failure.error.kind == RpcError::Kind::unreachable;
      return tl::unexpected(std::move(failure));
    }
    Response response = parser.release();
    if (!response.keep_alive()) stream.reset();
    return response;
  }

  // Tries the current node, then every other one once.
  RpcResult<Response> send(http::request<http::string_body>& request) {
    std::optional<RpcError> first;
    for (std::size_t tried = 0; tried < nodes.size(); ++tried) {
      auto response = exchange(request);
      if (!response && response.error().retry_here) {
        response = exchange(request);
        if (!response) response.error().error.reached = true;  // the first time, perhaps
      }
      const bool draining = response && response->result() == http::status::service_unavailable &&
                            request.method() == http::verb::post;
      if (response && !draining) return std::move(*response);
      RpcError error =
          draining ? protocol_error(nodes[current].text, "shutting down") : response.error().error;
      if (draining) error.kind = RpcError::Kind::unreachable;
      const bool try_next = draining || response.error().try_next;
      if (!first) first = std::move(error);
      if (!try_next) break;
      stream.reset();
      current = (current + 1) % nodes.size();
    }
    if (nodes.size() > 1 && first->kind == RpcError::Kind::unreachable) {
      first->message += " (and no other of " + std::to_string(nodes.size()) + " nodes answers)";
    }
    return tl::unexpected(std::move(*first));
  }

  RpcResult<nlohmann::json> read_answer(const Response& response) const {
    const std::string& url = nodes[current].text;
    if (response.result() != http::status::ok) {
      std::string text = response.body().substr(0, 200);
      while (!text.empty() && text.back() == '\n') text.pop_back();
      return tl::unexpected(protocol_error(
          url, url + " answered HTTP " + std::to_string(response.result_int()) + ": " + text));
    }
    auto json = parse_json(response.body());
    if (!json || !json->is_object()) {
      return tl::unexpected(protocol_error(url, url + " did not answer JSON-RPC"));
    }
    if (json->contains("result")) return std::move((*json)["result"]);
    const auto at = json->find("error");
    if (at == json->end() || !at->is_object() || !at->contains("code") ||
        !(*at)["code"].is_number_integer() || !at->contains("message") ||
        !(*at)["message"].is_string()) {
      return tl::unexpected(protocol_error(url, url + " answered neither a result nor an error"));
    }
    RpcError error;
    error.kind = RpcError::Kind::answered;
    error.code = (*at)["code"].get<int>();
    error.message = (*at)["message"].get<std::string>();
    if (at->contains("data") && (*at)["data"].is_object()) error.data = (*at)["data"];
    error.url = url;
    return tl::unexpected(std::move(error));
  }
};

Result<RpcClient> RpcClient::create(std::vector<std::string> urls, RpcClientOptions options) {
  if (urls.empty()) return fail(Errc::invalid_argument, "no node's URL is given");
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  for (std::string& text : urls) {
    QUORATE_TRY(Url url, parse_url(text));
    impl->nodes.push_back({std::move(text), std::move(url)});
  }
  return RpcClient(std::move(impl));
}

RpcClient::RpcClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RpcClient::RpcClient(RpcClient&&) noexcept = default;
RpcClient& RpcClient::operator=(RpcClient&&) noexcept = default;
RpcClient::~RpcClient() = default;

RpcResult<nlohmann::json> RpcClient::call(const std::string& method, nlohmann::json params) {
  const nlohmann::json body = {{"jsonrpc", "2.0"},
                               {"id", ++impl_->last_id},
                               {"method", method},
                               {"params", std::move(params)}};
  http::request<http::string_body> request{http::verb::post, "/", 11};
  request.set(http::field::content_type, "application/json");
  request.body() = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  request.prepare_payload();
  const auto response = impl_->send(request);
  if (!response) return tl::unexpected(response.error());
  return impl_->read_answer(*response);
}

RpcResult<RpcClient::HttpResponse> RpcClient::get(const std::string& path) {
  http::request<http::string_body> request{http::verb::get, path, 11};
  auto response = impl_->send(request);
  if (!response) return tl::unexpected(response.error());
  return HttpResponse{response->result_int(), std::move(response->body())};
}

void RpcClient::set_request_timeout(std::chrono::milliseconds timeout) {
  impl_->options.request_timeout = timeout;
}

const std::string& RpcClient::url() const { return impl_->nodes[impl_->current].text; }

}  // namespace quorate::rpc
