#include "rpc/server/rpc_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <charconv>
#include <thread>

#include "rpc/server/sessions.hpp"

namespace net = boost::asio;
using net::ip::tcp;

namespace quorate::rpc {

namespace {

struct ListenAddress {
  net::ip::address address;
  std::uint16_t port = 0;
};

Result<ListenAddress> parse_listen(const std::string& text) {
  const auto wrong = [&] {
    return fail(Errc::invalid_argument,
                "rpc.listen: expected ADDRESS:PORT such as "
                "127.0.0.1:8645 or [::1]:8645, got \"" +
                    text + "\"");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return wrong();
  std::string host = text.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  ListenAddress out;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data() + colon + 1, end, out.port);
  if (error != std::errc{} || stopped != end) return wrong();
  boost::system::error_code ec;
  out.address = net::ip::make_address(host, ec);
  if (ec) return wrong();
  return out;
}

std::string text_of(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + host + "]:" + port : host + ":" + port;
}

}  // namespace

struct RpcServer::Impl {
  Impl(RpcServerOptions options, const std::string& listen_host, Backend& backend)
      : core(std::make_shared<Core>(std::move(options), listen_host, backend)) {}
  ~Impl() { stop(); }

  Result<void> listen(const ListenAddress& where);
  void accept();
  void stop();

  const std::shared_ptr<Core> core;
  net::io_context io;
  net::executor_work_guard<net::io_context::executor_type> work{io.get_executor()};
  tcp::acceptor acceptor{net::make_strand(io)};
  net::steady_timer pause{acceptor.get_executor()};
  std::vector<std::thread> threads;
  std::string address;
  bool started = false;
};

Result<void> RpcServer::Impl::listen(const ListenAddress& where) {
  const tcp::endpoint endpoint(where.address, where.port);
  boost::system::error_code ec;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(net::socket_base::max_listen_connections, ec);
  if (ec) {
    return fail(Errc::unavailable, "cannot listen on " + text_of(endpoint) + ": " + ec.message() +
                                       "; is another node running? Set another rpc.listen");
  }
  address = text_of(acceptor.local_endpoint(ec));
  return {};
}

void RpcServer::Impl::accept() {
  acceptor.async_accept(net::make_strand(io),
                        [this](boost::system::error_code ec, tcp::socket socket) {
                          if (!acceptor.is_open()) return;
                          if (ec) {
                            // Out of descriptors, most likely: nothing will be better at once.
                            pause.expires_after(std::chrono::milliseconds(50));
                            pause.async_wait([this](boost::system::error_code stopped) {
                              if (!stopped) accept();
                            });
                            return;
                          }
                          socket.set_option(tcp::no_delay(true), ec);
                          const tcp::endpoint remote = socket.remote_endpoint(ec);
                          if (!ec) {
                            std::string from = remote.address().to_string();
                            const Limiter::Verdict verdict = core->limiter.connected(from);
                            if (verdict == Limiter::Verdict::welcome) {
                              auto admission = std::make_shared<Admission>(core, std::move(from));
                              start_http_session(std::move(socket), core, std::move(admission));
                            } else {
                              refuse_connection(std::move(socket), core,
                                                verdict == Limiter::Verdict::too_many ? 503 : 429);
                            }
                          }
                          accept();
                        });
}

void RpcServer::Impl::stop() {
  if (!started) return;
  started = false;
  core->draining = true;
  for (const auto& session : core->registry.all()) session->drain();
  core->busy.wait_idle(core->options.drain_timeout);
  core->backend.set_event_sink(nullptr);
  core->gate->close();
  net::post(acceptor.get_executor(), [this] {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    pause.cancel();
    core->killed = true;
    for (const auto& session : core->registry.all()) session->kill();
    work.reset();
  });
  // The loop runs dry once every socket is closed.
  for (std::thread& thread : threads) thread.join();
  threads.clear();
}

Result<std::unique_ptr<RpcServer>> RpcServer::start(RpcServerOptions options, Backend& backend) {
  QUORATE_TRY(const ListenAddress where, parse_listen(options.listen));
  const unsigned threads = std::max(1U, options.threads);
  auto impl = std::make_unique<Impl>(std::move(options), where.address.to_string(), backend);
  QUORATE_CHECK(impl->listen(where));
  Impl* const self = impl.get();
  self->started = true;
  self->core->feed.set_wake([core = self->core.get()] {
    core->gate->run([core] {
      for (const auto& session : core->websockets.all()) session->on_final();
    });
  });
  backend.set_event_sink(&self->core->feed);
  self->core->feed.on_block_final(backend.chain_status().certified_height);
  self->accept();
  for (unsigned i = 0; i < threads; ++i) {
    self->threads.emplace_back([self] { self->io.run(); });
  }
  return std::unique_ptr<RpcServer>(new RpcServer(std::move(impl)));
}

RpcServer::RpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RpcServer::~RpcServer() = default;
const std::string& RpcServer::address() const { return impl_->address; }
void RpcServer::stop() { impl_->stop(); }

}  // namespace quorate::rpc
