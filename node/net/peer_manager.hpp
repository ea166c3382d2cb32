// The connections of this node to the other members of the genesis: TLS 1.3 pinned to their node
// keys, dialled by the lower replica id, kept alive, dialled again with capped backoff.
//
// Owns one thread ("io"), on which every callback runs; a callback must return at once. All methods
// are safe on any thread, and none blocks except start and stop. After stop() no callback runs.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/keys.hpp"
#include "node/net/frame.hpp"
#include "node/net/handshake.hpp"
#include "node/net/send_queue.hpp"
#include "node/ports.hpp"
#include "node/runtime/log.hpp"

namespace quorate::node {

struct PeerTiming {
  std::chrono::milliseconds handshake_max{5'000};  // from TCP connect or accept to welcome
  std::chrono::milliseconds ping_interval{5'000};
  std::chrono::milliseconds dead_after{15'000};  // nothing received, or nothing taken
  std::chrono::milliseconds backoff_first{100};
  std::chrono::milliseconds backoff_most{2'000};
};

struct PeerManagerConfig {
  std::vector<Member> members;         // by replica id
  std::vector<std::string> addresses;  // by replica id, host:port; the own entry is not used
  ReplicaId self;
  const crypto::NodeKey* node_key = nullptr;  // read during start only
  std::string listen;                         // host:port; port 0 picks a free one
  Digest chain_id;
  std::string software;  // for people: "quorate-node 0.1.0"
  std::uint32_t storage_version = 0;
  std::uint32_t wire_version = kWireVersion;  // tests pretend to be another release
  FrameLimits frames;
  SendQueueLimits queues;
  PeerTiming timing;
  // Of one member, in both directions together; whoever dials as this release does stays far below.
  std::uint32_t connections_per_minute_max = 120;
  std::size_t handshakes_max = 32;  // inbound and unfinished; above it the oldest gives way
};

// Called on the io thread.
struct PeerCallbacks {
  std::function<void(ReplicaId, TrafficClass, Bytes)> on_frame;
  std::function<void(ReplicaId)> on_connected;
  std::function<void(ReplicaId)> on_disconnected;
};

struct PeerInfo {
  ReplicaId replica;
  std::string name;
  std::string address;
  bool connected = false;
  bool outbound = false;  // this node dials it
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t connects = 0;
  std::uint64_t frames_dropped = 0;  // by its send queues
  std::uint64_t bans = 0;            // how often it was refused for a while
  std::string last_error;            // why there is no connection; empty while connected
};

struct NetTotals {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::array<std::uint64_t, kTrafficClasses> frames_in{};
  std::array<std::uint64_t, kTrafficClasses> frames_sent{};     // queued, once per peer
  std::array<std::uint64_t, kTrafficClasses> frames_dropped{};  // by full or slow send queues
  std::uint64_t refused = 0;  // handshakes that ended in a refusal, by either side
  std::uint64_t bans = 0;
};

class PeerManager final : public Transport {
 public:
  // Listens, starts the thread and begins to dial. `log` must outlive the manager.
  // Errors: invalid_argument (addresses), conflict (the port is taken), io.
  static Result<std::unique_ptr<PeerManager>> start(PeerManagerConfig config,
                                                    PeerCallbacks callbacks, Log& log);
  ~PeerManager() override;  // stops

  // Transport. A frame to a peer that is not connected is dropped.
  void send(std::optional<ReplicaId> to, TrafficClass traffic, Bytes body) override;
  void disconnect(ReplicaId peer, const std::string& reason) override;

  // Disconnects the peer and refuses it until `time` has passed. Both sides log why, naming both.
  void ban(ReplicaId peer, std::chrono::milliseconds time, const std::string& reason);

  std::vector<PeerInfo> peers() const;  // without this node
  NetTotals totals() const;
  std::uint16_t port() const;  // where it listens
  void stop();

 private:
  struct Impl;
  explicit PeerManager(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::node
