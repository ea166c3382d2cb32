#include "node/net/peer_session.hpp"

#include <netinet/tcp.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/error.hpp>
#include <limits>

#include "node/net/tls.hpp"

namespace quorate::node {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds kGoodbyeMax{1'000};
constexpr std::size_t kKeptBytes = 1U << 20U;

std::string in_words(const error_code& error) {
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated ||
      error == asio::error::connection_reset || error == asio::error::broken_pipe) {
    return "the peer closed the connection";
  }
  return error.message();
}

std::string seconds(std::chrono::milliseconds time) {
  return std::to_string(time.count() / 1000) + "." + std::to_string(time.count() % 1000 / 100) +
         " s";
}

}  // namespace

PeerSession::PeerSession(Host& host, asio::ssl::context& tls, Socket socket,
                         const PeerManagerConfig& config)
    : host_(host),
      config_(config),
      stream_(std::move(socket), tls),
      timer_(stream_.get_executor()),
      parser_(config.frames),
      last_in_(Clock::now()),
      last_out_(last_in_) {}

void PeerSession::dial(ReplicaId peer, const asio::ip::tcp::resolver::results_type& endpoints) {
  dialled_ = peer;
  arm(config_.timing.handshake_max);
  asio::async_connect(
      stream_.next_layer(), endpoints,
      [self = shared_from_this()](const error_code& error, const asio::ip::tcp::endpoint&) {
        if (self->state_ == State::closed) return;
        if (error) return self->close("cannot connect: " + error.message());
        self->start_tls(asio::ssl::stream_base::client);
      });
}

void PeerSession::accept() {
  arm(config_.timing.handshake_max);
  start_tls(asio::ssl::stream_base::server);
}

void PeerSession::start_tls(asio::ssl::stream_base::handshake_type side) {
  error_code ignored;  // a missing option or name costs latency or a log word, nothing else
  stream_.next_layer().set_option(asio::ip::tcp::no_delay(true), ignored);
  using UnsentMax = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;
  stream_.next_layer().set_option(UnsentMax(kWriteBytes), ignored);
  const auto endpoint = stream_.next_layer().remote_endpoint(ignored);
  if (!ignored) {
    remote_ = endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
  }
  stream_.async_handshake(side, [self = shared_from_this()](const error_code& error) {
    if (self->state_ == State::closed) return;
    if (error) return self->close("TLS handshake failed: " + in_words(error));
    self->on_tls();
  });
}

void PeerSession::on_tls() {
  auto key = peer_node_key(stream_.native_handle());
  if (!key) return refuse(key.error().detail);
  peer_key_ = *key;
  state_ = State::greeting;
  const auto& self = config_.members.at(config_.self.value());
  append_frame(control_, FrameType::hello,
               encode_hello({.wire_version = config_.wire_version,
                             .chain_id = config_.chain_id,
                             .replica = config_.self,
                             .storage_version = config_.storage_version,
                             .name = self.name,
                             .software = config_.software}));
  write();
  read();
}

void PeerSession::read() {
  stream_.async_read_some(asio::buffer(in_),
                          [self = shared_from_this()](const error_code& error, std::size_t size) {
                            if (self->state_ == State::closed) return;
                            if (error) return self->close(in_words(error));
                            self->on_read(size);
                          });
}

void PeerSession::on_read(std::size_t size) {
  last_in_ = Clock::now();
  host_.on_bytes(*this, size, 0);
  ByteView input(in_.data(), size);
  while (state_ != State::closed) {
    auto frame = parser_.next(input);
    if (!frame) {
      // While refusing, what the peer still sends does not matter any more.
      if (state_ == State::refusing) break;
      refuse(frame.error().detail);
      return read();
    }
    if (!*frame) break;
    on_frame(std::move(**frame));
  }
  if (state_ != State::closed) read();
}

void PeerSession::on_frame(Frame frame) {
  if (frame.type == FrameType::refusal) {
    const std::string reason = "refused by the peer: " + decode_refusal(frame.body);
    if (state_ != State::refusing) host_.on_closed(*this, reason, true);
    return finish();
  }
  if (state_ == State::refusing || frame.type == FrameType::ping) return;
  if (state_ == State::greeting) return on_hello(frame.body);
  if (frame.type == FrameType::welcome && state_ == State::welcomed) {
    state_ = State::established;
    arm(config_.timing.ping_interval);
    host_.on_established(*this);
    return write();
  }
  const auto traffic = traffic_class(frame.type);
  if (state_ != State::established || !traffic) {
    return refuse(std::string("an untimely ") + to_string(frame.type) + " frame");
  }
  host_.on_frame(*this, *traffic, std::move(frame.body));
}

void PeerSession::on_hello(ByteView body) {
  auto theirs = decode_hello(body);
  if (!theirs) return refuse("bad hello: " + theirs.error().detail);
  auto peer = host_.on_hello(*this, *theirs);
  if (!peer) return refuse(peer.error().detail);
  peer_ = *peer;
  state_ = State::welcomed;
  parser_.set_established();
  append_frame(control_, FrameType::welcome, {});
  write();
}

void PeerSession::wake() {
  if (state_ == State::established) write();
}

void PeerSession::write() {
  if (writing_ || state_ == State::closed) return;
  out_done_ = 0;
  out_.clear();
  out_.swap(control_);
  if (state_ == State::established) host_.on_writable(*this, out_);
  if (out_.empty() && ping_due_) append_frame(out_, FrameType::ping, {});
  ping_due_ = false;
  if (!goodbye_.empty()) append_frame(out_, FrameType::refusal, encode_refusal(goodbye_));
  goodbye_.clear();
  if (out_.empty()) {
    if (state_ == State::refusing) say_goodbye();
    return;
  }
  writing_ = true;
  last_out_ = Clock::now();
  write_more();
}

void PeerSession::write_more() {
  stream_.async_write_some(asio::buffer(out_.data() + out_done_, out_.size() - out_done_),
                           [self = shared_from_this()](const error_code& error, std::size_t size) {
                             if (self->state_ == State::closed) return;
                             if (error) return self->close(in_words(error));
                             self->last_out_ = Clock::now();
                             self->host_.on_bytes(*self, 0, size);
                             self->out_done_ += size;
                             if (self->out_done_ < self->out_.size()) return self->write_more();
                             self->writing_ = false;
                             // A frame of many megabytes should not keep its memory for the life of
                             // the connection.
                             if (self->out_.capacity() > kKeptBytes) self->out_ = Bytes();
                             self->write();
                           });
}

void PeerSession::arm(std::chrono::milliseconds delay) {
  timer_.expires_after(delay);
  timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error && self->state_ != State::closed) self->on_timer();
  });
}

void PeerSession::on_timer() {
  switch (state_) {
    case State::connecting:
      return close("no connection within " + seconds(config_.timing.handshake_max));
    case State::greeting:
    case State::welcomed:
      return refuse("no handshake within " + seconds(config_.timing.handshake_max));
    case State::established: return keep_alive();
    case State::refusing: return finish();
    case State::closed: return;
  }
}

void PeerSession::keep_alive() {
  const auto now = Clock::now();
  if (now - last_in_ >= config_.timing.dead_after) {
    return close("nothing received for " + seconds(config_.timing.dead_after));
  }
  if (writing_ && now - last_out_ >= config_.timing.dead_after) {
    return close("the peer has taken nothing for " + seconds(config_.timing.dead_after));
  }
  arm(config_.timing.ping_interval);
  ping_due_ = true;
  write();
}

std::string PeerSession::name_of(ReplicaId id) const {
  return "'" + config_.members.at(id.value()).name + "' (replica " + std::to_string(id.value()) +
         ")";
}

std::string PeerSession::name_of_peer() const {
  if (peer_) return name_of(*peer_);
  if (state_ == State::connecting) {
    return dialled_ ? name_of(*dialled_) : "whoever connects from " + remote_;
  }
  for (std::uint32_t i = 0; i < config_.members.size(); ++i) {
    if (config_.members[i].node_key == peer_key_) return name_of(ReplicaId(i));
  }
  return "the holder of node key " + to_0x(peer_key_) + " at " + remote_;
}

void PeerSession::refuse(const std::string& why) {
  if (state_ == State::closed || state_ == State::refusing) return;
  const std::string reason = name_of(config_.self) + " refuses " + name_of_peer() + ": " + why;
  if (state_ == State::connecting) return close(reason);  // no TLS to say it through
  state_ = State::refusing;
  goodbye_ = reason;
  host_.on_closed(*this, reason, true);
  arm(kGoodbyeMax);
  write();
}

void PeerSession::say_goodbye() {
  // Only this half: closing with unread input would reset the connection, and the reset can
  // overtake the refusal. The peer closes once it has read it, or the timer does.
  error_code ignored;
  stream_.next_layer().shutdown(Socket::shutdown_send, ignored);
}

void PeerSession::close(const std::string& reason) {
  if (state_ == State::closed) return;
  if (state_ != State::refusing) host_.on_closed(*this, reason, false);
  finish();
}

void PeerSession::finish() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  timer_.cancel();
  error_code ignored;
  stream_.next_layer().close(ignored);
  host_.on_finished(*this);
}

}  // namespace quorate::node
