// One HTTP connection: reads a head, decides from the head alone whether the request is welcome,
// reads the body, answers, and keeps the connection or closes it. Everything runs on the
// connection's strand; backend answers are posted back to it.
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "rpc/server/pages.hpp"
#include "rpc/server/upgrade.hpp"

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace quorate::rpc {

namespace {

constexpr auto kLingerTime = std::chrono::seconds(2);
constexpr std::size_t kLingerBytes = 16U << 20U;
constexpr std::uint64_t kDrainingRetrySeconds = 5;

using Response = http::response<http::string_body>;
using RequestParser = http::request_parser<http::string_body>;

// Why a request is not served, with what the client needs to do better.
struct Refusal {
  http::status status;
  std::string text;
  std::string allow;
  std::uint64_t retry_after_seconds = 0;
};

bool is_rpc_path(std::string_view path) { return path == "/" || path == "/rpc"; }

std::string_view path_of(beast::string_view target) {
  std::string_view path(target.data(), target.size());
  return path.substr(0, path.find('?'));
}

// "application/json", with or without parameters. Browsers send this type to another origin only
// after a preflight request, which this server refuses: so it also guards against forged requests.
bool is_json(beast::string_view content_type) {
  std::string_view type(content_type.data(), content_type.size());
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return beast::iequals(beast::string_view(type.data(), type.size()), "application/json");
}

class HttpSession final : public Session, public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(net::ip::tcp::socket socket, std::shared_ptr<Core> core,
              std::shared_ptr<Admission> admission)
      : core_(std::move(core)),
        admission_(std::move(admission)),
        stream_(std::move(socket)),
        executor_(stream_.get_executor()),
        timer_(executor_) {}
  ~HttpSession() override { core_->registry.remove(this); }

  void start() {
    core_->registry.add(shared_from_this());
    net::dispatch(executor_, [self = shared_from_this()] { self->wait_for_request(true); });
    if (core_->killed) kill();
  }

  // A request under way is answered; new ones get 503 until kill().
  void drain() override {}

  void kill() override {
    net::post(executor_, [self = shared_from_this()] {
      self->awaiting_answer_.reset();
      if (!self->upgraded_) self->stream_.close();
    });
  }

 private:
  // The first byte may take as long as an idle connection is kept; from then on the head must come
  // within read_timeout, so that nobody can hold a connection by sending a byte at a time.
  void wait_for_request(bool fresh) {
    busy_.release();
    if (buffer_.size() > 0) return read_head();
    stream_.expires_after(fresh ? core_->options.read_timeout : core_->options.idle_timeout);
    stream_.async_read_some(buffer_.prepare(4096),
                            [self = shared_from_this()](beast::error_code ec, std::size_t bytes) {
                              if (ec) return self->close();
                              self->buffer_.commit(bytes);
                              self->read_head();
                            });
  }

  void read_head() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(core_->options.header_bytes_max));
    parser_->body_limit(core_->options.body_bytes_max);
    arm(core_->options.read_timeout);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code ec, std::size_t) { self->on_head(ec); });
  }

  // Unlike the timeout of the stream it leaves the socket open, for a word to the client.
  void arm(std::chrono::milliseconds time) {
    stream_.expires_never();
    timed_out_ = false;
    timer_.expires_after(time);
    timer_.async_wait([weak = weak_from_this(), armed = ++armed_](beast::error_code ec) {
      const auto self = weak.lock();
      if (ec || !self || self->armed_ != armed) return;
      self->timed_out_ = true;
      self->stream_.cancel();
    });
  }

  void disarm() {
    ++armed_;
    timer_.cancel();
  }

  void on_head(beast::error_code ec) {
    disarm();
    if (ec) return on_read_error(ec);
    busy_.hold(core_->busy);
    const auto& request = parser_->get();
    keep_alive_ = request.keep_alive();
    head_only_ = request.method() == http::verb::head;
    if (auto refusal = refuse()) return respond(*refusal);
    if (path_of(request.target()) == "/ws") return upgrade();
    if (parser_->is_done()) return on_body({});
    if (beast::iequals(request[http::field::expect], "100-continue")) return send_continue();
    read_body();
  }

  void on_read_error(beast::error_code ec) {
    const auto refuse_with = [this](http::status status, std::string text) {
      respond(Refusal{status, std::move(text), {}, 0});
    };
    if (ec == http::error::header_limit) {
      return refuse_with(
          http::status::request_header_fields_too_large,
          "the head is larger than " + std::to_string(core_->options.header_bytes_max) + " bytes");
    }
    if (ec == http::error::body_limit) {
      return refuse_with(
          http::status::payload_too_large,
          "the body is larger than " + std::to_string(core_->options.body_bytes_max) + " bytes");
    }
    if (timed_out_) {
      keep_alive_ = false;
      return refuse_with(http::status::request_timeout,
                         "the request was not there within " +
                             std::to_string(core_->options.read_timeout.count()) + " ms");
    }
    const bool ended = ec == http::error::end_of_stream || ec == http::error::partial_message;
    if (ended || ec.category() != beast::error_code(http::error::bad_method).category()) {
      return close();
    }
    refuse_with(http::status::bad_request, "not HTTP: " + ec.message());
  }

  // Everything that can be decided from the head, in order of what the client should fix first.
  std::optional<Refusal> refuse() {
    const auto& request = parser_->get();
    const beast::string_view host = request[http::field::host];
    const beast::string_view origin = request[http::field::origin];
    if ((host.empty() && request.version() >= 11) || request.count(http::field::host) > 1) {
      return Refusal{http::status::bad_request, "a request names its Host, once", {}, 0};
    }
    if (!host.empty() && !core_->hosts.allows_host({host.data(), host.size()})) {
      return Refusal{http::status::forbidden,
                     "this Host is not on the list; add it to rpc.allowed_hosts",
                     {},
                     0};
    }
    if (!core_->hosts.allows_origin({origin.data(), origin.size()})) {
      return Refusal{http::status::forbidden,
                     "pages of this Origin may not call; add its host to rpc.allowed_hosts",
                     {},
                     0};
    }
    const std::string_view path = path_of(request.target());
    const bool get = request.method() == http::verb::get;
    const bool page = is_page(path);
    if (!page && !is_rpc_path(path) && path != "/ws") {
      return Refusal{http::status::not_found,
                     "not found; JSON-RPC is POST /, WebSocket is /ws, GET /openrpc.json says more",
                     {},
                     0};
    }
    if (page && !get && !head_only_) {
      return Refusal{http::status::method_not_allowed, "read this page with GET", "GET, HEAD", 0};
    }
    if (path == "/ws" && !get) {
      return Refusal{http::status::method_not_allowed, "a WebSocket starts with GET", "GET", 0};
    }
    if (is_rpc_path(path) && request.method() != http::verb::post) {
      return Refusal{http::status::method_not_allowed, "JSON-RPC is sent by POST", "POST", 0};
    }
    if (is_rpc_path(path) && !is_json(request[http::field::content_type])) {
      return Refusal{
          http::status::unsupported_media_type, "send Content-Type: application/json", {}, 0};
    }
    return page ? std::nullopt : refuse_load(path);
  }

  // Probes and metrics are always served; work is not.
  std::optional<Refusal> refuse_load(std::string_view path) {
    if (core_->draining) {
      return Refusal{http::status::service_unavailable,
                     "the node is shutting down",
                     {},
                     kDrainingRetrySeconds};
    }
    const auto wait = core_->limiter.take(admission_->address(), std::chrono::steady_clock::now());
    if (wait.count() > 0) {
      const auto seconds = static_cast<std::uint64_t>((wait.count() + 999) / 1000);
      return Refusal{
          http::status::too_many_requests, "too many requests from this address", {}, seconds};
    }
    const auto& request = parser_->get();
    if (path == "/ws" && !beast::websocket::is_upgrade(request)) {
      return Refusal{http::status::upgrade_required, "connect with a WebSocket client", {}, 0};
    }
    const auto length = parser_->content_length();
    if (length && *length > core_->options.body_bytes_max) {
      return Refusal{
          http::status::payload_too_large,
          "the body is larger than " + std::to_string(core_->options.body_bytes_max) + " bytes",
          {},
          0};
    }
    return std::nullopt;
  }

  void upgrade() {
    stream_.expires_never();
    upgraded_ = true;
    auto upgrade = std::make_unique<Upgrade>(
        Upgrade{std::move(stream_), parser_->release(), std::move(buffer_)});
    start_ws_session(std::move(upgrade), core_, std::move(admission_));
    busy_.release();
  }

  void send_continue() {
    static const std::string kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    stream_.expires_after(core_->options.write_timeout);
    net::async_write(stream_, net::buffer(kContinue),
                     [self = shared_from_this()](beast::error_code ec, std::size_t) {
                       if (ec) return self->close();
                       self->read_body();
                     });
  }

  void read_body() {
    arm(core_->options.read_timeout);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code ec, std::size_t) { self->on_body(ec); });
  }

  void on_body(beast::error_code ec) {
    disarm();
    if (ec) return on_read_error(ec);
    const std::string_view path = path_of(parser_->get().target());
    if (is_page(path)) return send_page(make_page(path, *core_));
    const std::string body = std::move(parser_->get().body());
    awaiting_answer_ = shared_from_this();
    auto reply = [gate = core_->gate, weak = weak_from_this()](std::string text) {
      gate->run([&] {
        auto self = weak.lock();
        if (!self) return;
        const auto executor = self->executor_;
        net::post(executor, [self = std::move(self), text = std::move(text)]() mutable {
          self->send_answer(std::move(text));
        });
      });
    };
    const std::size_t calls = core_->dispatcher.handle(body, nullptr, std::move(reply));
    core_->limiter.charge(admission_->address(), calls - 1, std::chrono::steady_clock::now());
  }

  void send_answer(std::string text) {
    awaiting_answer_.reset();
    Response response{text.empty() ? http::status::no_content : http::status::ok, 11};
    if (!text.empty()) response.set(http::field::content_type, "application/json");
    response.body() = std::move(text);
    send(std::move(response));
  }

  void send_page(Page page) {
    Response response{static_cast<http::status>(page.status), 11};
    response.set(http::field::content_type, page.content_type);
    response.set(http::field::cache_control, "no-store");
    response.body() = std::move(page.body);
    send(std::move(response));
  }

  void respond(const Refusal& refusal) {
    // What follows the head was not read, so the connection cannot be used again.
    if (!parser_->is_done()) keep_alive_ = false;
    Response response{refusal.status, 11};
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    if (!refusal.allow.empty()) response.set(http::field::allow, refusal.allow);
    if (refusal.status == http::status::upgrade_required) {
      response.set(http::field::upgrade, "websocket");
    }
    if (refusal.retry_after_seconds > 0) {
      response.set(http::field::retry_after, std::to_string(refusal.retry_after_seconds));
    }
    response.body() = refusal.text + "\n";
    send(std::move(response));
  }

  void send(Response response) {
    if (core_->draining) keep_alive_ = false;
    response.keep_alive(keep_alive_);
    response.prepare_payload();
    if (head_only_) response.body().clear();
    response_.emplace(std::move(response));
    serializer_.emplace(*response_);
    stream_.expires_after(core_->options.write_timeout);
    const auto written = [self = shared_from_this()](beast::error_code ec, std::size_t) {
      self->on_sent(ec);
    };
    if (head_only_) return http::async_write_header(stream_, *serializer_, written);
    http::async_write(stream_, *serializer_, written);
  }

  void on_sent(beast::error_code ec) {
    serializer_.reset();
    response_.reset();
    if (ec) return close();
    if (!keep_alive_) return linger();
    wait_for_request(false);
  }

  // Closing a socket with unread input resets it, and the client may lose the answer that said what
  // was wrong. So: no more from us, and for a moment read what still comes.
  void linger() {
    busy_.release();
    beast::error_code ignored;
    stream_.socket().shutdown(net::ip::tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kLingerTime);
    buffer_.clear();
    discard(kLingerBytes);
  }

  void discard(std::size_t most) {
    stream_.async_read_some(buffer_.prepare(65'536), [self = shared_from_this(), most](
                                                         beast::error_code ec, std::size_t bytes) {
      if (ec || bytes >= most) return self->close();
      self->discard(most - bytes);
    });
  }

  void close() {
    busy_.release();
    stream_.close();
  }

  const std::shared_ptr<Core> core_;
  std::shared_ptr<Admission> admission_;
  beast::tcp_stream stream_;
  const beast::tcp_stream::executor_type executor_;
  net::steady_timer timer_;  // of a head, or of a body
  std::uint64_t armed_ = 0;  // counts its uses: one that was disarmed does nothing
  bool timed_out_ = false;
  bool upgraded_ = false;  // stream_ belongs to a WebSocket now
  beast::flat_buffer buffer_;
  std::optional<RequestParser> parser_;
  std::optional<Response> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  BusyMark busy_;
  // This session, while its answer comes from another thread and no operation holds it. The backend
  // has a weak reference only: it may keep that longer than the server lives.
  std::shared_ptr<HttpSession> awaiting_answer_;
  bool keep_alive_ = false;
  bool head_only_ = false;
};

}  // namespace

void start_http_session(net::ip::tcp::socket socket, std::shared_ptr<Core> core,
                        std::shared_ptr<Admission> admission) {
  std::make_shared<HttpSession>(std::move(socket), std::move(core), std::move(admission))->start();
}

void refuse_connection(net::ip::tcp::socket socket, std::shared_ptr<Core> core, unsigned status) {
  auto stream = std::make_shared<beast::tcp_stream>(std::move(socket));
  auto text = std::make_shared<std::string>(
      "HTTP/1.1 " + std::to_string(status) + " " +
      std::string(http::obsolete_reason(static_cast<http::status>(status))) +
      "\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
      "Connection: close\r\n\r\n");
  stream->expires_after(core->options.write_timeout);
  net::async_write(*stream, net::buffer(*text),
                   [stream, text, core](beast::error_code, std::size_t) { stream->close(); });
}

}  // namespace quorate::rpc
