// Checkpoints [CL99 4.3]: every K heights replicas sign what their state is. q equal signatures
// make it stable: the low watermark h moves there, and what lies below is deleted.
//
// A stable checkpoint is adopted here once this replica executed its height and the certificate is
// durable, in one snapshot record that replaces the vote log. Owned by the engine's thread.
#pragma once

#include <map>
#include <optional>

#include "consensus/pbft/replica_state.hpp"

namespace quorate::consensus::pbft {

class Checkpointing {
 public:
  explicit Checkpointing(ReplicaState& state) : state_(state) {}

  void restore(const Digest& head_checkpoint_digest);
  // Signs what was executed while the start-up check held signatures back.
  void sign_pending();
  void on_executed(Height height, const Digest& checkpoint_digest);
  void on_vote(ReplicaId from, const CheckpointVote& vote);
  void on_proof(const CheckpointProof& proof);
  void on_own_vote_durable(Height height);
  // The snapshot with the certificate is durable: h moves.
  void on_adopted(Height height);

  // The highest stable checkpoint known, adopted or not.
  const std::optional<CheckpointProof>& newest() const { return newest_; }
  // Who signed the checkpoints above h, nearest first, for STATUS.
  std::vector<ReplicaSet> report() const;
  // A checkpoint was executed here that is not stable yet.
  bool unstable() const;
  // Asserts what bounds the memory, whatever others send.
  void assert_bounds() const;
  std::size_t memory_bytes() const;

 private:
  using Votes = std::map<ReplicaId, CheckpointVote>;
  Height nearest_checkpoint() const;
  void sign(const CheckpointClaim& claim);
  void count(Height height);
  bool in_window(Height height) const;
  void accuse_signers(const CheckpointProof& first, const CheckpointProof& second);
  void adopt();
  void forget_claims_below(Height executed);
  void diverged(Height height);

  ReplicaState& state_;
  std::map<Height, Votes> votes_;
  std::map<Height, CheckpointClaim> own_claims_;  // executed in this life or signed before
  std::optional<CheckpointProof> newest_;
  std::optional<CheckpointProof> adopting_;  // its snapshot is being written
};

}  // namespace quorate::consensus::pbft
