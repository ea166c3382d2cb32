// One message on its way, and who watches it. A broadcast is one Frame for all its receivers: what
// verification says of it depends on its bytes alone, so it is verified once and charged to each.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "consensus/pbft/messages.hpp"
#include "node/peer_messages.hpp"
#include "tests/sim/pow/lottery.hpp"

namespace quorate::sim::timed {

enum class MessageType : std::uint8_t {
  pre_prepare,
  prepare,
  commit,
  seal,
  checkpoint,
  suspect,
  view_change,
  new_view,
  status,
  fetch,
  data,
  certificate,  // a commit certificate or a checkpoint's proof, sent to a replica that lacks it
  announce,     // of proof of work: the newest headers
  ask_headers,
  headers,
  block,  // a whole one
  ask_blocks,
  transactions,  // relayed
  blocks,        // block catch-up
  other,
  count_
};
inline constexpr std::size_t kMessageTypes = static_cast<std::size_t>(MessageType::count_);
std::string_view to_string(MessageType type);

struct Frame {
  ReplicaId from;
  node::TrafficClass traffic;
  Bytes body;
  MessageType type = MessageType::other;
  View view;      // as far as the type has one
  Height height;  // likewise
  // Of a BLOCK: its id and payload.
  std::optional<std::pair<Digest, std::shared_ptr<const Bytes>>> block = {};
  std::optional<Result<node::PeerMessage>> verified;
  std::vector<std::uint64_t> signatures;  // that verification checked: their first bytes
};
using FramePtr = std::shared_ptr<Frame>;

FramePtr make_frame(ReplicaId from, node::TrafficClass traffic, Bytes body,
                    const consensus::pbft::DecodeLimits& limits);
// The same where work decides.
FramePtr make_work_frame(ReplicaId from, node::TrafficClass traffic, Bytes body,
                         std::uint32_t payload_bytes_max);

// Looks on. `number` pairs a copy's departure with its fate.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual std::uint32_t sent(Instant when, const Frame& frame, ReplicaId to) = 0;
  virtual void received(Instant when, std::uint32_t number) = 0;
  virtual void lost(Instant when, std::uint32_t number) = 0;
  virtual void noticed(Instant when, ReplicaId replica, const node::Notice& notice) = 0;
  // "crashed", "starts again", "partition {0, 1} | rest", "partition ends", ...
  virtual void happened(Instant when, std::optional<ReplicaId> replica,
                        const std::string& what) = 0;
  virtual void up(Instant when, ReplicaId replica, bool is_up) = 0;
  // The client holds the answer.
  virtual void final(Instant due, Instant when) = 0;

  // ---- of proof of work ----
  virtual void mined(ReplicaId, const pow::MinedBlock&) {}
  // It prefers the branch that ends in this block (zero: genesis).
  virtual void prefers(Instant, ReplicaId, const Digest&, Height) {}
  // The preferred branch of the replica that took a transaction in has it so deep, for the first
  // time, as WorkScene::depths lists it.
  virtual void deep(Instant, Instant, std::uint32_t) {}
  // A transaction that was final for its client is so no longer.
  virtual void reversed(Instant) {}
};

}  // namespace quorate::sim::timed
