#include "node/net/peer_manager.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>

#include "node/net/peer_address.hpp"
#include "node/net/peer_record.hpp"
#include "node/net/stranger_log.hpp"
#include "node/net/tls.hpp"

namespace quorate::node {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// A connection that held this long was a good one: the next dial starts the backoff anew. A shorter
// one did not, or two nodes that keep refusing each other would do so ten times a second.
constexpr std::chrono::seconds kSettled{5};
// Of one that connects again and again: each time costs this node a handshake and the replica a
// greeting.
constexpr std::chrono::seconds kTooOftenBan{60};

}  // namespace

struct PeerManager::Impl final : PeerSession::Host {
  Impl(PeerManagerConfig config_, PeerCallbacks callbacks_, Log& log_, TlsContext tls_context)
      : config(std::move(config_)),
        callbacks(std::move(callbacks_)),
        log(log_),
        tls(tls_context.release()),
        acceptor(io),
        random(std::random_device{}()) {}

  Result<void> listen();
  void run();
  void stop();

  void accept();
  void on_accepted(tcp::socket socket);
  void dial(Peer& peer);
  void connect(Peer& peer, const tcp::resolver::results_type& endpoints);
  void dial_later(Peer& peer, const std::string& why);
  void ban(Peer& peer, std::chrono::milliseconds time, const std::string& reason);
  std::chrono::milliseconds banned_for(const Peer& peer) const;
  // The level of a line about this peer's connections; debug for one that comes and goes all the
  // time.
  LogLevel budgeted(Peer& peer, LogLevel level);
  void enqueue(Peer& peer, TrafficClass traffic, const SendQueue::Body& body);

  Result<ReplicaId> on_hello(PeerSession& session, const Hello& theirs) override;
  void on_established(PeerSession& session) override;
  void on_frame(PeerSession& session, TrafficClass traffic, Bytes body) override;
  void on_writable(PeerSession& session, Bytes& out) override;
  void on_bytes(PeerSession& session, std::size_t in, std::size_t out) override;
  void on_closed(PeerSession& session, const std::string& reason, bool refused) override;
  void on_finished(PeerSession& session) override;
  void lose(Peer& peer, const std::string& reason, bool refused);

  Peer& peer_of(ReplicaId id) { return *peers.at(id.value()); }
  bool dials(const Peer& peer) const { return config.self < peer.id; }
  Hello our_hello() const {
    return {.wire_version = config.wire_version,
            .chain_id = config.chain_id,
            .replica = config.self,
            .storage_version = config.storage_version,
            .name = config.members.at(config.self.value()).name,
            .software = config.software};
  }

  const PeerManagerConfig config;
  const PeerCallbacks callbacks;
  Log& log;
  asio::io_context io{1};
  asio::ssl::context tls;
  tcp::acceptor acceptor;
  std::uint16_t port = 0;
  std::vector<std::unique_ptr<Peer>> peers;  // by replica id; null for this node
  std::unordered_map<PeerSession*, SessionPtr> sessions;
  std::deque<std::weak_ptr<PeerSession>> greeting;  // inbound and unfinished, oldest first
  std::minstd_rand random;
  StrangerLog stranger_log{log};
  bool stopping = false;

  mutable std::mutex totals_mutex;
  NetTotals totals;
  std::atomic<bool> stopped{false};
  std::thread thread;
};

Result<void> PeerManager::Impl::listen() {
  QUORATE_TRY(const PeerAddress at, parse_peer_address(config.listen));
  error_code error;
  const auto address =
      asio::ip::make_address(at.host == "localhost" ? "127.0.0.1" : at.host, error);
  if (error) {
    return fail(Errc::invalid_argument,
                "cannot listen on '" + config.listen + "': give a numeric address to bind to");
  }
  const tcp::endpoint endpoint(address, at.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) {
    return fail(error == asio::error::address_in_use ? Errc::conflict : Errc::io,
                "cannot listen for peers on " + config.listen + ": " + error.message());
  }
  port = acceptor.local_endpoint(error).port();
  return {};
}

void PeerManager::Impl::run() {
  for (std::uint32_t i = 0; i < config.members.size(); ++i) {
    auto& peer = peers.emplace_back();
    if (ReplicaId(i) == config.self) continue;
    peer = std::make_unique<Peer>(ReplicaId(i), config, io);
    peer->info.replica = ReplicaId(i);
    peer->info.name = config.members[i].name;
    peer->info.address = config.addresses[i];
    peer->info.outbound = dials(*peer);
  }
  accept();
  for (const auto& peer : peers) {
    if (peer && dials(*peer)) asio::post(io, [this, p = peer.get()] { dial(*p); });
  }
  thread = std::thread([this] {
    pthread_setname_np(pthread_self(), "quorate-net");
    io.run();
  });
}

void PeerManager::Impl::accept() {
  acceptor.async_accept([this](const error_code& error, tcp::socket socket) {
    if (stopping) return;
    if (error) {
      // Out of descriptors, most likely: leave the ones there are time to close.
      log.warning("p2p", "cannot accept a connection", {{"error", error.message()}});
      auto pause = std::make_shared<asio::steady_timer>(io, std::chrono::milliseconds(200));
      pause->async_wait([this, pause](const error_code&) {
        if (!stopping) accept();
      });
      return;
    }
    on_accepted(std::move(socket));
    accept();
  });
}

void PeerManager::Impl::on_accepted(tcp::socket socket) {
  std::erase_if(greeting, [](const auto& weak) {
    const auto session = weak.lock();
    return !session || session->peer();
  });
  // An honest handshake takes milliseconds, so the oldest unfinished one is the least honest.
  if (greeting.size() >= config.handshakes_max) {
    if (const auto oldest = greeting.front().lock())
      oldest->close("too many unfinished handshakes");
    greeting.pop_front();
  }
  auto session = std::make_shared<PeerSession>(*this, tls, std::move(socket), config);
  sessions.emplace(session.get(), session);
  greeting.push_back(session);
  session->accept();
}

void PeerManager::Impl::dial(Peer& peer) {
  if (stopping || peer.session) return;
  if (banned_for(peer).count() > 0) return dial_later(peer, peer.ban_reason);
  const auto at = parse_peer_address(config.addresses.at(peer.id.value()));
  QUORATE_ASSERT(at.has_value());  // start checked it
  error_code error;
  const auto address = asio::ip::make_address(at->host, error);
  if (!error) {
    const tcp::endpoint endpoint(address, at->port);
    return connect(peer, tcp::resolver::results_type::create(endpoint, at->host, ""));
  }
  peer.resolver.async_resolve(
      at->host, std::to_string(at->port),
      [this, &peer](const error_code& failed, const tcp::resolver::results_type& found) {
        if (stopping) return;
        if (!failed) return connect(peer, found);
        dial_later(peer, "cannot resolve its address: " + failed.message());
      });
}

void PeerManager::Impl::connect(Peer& peer, const tcp::resolver::results_type& endpoints) {
  auto session = std::make_shared<PeerSession>(*this, tls, tcp::socket(io), config);
  sessions.emplace(session.get(), session);
  session->dial(peer.id, endpoints);
}

void PeerManager::Impl::dial_later(Peer& peer, const std::string& why) {
  {
    const std::lock_guard lock(peer.mutex);
    peer.info.last_error = why;
  }
  const auto level = peer.last_logged == why ? LogLevel::debug : LogLevel::info;
  log.write(level, "p2p", "no connection to peer; dialling again",
            {{"peer", peer.info.name}, {"address", peer.info.address}, {"reason", why}});
  peer.last_logged = why;
  const auto pause = peer.backoff.next(static_cast<std::uint32_t>(random()));
  peer.redial.expires_after(std::max(pause, banned_for(peer)));
  peer.redial.async_wait([this, &peer](const error_code& error) {
    if (!error) dial(peer);
  });
}

Result<ReplicaId> PeerManager::Impl::on_hello(PeerSession& session, const Hello& theirs) {
  QUORATE_TRY(
      const ReplicaId id,
      check_hello(our_hello(), theirs, {session.peer_key(), session.dialled()}, config.members));
  Peer& peer = peer_of(id);
  if (banned_for(peer).count() == 0 &&
      peer.comes_too_often(std::chrono::steady_clock::now(), config.connections_per_minute_max)) {
    ban(peer, kTooOftenBan,
        "it connected more than " + std::to_string(config.connections_per_minute_max) +
            " times within a minute");
  }
  const auto left = banned_for(peer);
  if (left.count() == 0) return id;
  return fail(Errc::permission, peer.ban_reason + "; " + std::to_string(left.count() / 1000 + 1) +
                                    " s are left of it");
}

// Rounded up, so that a timer set to it does not find it unfinished.
std::chrono::milliseconds PeerManager::Impl::banned_for(const Peer& peer) const {
  const auto left = peer.banned_until - std::chrono::steady_clock::now();
  return std::max(std::chrono::milliseconds(0), std::chrono::ceil<std::chrono::milliseconds>(left));
}

void PeerManager::Impl::ban(Peer& peer, std::chrono::milliseconds time, const std::string& reason) {
  peer.banned_until = std::chrono::steady_clock::now() + time;
  peer.ban_reason = "for " + std::to_string(time.count() / 1000) + " s, " + reason;
  {
    const std::lock_guard lock(peer.mutex);
    ++peer.info.bans;
  }
  {
    const std::lock_guard lock(totals_mutex);
    ++totals.bans;
  }
  log.warning("p2p", "peer refused for a while",
              {{"peer", peer.info.name},
               {"seconds", std::to_string(time.count() / 1000)},
               {"reason", reason}});
  if (const SessionPtr session = peer.session) session->refuse(peer.ban_reason);
}

LogLevel PeerManager::Impl::budgeted(Peer& peer, LogLevel level) {
  const auto lines = peer.connections_logged.take(LogBudget::Clock::now());
  if (lines.unlogged > 0) {
    log.info("p2p", "it came and went more often than was logged",
             {{"peer", peer.info.name}, {"count", std::to_string(lines.unlogged)}});
  }
  return lines.log ? level : LogLevel::debug;
}

void PeerManager::Impl::on_established(PeerSession& session) {
  Peer& peer = peer_of(*session.peer());
  if (peer.session) peer.session->close("replaced by a newer connection of the same node");
  peer.session = sessions.at(&session);
  peer.established_at = std::chrono::steady_clock::now();
  peer.last_logged.clear();
  {
    const std::lock_guard lock(peer.mutex);
    peer.queue.clear();
    peer.info.connected = true;
    ++peer.info.connects;
  }
  log.write(budgeted(peer, LogLevel::info), "p2p", "peer connected",
            {{"peer", peer.info.name}, {"remote", session.remote()}});
  callbacks.on_connected(peer.id);
}

void PeerManager::Impl::on_frame(PeerSession& session, TrafficClass traffic, Bytes body) {
  {
    const std::lock_guard lock(totals_mutex);
    ++totals.frames_in[traffic_index(traffic)];
  }
  callbacks.on_frame(*session.peer(), traffic, std::move(body));
}

void PeerManager::Impl::on_writable(PeerSession& session, Bytes& out) {
  Peer& peer = peer_of(*session.peer());
  if (peer.session.get() != &session) return;
  std::size_t expired = 0;
  {
    const std::lock_guard lock(peer.mutex);
    expired = peer.queue.expire(SendQueue::Clock::now());
    peer.info.frames_dropped += expired;
    peer.queue.pop(out, kWriteBytes);
  }
  if (expired == 0) return;
  const std::lock_guard lock(totals_mutex);
  totals.frames_dropped[traffic_index(TrafficClass::consensus)] += expired;
}

void PeerManager::Impl::on_bytes(PeerSession& session, std::size_t in, std::size_t out) {
  {
    const std::lock_guard lock(totals_mutex);
    totals.bytes_in += in;
    totals.bytes_out += out;
  }
  if (!session.peer()) return;
  Peer& peer = peer_of(*session.peer());
  const std::lock_guard lock(peer.mutex);
  peer.info.bytes_in += in;
  peer.info.bytes_out += out;
}

void PeerManager::Impl::on_closed(PeerSession& session, const std::string& reason, bool refused) {
  if (refused) {
    const std::lock_guard lock(totals_mutex);
    ++totals.refused;
  }
  if (stopping) return;
  const auto id = session.peer() ? session.peer() : session.dialled();
  if (!id) return stranger_log.write(session.remote(), reason, refused);
  Peer& peer = peer_of(*id);
  if (peer.session.get() == &session) return lose(peer, reason, refused);
  // A connection that never came to be: a refused or failed dial, or a refusal of one that dialled.
  if (refused && peer.last_logged != reason) {
    log.write(budgeted(peer, LogLevel::warning), "p2p", "handshake refused",
              {{"peer", peer.info.name}, {"remote", session.remote()}, {"reason", reason}});
    peer.last_logged = reason;
  }
  if (session.dialled()) {
    if (!peer.session) dial_later(peer, reason);
    return;
  }
  const std::lock_guard lock(peer.mutex);
  peer.info.last_error = reason;
}

void PeerManager::Impl::lose(Peer& peer, const std::string& reason, bool refused) {
  const bool settled = std::chrono::steady_clock::now() - peer.established_at >= kSettled;
  if (settled) peer.backoff.reset();
  peer.session.reset();
  {
    const std::lock_guard lock(peer.mutex);
    peer.queue.clear();
    peer.info.connected = false;
    peer.info.last_error = reason;
  }
  log.write(budgeted(peer, refused ? LogLevel::warning : LogLevel::info), "p2p",
            "peer disconnected", {{"peer", peer.info.name}, {"reason", reason}});
  callbacks.on_disconnected(peer.id);
  if (dials(peer)) dial_later(peer, reason);
}

void PeerManager::Impl::on_finished(PeerSession& session) { sessions.erase(&session); }

void PeerManager::Impl::enqueue(Peer& peer, TrafficClass traffic, const SendQueue::Body& body) {
  std::size_t dropped = 0;
  {
    const std::lock_guard lock(peer.mutex);
    if (!peer.info.connected) return;
    dropped = peer.queue.push(traffic, body, SendQueue::Clock::now());
    peer.info.frames_dropped += dropped;
    if (!peer.wake_posted) {
      peer.wake_posted = true;
      asio::post(io, [&peer] {
        {
          const std::lock_guard relock(peer.mutex);
          peer.wake_posted = false;
        }
        if (peer.session) peer.session->wake();
      });
    }
  }
  const std::lock_guard lock(totals_mutex);
  ++totals.frames_sent[traffic_index(traffic)];
  totals.frames_dropped[traffic_index(traffic)] += dropped;
}

void PeerManager::Impl::stop() {
  if (stopped.exchange(true)) return;
  asio::post(io, [this] {
    stopping = true;
    error_code ignored;
    acceptor.close(ignored);
    for (const auto& peer : peers) {
      if (!peer) continue;
      peer->redial.cancel();
      peer->resolver.cancel();
      peer->session.reset();
    }
    const auto open = std::exchange(sessions, {});
    for (const auto& [raw, session] : open) raw->close("this node is stopping");
    // A name that is being resolved cannot be interrupted; do not wait for it.
    asio::post(io, [this] { io.stop(); });
  });
  if (thread.joinable()) thread.join();
}

PeerManager::PeerManager(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PeerManager::~PeerManager() { stop(); }

Result<std::unique_ptr<PeerManager>> PeerManager::start(PeerManagerConfig config,
                                                        PeerCallbacks callbacks, Log& log) {
  QUORATE_ASSERT(config.node_key != nullptr && config.self.value() < config.members.size() &&
                 config.addresses.size() == config.members.size());
  const std::uint32_t self = config.self.value();
  if (config.node_key->public_key() != config.members[self].node_key) {
    return fail(Errc::invalid_argument,
                "the node key " + to_0x(config.node_key->public_key()) + " is not the key " +
                    to_0x(config.members[self].node_key) + " that the genesis gives '" +
                    config.members[self].name + "'");
  }
  for (std::uint32_t i = 0; i < config.addresses.size(); ++i) {
    if (i != self) QUORATE_CHECK(parse_peer_address(config.addresses[i]));
  }
  QUORATE_TRY(TlsContext tls, make_tls_context(*config.node_key, config.members[self].name));
  auto impl = std::make_unique<Impl>(std::move(config), std::move(callbacks), log, std::move(tls));
  QUORATE_CHECK(impl->listen());
  impl->run();
  return std::unique_ptr<PeerManager>(new PeerManager(std::move(impl)));
}

void PeerManager::send(std::optional<ReplicaId> to, TrafficClass traffic, Bytes body) {
  const auto shared = std::make_shared<const Bytes>(std::move(body));
  if (to) {
    QUORATE_ASSERT(to->value() < impl_->peers.size() && *to != impl_->config.self);
    return impl_->enqueue(impl_->peer_of(*to), traffic, shared);
  }
  for (const auto& peer : impl_->peers) {
    if (peer) impl_->enqueue(*peer, traffic, shared);
  }
}

void PeerManager::disconnect(ReplicaId peer, const std::string& reason) {
  asio::post(impl_->io, [this, peer, reason] {
    Peer& target = impl_->peer_of(peer);
    if (const SessionPtr session = target.session) session->refuse(reason);
  });
}

void PeerManager::ban(ReplicaId peer, std::chrono::milliseconds time, const std::string& reason) {
  asio::post(impl_->io, [this, peer, time, reason] {
    if (!impl_->stopping) impl_->ban(impl_->peer_of(peer), time, reason);
  });
}

std::vector<PeerInfo> PeerManager::peers() const {
  std::vector<PeerInfo> out;
  for (const auto& peer : impl_->peers) {
    if (!peer) continue;
    const std::lock_guard lock(peer->mutex);
    out.push_back(peer->info);
    if (peer->info.connected) out.back().last_error.clear();
  }
  return out;
}

NetTotals PeerManager::totals() const {
  const std::lock_guard lock(impl_->totals_mutex);
  return impl_->totals;
}

std::uint16_t PeerManager::port() const { return impl_->port; }

void PeerManager::stop() { impl_->stop(); }

}  // namespace quorate::node
