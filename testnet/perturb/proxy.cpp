#include "testnet/perturb/proxy.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <deque>
#include <random>
#include <set>

#include "testnet/perturb/shaper.hpp"

namespace quorate::testnet {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kChunk = 16 * 1024;
constexpr std::size_t kHeldMax = 1 << 20;  // per direction; beyond it the sender is not read
constexpr std::size_t kHeldMin = 4 * 1024;
constexpr std::size_t kChunkMin = 512;
// As between machines: on the loopback the kernel's buffers would hold megabytes, and tell the
// sender of their progress tens of kilobytes at a time.
constexpr int kReceiveBuffer = 16 * 1024;
constexpr int kSegment = 1448;
constexpr std::size_t kWriteMax = 256 * 1024;

class Connection;

// Before it connects or listens. A missing option makes a line less like one, nothing else.
template <class Socket>
void limit_buffers(Socket& socket) {
  using Segment = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_MAXSEG>;
  error_code ignored;
  socket.set_option(asio::socket_base::receive_buffer_size(kReceiveBuffer), ignored);
  socket.set_option(Segment(kSegment), ignored);
}

// What every connection of the process shares.
struct Shared {
  asio::io_context io{1};
  LinkRules rules;
  std::map<Direction, LinkTraffic> traffic;
  std::set<std::shared_ptr<Connection>> connections;  // those that are open
  std::mt19937_64 random{std::random_device{}()};

  double chance() { return std::uniform_real_distribution<double>(0, 1)(random); }
};

// One direction of one connection: reads from one socket, holds, writes to the other. The
// connection owns two and outlives their operations.
class Pipe {
 public:
  Pipe(Shared& shared, Connection& owner, Direction direction, tcp::socket& from, tcp::socket& to)
      : shared_(shared),
        owner_(owner),
        direction_(direction),
        from_(from),
        to_(to),
        timer_(shared.io) {}

  void read();
  // Passes on what may go: after a read, a write, a timer, a new connection.
  void pump();
  // The rules have changed: what is held leaves as if it came now.
  void update();
  void stop() { timer_.cancel(); }
  bool input_ended() const { return ended_; }
  bool done() const { return ended_ && held_.empty() && !writing_; }

 private:
  using Clock = Shaper::Clock;
  struct Chunk {
    Clock::time_point at;
    std::vector<char> bytes;
  };
  const LinkRule& rule() const { return shared_.rules.at(direction_.first, direction_.second); }
  // A line of this rate holds what it passes on in a second, and reads twenty times as often.
  std::size_t held_max() const;
  std::size_t chunk_max() const;
  void on_read(error_code error, std::size_t size);
  void write(std::size_t chunks);
  void on_written(error_code error, std::size_t chunks);

  Shared& shared_;
  Connection& owner_;
  const Direction direction_;
  tcp::socket& from_;
  tcp::socket& to_;
  asio::steady_timer timer_;
  Shaper shaper_;
  LinkRule rule_;  // by which what is held was timed
  std::array<char, kChunk> in_;
  std::deque<Chunk> held_;
  std::size_t held_bytes_ = 0;
  bool begun_ = false;  // the sender's socket is open
  bool reading_ = false;
  bool writing_ = false;
  bool ended_ = false;  // the sender said it is done, or is gone
  bool shut_ = false;   // and the receiver was told
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shared& shared, Direction link, tcp::socket socket, std::uint16_t target)
      : shared_(shared),
        link_(link),
        dialler_(std::move(socket)),
        dialled_(shared.io),
        target_(target),
        there_(shared, *this, link, dialler_, dialled_),
        back_(shared, *this, {link.second, link.first}, dialled_, dialler_) {}

  void start() {
    shared_.connections.insert(shared_from_this());
    error_code ignored;
    dialler_.set_option(tcp::no_delay(true), ignored);
    there_.read();
    connect_when_whole();
  }
  // The rules have changed.
  void update() {
    connect_when_whole();
    there_.update();
    back_.update();
  }
  bool connected() const { return connected_; }
  bool closed() const { return closed_; }
  void close(bool reset) {
    if (closed_) return;
    closed_ = true;
    error_code ignored;
    if (reset) {
      // Closing with a linger of nothing sends RST, as a connection does that TCP gave up.
      dialler_.set_option(asio::socket_base::linger(true, 0), ignored);
      if (connected_) dialled_.set_option(asio::socket_base::linger(true, 0), ignored);
    }
    dialler_.close(ignored);
    dialled_.close(ignored);
    there_.stop();
    back_.stop();
    shared_.connections.erase(shared_from_this());
  }
  void close_when_done() {
    const bool nobody_left = there_.input_ended() && (back_.input_ended() || !connected_);
    if (nobody_left || (there_.done() && back_.done())) close(false);
  }

 private:
  // A connection to a node behind a cut link hangs, as a dial into a dead cable does.
  void connect_when_whole() {
    if (closed_ || connecting_ || shared_.rules.separated(link_.first, link_.second)) return;
    connecting_ = true;
    const tcp::endpoint target(asio::ip::address_v4::loopback(), target_);
    error_code opened;
    dialled_.open(target.protocol(), opened);
    if (opened) return close(false);
    limit_buffers(dialled_);
    dialled_.async_connect(target, [self = shared_from_this()](error_code error) {
      if (error || self->closed_) return self->close(false);
      error_code ignored;
      self->dialled_.set_option(tcp::no_delay(true), ignored);
      self->connected_ = true;
      self->back_.read();
      self->there_.pump();
    });
  }

  Shared& shared_;
  const Direction link_;
  tcp::socket dialler_;
  tcp::socket dialled_;
  const std::uint16_t target_;
  Pipe there_;
  Pipe back_;
  bool connecting_ = false;
  bool connected_ = false;
  bool closed_ = false;
};

std::size_t Pipe::held_max() const {
  const std::uint64_t rate = rule().bytes_per_second;
  return rate == 0 ? kHeldMax : std::clamp<std::uint64_t>(rate, kHeldMin, kHeldMax);
}

std::size_t Pipe::chunk_max() const {
  const std::uint64_t rate = rule().bytes_per_second;
  return rate == 0 ? kChunk : std::clamp<std::uint64_t>(rate / 20, kChunkMin, kChunk);
}

void Pipe::update() {
  if (rule() != rule_) {
    rule_ = rule();
    shaper_ = Shaper();
    const auto now = Clock::now();
    for (Chunk& chunk : held_) {
      const auto at =
          shaper_.release(rule_, chunk.bytes.size(), now, [this] { return shared_.chance(); });
      chunk.at = at.value_or(now);
    }
  }
  pump();
  if (begun_) read();
}

void Pipe::read() {
  begun_ = true;
  if (reading_ || ended_ || owner_.closed() || held_bytes_ >= held_max()) return;
  reading_ = true;
  from_.async_read_some(asio::buffer(in_, chunk_max()), [this, keep = owner_.shared_from_this()](
                                                            error_code error, std::size_t size) {
    reading_ = false;
    on_read(error, size);
  });
}

void Pipe::on_read(error_code error, std::size_t size) {
  if (owner_.closed()) return;
  if (error) {
    ended_ = true;
    pump();
    return owner_.close_when_done();
  }
  const auto now = Clock::now();
  rule_ = rule();
  const auto at = shaper_.release(rule_, size, now, [this] { return shared_.chance(); });
  auto& traffic = shared_.traffic[direction_];
  if (!at) {
    ++traffic.resets;
    return owner_.close(true);
  }
  if (*at > now || rule_.cut) ++traffic.held_back;
  held_.push_back({*at, std::vector<char>(in_.data(), in_.data() + size)});
  held_bytes_ += size;
  pump();
  read();
}

void Pipe::pump() {
  if (writing_ || owner_.closed() || !owner_.connected()) return;
  if (rule().cut) return;
  if (held_.empty()) {
    if (ended_ && !shut_) {
      shut_ = true;
      error_code ignored;
      to_.shutdown(tcp::socket::shutdown_send, ignored);
      owner_.close_when_done();
    }
    return;
  }
  const auto now = Clock::now();
  std::size_t ready = 0;
  std::size_t bytes = 0;
  while (ready < held_.size() && held_[ready].at <= now && bytes < kWriteMax) {
    bytes += held_[ready++].bytes.size();
  }
  if (ready > 0) return write(ready);
  timer_.expires_at(held_.front().at);
  timer_.async_wait([this, keep = owner_.shared_from_this()](error_code error) {
    if (!error) pump();
  });
}

void Pipe::write(std::size_t chunks) {
  writing_ = true;
  std::vector<asio::const_buffer> buffers;
  for (std::size_t i = 0; i < chunks; ++i) buffers.push_back(asio::buffer(held_[i].bytes));
  asio::async_write(
      to_, buffers,
      [this, chunks, keep = owner_.shared_from_this()](error_code error, std::size_t) {
        writing_ = false;
        on_written(error, chunks);
      });
}

void Pipe::on_written(error_code error, std::size_t chunks) {
  if (owner_.closed()) return;
  if (error) return owner_.close(false);
  for (; chunks > 0; --chunks) {
    held_bytes_ -= held_.front().bytes.size();
    shared_.traffic[direction_].bytes += held_.front().bytes.size();
    held_.pop_front();
  }
  pump();
  read();
}

}  // namespace

struct LinkProxy::Impl {
  struct Listener {
    Direction link;
    std::uint16_t target;
    tcp::acceptor acceptor;
  };
  Shared shared;
  std::vector<std::unique_ptr<Listener>> listeners;

  Result<void> listen(Direction link, std::uint16_t target, std::uint16_t wanted);
  void accept(Listener& listener);
};

Result<void> LinkProxy::Impl::listen(Direction link, std::uint16_t target, std::uint16_t wanted) {
  auto listener = std::make_unique<Listener>(Listener{link, target, tcp::acceptor(shared.io)});
  auto& acceptor = listener->acceptor;
  error_code error;
  acceptor.open(tcp::v4(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) limit_buffers(acceptor);  // and of what it accepts
  if (!error) {
    acceptor.bind({asio::ip::address_v4::loopback(), wanted}, error);
    if (error && wanted != 0) {
      error.clear();
      acceptor.bind({asio::ip::address_v4::loopback(), 0}, error);
    }
  }
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(Errc::io, "cannot listen for a fault link: " + error.message());
  accept(*listener);
  listeners.push_back(std::move(listener));
  return {};
}

void LinkProxy::Impl::accept(Listener& listener) {
  listener.acceptor.async_accept([this, &listener](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      ++shared.traffic[listener.link].connections;
      std::make_shared<Connection>(shared, listener.link, std::move(socket), listener.target)
          ->start();
    }
    accept(listener);
  });
}

LinkProxy::LinkProxy(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LinkProxy::~LinkProxy() = default;

Result<std::unique_ptr<LinkProxy>> LinkProxy::listen(
    const std::vector<std::uint16_t>& targets, const std::map<Direction, std::uint16_t>& ports) {
  auto impl = std::make_unique<Impl>();
  impl->shared.rules = LinkRules(targets.size());
  for (NodeIndex a = 0; a < targets.size(); ++a) {
    for (NodeIndex b = a + 1; b < targets.size(); ++b) {
      const auto known = ports.find({a, b});
      QUORATE_CHECK(impl->listen({a, b}, targets[b],
                                 known == ports.end() ? std::uint16_t{0} : known->second));
    }
  }
  return std::unique_ptr<LinkProxy>(new LinkProxy(std::move(impl)));
}

std::map<Direction, std::uint16_t> LinkProxy::ports() const {
  std::map<Direction, std::uint16_t> out;
  for (const auto& listener : impl_->listeners) {
    out[listener->link] = listener->acceptor.local_endpoint().port();
  }
  return out;
}

std::map<Direction, LinkTraffic> LinkProxy::traffic() const { return impl_->shared.traffic; }

void LinkProxy::set_rules(LinkRules rules) {
  impl_->shared.rules = std::move(rules);
  // An update may end a connection, which then leaves the set: go through a copy.
  const auto open = impl_->shared.connections;
  for (const auto& connection : open) connection->update();
}

void LinkProxy::run(const std::function<void()>& reload) {
  asio::signal_set hangup(impl_->shared.io, SIGHUP);
  asio::signal_set stop(impl_->shared.io, SIGTERM, SIGINT);
  std::function<void()> wait = [&] {
    hangup.async_wait([&](error_code error, int) {
      if (error) return;
      reload();
      wait();
    });
  };
  wait();
  stop.async_wait([this](error_code, int) { impl_->shared.io.stop(); });
  impl_->shared.io.run();
}

}  // namespace quorate::testnet
