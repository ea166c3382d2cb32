// One TLS connection to one peer, from TCP connect or accept to its end: TLS, hello, welcome, then
// frames both ways. Lives on the io thread only; held by shared_ptr, because pending operations
// keep it alive. Only peer_manager.cpp includes this header.
//
//   connecting -> greeting -> welcomed -> established -> (refusing) -> closed
//   greeting: our hello is sent, theirs awaited; welcomed: theirs is accepted, their welcome
//   awaited
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "node/net/frame.hpp"
#include "node/net/handshake.hpp"
#include "node/net/peer_manager.hpp"

namespace quorate::node {

// One write takes about this much from the queues, and the kernel holds about as much that it has
// not sent: small enough that a vote which arrives now does not wait long behind bulk traffic, and
// that on a slow line the queues decide what is worth sending.
inline constexpr std::size_t kWriteBytes = 16 * 1024;

class PeerSession : public std::enable_shared_from_this<PeerSession> {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  // What the session asks of the manager. All on the io thread.
  class Host {
   public:
    virtual ~Host() = default;
    // Who this is, or why it is refused.
    virtual Result<ReplicaId> on_hello(PeerSession& session, const Hello& theirs) = 0;
    virtual void on_established(PeerSession& session) = 0;
    virtual void on_frame(PeerSession& session, TrafficClass traffic, Bytes body) = 0;
    // Appends what waits to be written.
    virtual void on_writable(PeerSession& session, Bytes& out) = 0;
    virtual void on_bytes(PeerSession& session, std::size_t in, std::size_t out) = 0;
    // No frame follows. `refused` when a refusal was said by either side.
    virtual void on_closed(PeerSession& session, const std::string& reason, bool refused) = 0;
    // The socket is closed; the session may go.
    virtual void on_finished(PeerSession& session) = 0;
  };

  PeerSession(Host& host, boost::asio::ssl::context& tls, Socket socket,
              const PeerManagerConfig& config);

  void dial(ReplicaId peer, const boost::asio::ip::tcp::resolver::results_type& endpoints);
  void accept();

  // Something waits in the send queue.
  void wake();
  // Ends the connection at once.
  void close(const std::string& reason);
  // Tells the peer why first, and gives it a second to read that. Both sides are named in front of
  // the reason.
  void refuse(const std::string& why);

  bool established() const { return state_ == State::established; }
  // Who it is: known once its hello was accepted.
  std::optional<ReplicaId> peer() const { return peer_; }
  std::optional<ReplicaId> dialled() const { return dialled_; }
  const PublicKey& peer_key() const { return peer_key_; }
  const std::string& remote() const { return remote_; }

 private:
  enum class State { connecting, greeting, welcomed, established, refusing, closed };
  using Clock = std::chrono::steady_clock;

  void start_tls(boost::asio::ssl::stream_base::handshake_type side);
  void on_tls();
  void read();
  void on_read(std::size_t size);
  void on_frame(Frame frame);
  void on_hello(ByteView body);
  void write();
  void write_more();
  void arm(std::chrono::milliseconds delay);
  void on_timer();
  void keep_alive();
  void say_goodbye();
  std::string name_of(ReplicaId id) const;
  // Who the peer is, as far as it has shown by now.
  std::string name_of_peer() const;
  void finish();

  Host& host_;
  const PeerManagerConfig& config_;
  boost::asio::ssl::stream<Socket> stream_;
  boost::asio::steady_timer timer_;
  State state_ = State::connecting;
  std::optional<ReplicaId> dialled_;
  std::optional<ReplicaId> peer_;
  PublicKey peer_key_;
  std::string remote_ = "?";
  FrameParser parser_;
  std::array<std::uint8_t, 32 * 1024> in_;
  Bytes control_;  // hello and welcome: frames that no queue holds
  Bytes out_;      // what the pending write sends; not touched until it ends
  std::size_t out_done_ = 0;
  bool writing_ = false;
  bool ping_due_ = false;
  std::string goodbye_;  // the refusal still to be written
  Clock::time_point last_in_;
  Clock::time_point last_out_;
};

}  // namespace quorate::node
