#include <boost/asio/connect.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <optional>

#include "rpc/client/deadline_io.hpp"
#include "rpc/client/rpc_client.hpp"
#include "rpc/json/ledger_json.hpp"

namespace net = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

namespace quorate::rpc {

namespace {

constexpr std::size_t kMessageBytesMax = 64U << 20U;
constexpr auto kOpenTimeout = std::chrono::seconds(5);

}  // namespace

struct RpcSubscription::Impl {
  explicit Impl(std::string to) : url(std::move(to)) {}
  std::string url;
  net::io_context io;  // outlives the stream; handlers left in it are destroyed, never called
  websocket::stream<beast::tcp_stream> stream{io};
  beast::flat_buffer buffer;
  std::string id;
  // A read goes on across calls of next(): giving up waiting must not lose half a message.
  bool reading = false;
  std::optional<beast::error_code> read_result;

  void start_read() {
    if (reading) return;
    reading = true;
    stream.async_read(buffer, [this](beast::error_code ec, std::size_t) {
      reading = false;
      read_result = ec;
    });
  }

  RpcResult<void> open() {
    const auto parsed = parse_url(url);
    if (!parsed) {
      return tl::unexpected(
          RpcError{RpcError::Kind::protocol, 0, parsed.error().detail, nullptr, url});
    }
    beast::error_code ec;
    net::ip::tcp::resolver resolver(io);
    const auto endpoints = resolver.resolve(parsed->host, parsed->port, ec);
    auto& socket = beast::get_lowest_layer(stream);
    if (!ec) {
      socket.expires_after(kOpenTimeout);
      ec = run_to_end(io,
                      [&](auto handler) { socket.async_connect(endpoints, std::move(handler)); });
    }
    if (!ec) {
      socket.expires_never();
      auto timeout = websocket::stream_base::timeout::suggested(beast::role_type::client);
      timeout.handshake_timeout = kOpenTimeout;
      // Pings keep the line open however long nothing happens.
      timeout.idle_timeout = std::chrono::seconds(60);
      timeout.keep_alive_pings = true;
      stream.set_option(timeout);
      stream.read_message_max(kMessageBytesMax);
      ec = run_to_end(io, [&](auto handler) {
        stream.async_handshake(parsed->authority(), "/ws", std::move(handler));
      });
    }
    if (ec) return tl::unexpected(transport_error(ec, url, "cannot connect to"));
    return {};
  }

  // The next message of any kind.
  RpcResult<nlohmann::json> receive(std::chrono::milliseconds wait) {
    if (!read_result) {
      start_read();
      io.restart();
      const auto until = std::chrono::steady_clock::now() + wait;
      while (!read_result && io.run_one_until(until) > 0) {
      }
    }
    if (!read_result) {
      return tl::unexpected(
          RpcError{RpcError::Kind::timeout, 0, "nothing from " + url + " in time", nullptr, url});
    }
    const beast::error_code ec = *read_result;
    if (ec) {
      // Stays set: every later call fails in the same way.
      RpcError error = transport_error(ec, url, "lost the connection to");
      error.kind = RpcError::Kind::unreachable;
      const auto& reason = stream.reason();
      if (ec == websocket::error::closed) {
        error.message += " (" + std::to_string(reason.code) + " " +
                         std::string(reason.reason.data(), reason.reason.size()) + ")";
      }
      return tl::unexpected(std::move(error));
    }
    read_result.reset();
    const auto data = buffer.data();
    auto json = parse_json({static_cast<const char*>(data.data()), data.size()});
    buffer.clear();
    if (!json || !json->is_object()) {
      return tl::unexpected(
          RpcError{RpcError::Kind::protocol, 0, url + " sent what is not JSON-RPC", nullptr, url});
    }
    return std::move(*json);
  }

  RpcResult<void> subscribe(const std::string& topic, nlohmann::json options) {
    const nlohmann::json request = {{"jsonrpc", "2.0"},
                                    {"id", 1},
                                    {"method", "chain_subscribe"},
                                    {"params", {topic, std::move(options)}}};
    const std::string text = request.dump();
    stream.text(true);
    beast::error_code ec;
    stream.write(net::buffer(text), ec);
    if (ec) return tl::unexpected(transport_error(ec, url, "cannot write to"));
    auto answer = receive(kOpenTimeout);
    if (!answer) return tl::unexpected(answer.error());
    const auto result = answer->find("result");
    if (result != answer->end() && result->is_string()) {
      id = result->get<std::string>();
      return {};
    }
    RpcError error{RpcError::Kind::protocol, 0, url + " did not answer the subscription", nullptr,
                   url};
    const auto refused = answer->find("error");
    if (refused != answer->end() && refused->is_object()) {
      error.kind = RpcError::Kind::answered;
      const auto code = refused->find("code");
      if (code != refused->end() && code->is_number_integer()) error.code = code->get<int>();
      const auto message = refused->find("message");
      if (message != refused->end() && message->is_string()) error.message = *message;
      error.data = refused->value("data", nlohmann::json());
    }
    return tl::unexpected(std::move(error));
  }
};

RpcResult<RpcSubscription> RpcSubscription::open(const std::string& url, const std::string& topic,
                                                 nlohmann::json options) {
  auto impl = std::make_unique<Impl>(url);
  if (auto opened = impl->open(); !opened) return tl::unexpected(opened.error());
  if (auto done = impl->subscribe(topic, std::move(options)); !done) {
    return tl::unexpected(done.error());
  }
  return RpcSubscription(std::move(impl));
}

RpcSubscription::RpcSubscription(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RpcSubscription::RpcSubscription(RpcSubscription&&) noexcept = default;
RpcSubscription& RpcSubscription::operator=(RpcSubscription&&) noexcept = default;
RpcSubscription::~RpcSubscription() = default;

RpcResult<nlohmann::json> RpcSubscription::next(std::chrono::milliseconds wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    auto message = impl_->receive(std::max(left, std::chrono::milliseconds(0)));
    if (!message) return message;
    const auto params = message->find("params");
    const bool ours = params != message->end() && params->is_object() &&
                      params->contains("result") && params->value("subscription", "") == impl_->id;
    if (ours) return std::move((*params)["result"]);
  }
}

}  // namespace quorate::rpc
