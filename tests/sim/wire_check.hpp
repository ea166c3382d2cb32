// What replicas sign and send. I2: over all lives, never two contents for one (type, view, height,
// replica). I3: whatever a message promises is durable at the moment it leaves: the own bytes,
// and for PRE-PREPARE and PREPARE the core and the payload, for COMMIT the prepared certificate,
// for SEAL and CHECKPOINT the block, for any vote the checkpoint that opened its window and the
// NEW-VIEW that opened its view, for VIEW-CHANGE and NEW-VIEW themselves. I6: a committed proposal
// stands in every NEW-VIEW of a later view that speaks of its height. And nobody votes for what a
// primary proposes in another's name.
#pragma once

#include <map>
#include <set>
#include <tuple>

#include "consensus/pbft/messages.hpp"
#include "tests/sim/node_checks.hpp"
#include "tests/sim/view_check.hpp"
#include "tests/sim/wire_log.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

class WireCheck {
 public:
  // `agreed_checkpoint` gives the checkpoint digest of a height that some replica has executed.
  WireCheck(World& world, std::function<std::optional<Digest>(Height)> agreed_checkpoint)
      : world_(world),
        views_(world),
        agreed_checkpoint_(std::move(agreed_checkpoint)),
        log_(world, [this](Height height, View view, const Digest& id) {
          note_committed(height, view, id);
        }) {}

  void on_committed(Height height, const Digest& id, ByteView certificate);
  // A payload may also have come with a block of catch-up; empty ones need not be held.
  void note_payload(const Digest& id, const Bytes& payload) {
    if (!payload.empty()) payloads_.try_emplace(id, std::make_shared<const Bytes>(payload));
  }
  void on_send(ReplicaId sender, ByteView message, const Durable& durable);
  // Only what its signatures prove is noted.
  void on_untrusted_send(ByteView message);
  const WireLog& log() const { return log_; }
  // Valid, also for a correct replica: a NEW-VIEW among these must keep what is committed.
  void on_verified(ByteView message);

 private:
  using Ballot = consensus::pbft::Ballot;
  struct Committed {
    View view;  // the lowest in which it is known to be committed
    Digest id;
  };
  struct OpenedView {
    View view;
    Height low;  // nothing at or below it is proposed again
    std::map<Height, Digest> proposals;
  };
  void check_kept(const OpenedView& opened, Height height, const Committed& committed);
  void check(ReplicaId sender, const consensus::pbft::PrePrepare& message, const Durable& durable);
  void check(ReplicaId sender, const consensus::pbft::Vote& message, const Durable& durable);
  void check(ReplicaId sender, const consensus::pbft::Seal& message, const Durable& durable);
  void check(ReplicaId sender, const consensus::pbft::CheckpointVote& message,
             const Durable& durable);
  void check(ReplicaId sender, const consensus::pbft::CommitCertificate& message,
             const Durable& durable);
  void check(ReplicaId sender, const consensus::pbft::CheckpointProof& message,
             const Durable& durable);
  void check(ReplicaId sender, const consensus::pbft::ViewChangePtr& message,
             const Durable& durable);
  void check(ReplicaId sender, const consensus::pbft::NewViewPtr& message, const Durable& durable);
  void check_view(ReplicaId sender, const Ballot& ballot, const Digest& digest,
                  const Durable& durable);
  void demand_fresh(ReplicaId sender, const Ballot& ballot);
  void note_body(const Digest& id, const consensus::pbft::Body& body) {
    payloads_.emplace(id, body.payload);
    headers_.emplace(id, body.header);
  }
  void note_committed(Height height, View view, const Digest& id);
  void note_new_view(const consensus::pbft::NewView& message);
  void check(ReplicaId sender, const consensus::pbft::Suspect& message, const Durable& durable);
  template <class Other>
  void check(ReplicaId, const Other&, const Durable&) {}

  // What is about to be checked was signed by its sender: its digest, which the simulator's own
  // reader must have found too.
  const Digest& signed_digest(const Digest& digest);
  // A message or certificate that a correct replica took for valid holds no signature of another
  // correct replica that this one never made.
  void demand_signed(ReplicaId replica, const Digest& digest, const char* what);
  void demand_genuine(const consensus::pbft::ViewChange& message);
  // The bodies that its certificates name may be needed by the view that comes.
  void demand_bodies(ReplicaId sender, const consensus::pbft::ViewChange& message,
                     const Durable& durable);
  bool holds(const Durable& durable, ReplicaId signer, const Digest& digest) const;
  bool ever_held(const Durable& durable, ReplicaId signer, const Digest& digest) const;
  bool holds_payload(const Durable& durable, const Ballot& ballot, const Bytes* payload) const;
  std::uint32_t prepares_held(const Durable& durable, const Ballot& ballot) const;
  // Whether a vote for this height is inside the window of a checkpoint that is durable.
  bool window_open(const Durable& durable, Height height) const;
  // Whether the certificate of a checkpoint at or above `from` is durable.
  bool stable_checkpoint_held(const Durable& durable, Height from) const;
  void demand(bool holds, ReplicaId sender, const char* what, Height height);

  World& world_;
  ViewCheck views_;
  std::function<std::optional<Digest>(Height)> agreed_checkpoint_;
  WireLog log_;
  std::vector<WireSignature> read_;                          // of the message being checked
  std::map<Digest, std::shared_ptr<const Bytes>> payloads_;  // by proposal id
  std::map<Digest, consensus::pbft::ProposalHeader> headers_;
  std::map<View, std::set<Digest>> opened_;  // what the signatures of valid NEW-VIEWs cover
  std::map<ReplicaId, std::map<View, SignatureNumber>> promised_;
  std::map<Height, Committed> committed_;
  std::vector<OpenedView> opened_views_;
};

}  // namespace quorate::sim
