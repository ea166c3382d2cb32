// Everything that repairs loss: STATUS says what this replica holds, and whoever sees it sends what
// is missing, from its own messages only, byte for byte as they were first sent, and never more
// than a token bucket per peer allows. FETCH asks for a body by id, DATA brings it.
//
// One message is also passed on for another: a proposal that its primary does not repeat. Else a
// primary that shows it at once to as many as it must, and to the others just before their patience
// ends, makes agreement look slow; patience follows what agreement takes, and so would the primary.
//
// STATUS goes out every 200 ms while work is pending and every 2 s when idle.
// Owned by the engine's thread.
#pragma once

#include <map>
#include <set>

#include "consensus/pbft/catch_up.hpp"
#include "consensus/pbft/checkpointing.hpp"
#include "consensus/pbft/commit_queue.hpp"
#include "consensus/pbft/echoes.hpp"
#include "consensus/pbft/normal_case.hpp"
#include "consensus/pbft/replica_state.hpp"
#include "consensus/pbft/sealing.hpp"
#include "consensus/pbft/startup.hpp"
#include "consensus/pbft/view_change.hpp"
#include "consensus/token_bucket.hpp"

namespace quorate::consensus::pbft {

// The parts whose state STATUS describes.
struct Parts {
  CommitQueue& commits;
  NormalCase& normal_case;
  Checkpointing& checkpointing;
  Sealing& sealing;
  CatchUp& catch_up;
  Startup& startup;
  ViewChanging& view_changing;
};

class Retransmission {
 public:
  Retransmission(ReplicaState& state, Parts parts)
      : state_(state), parts_(parts), echoes_(state.settings.members()) {}

  void begin(std::uint64_t life) { echoes_.begin(life); }

  void on_status(ReplicaId from, const StatusReport& report);
  void on_fetch(ReplicaId from, const Digest& id);
  // Answers LoadPayload: for whoever fetched it.
  void on_payload(const Digest& id, const std::optional<Body>& body);
  // After every step: plans, and sends what is due.
  void advance();
  std::optional<Instant> next_deadline() const { return due_; }
  // A view has just begun: what is missing of it is asked for at once.
  void hurry() { due_ = state_.now; }
  // By replica: since when a STATUS of this one has no answer of it.
  std::vector<std::optional<Instant>> unanswered() const;
  // What f+1 others say they have executed, so that one of them is correct.
  Height claimed() const { return echoes_.claimed(state_.settings.membership.weak_quorum()); }
  std::size_t memory_bytes() const;

 private:
  bool work_pending() const;
  StatusReport report() const;
  SlotReport slot_report(Height height) const;
  Duration interval(bool busy) const;
  void send_status();
  void fetch_bodies();

  void send_checkpoints(ReplicaId to, const StatusReport& report);
  void send_certificates(ReplicaId to, const StatusReport& report);
  void send_votes(ReplicaId to, const StatusReport& report);
  void send_slot(ReplicaId to, const SlotReport& has, const SlotKey& key, const Slot& slot);
  bool passes_on(ReplicaId to, const Slot& slot) const;
  void send_view_messages(ReplicaId to, const StatusReport& report);
  void send_seals(ReplicaId to, const StatusReport& report);
  bool settled_down(Instant since) const;
  bool afford(ReplicaId to, std::uint64_t cost);
  bool send_own(ReplicaId to, const Message& message, std::uint64_t cost = 1);

  ReplicaState& state_;
  Parts parts_;
  std::optional<Instant> due_;  // of the next STATUS
  bool peer_ahead_ = false;     // a claim, good for an earlier STATUS and nothing else
  std::uint64_t sent_ = 0;
  Echoes echoes_;
  std::uint64_t fetches_ = 0;
  std::map<ReplicaId, TokenBucket> buckets_;
  std::map<ReplicaId, Instant> new_view_sent_;
  std::map<Digest, std::set<ReplicaId>> loading_;  // who waits for LoadPayload
};

}  // namespace quorate::consensus::pbft
