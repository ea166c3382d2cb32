// SEALs: a signature that executing a height gave a block hash. q of them are the block
// certificate. Carries no view. Signed after the block is durable, logged before it is sent, and
// never signed twice for a height, not even when the ledger executes it again.
//
// Own SEALs are kept for K heights below the stable checkpoint too: a replica that lost the seals
// of the last blocks before the chain fell idle can still complete them.
// Owned by the engine's thread.
#pragma once

#include <map>
#include <set>

#include "consensus/pbft/replica_state.hpp"

namespace quorate::consensus::pbft {

class Sealing {
 public:
  explicit Sealing(ReplicaState& state) : state_(state) {}

  // After a restart: the logged SEALs count again, and the head is sealed if it was not.
  void restore(const Digest& head_hash);
  // Signs what was executed while the start-up check held signatures back.
  void sign_pending();
  void on_executed(Height height, const Digest& block_hash);
  void on_seal(const Seal& seal);
  void on_own_seal_durable(Height height);
  // Heights below a stable checkpoint are proved by it; no seal is waited for any more.
  void collect_garbage(Height low);

  // Every height up to it has a block certificate here, or lies below the stable checkpoint.
  Height sealed_to() const { return sealed_to_; }
  // The newest height with a certificate, with or without gaps below.
  Height newest_sealed() const { return sealed_.empty() ? sealed_to_ : *sealed_.rbegin(); }
  // Who sealed heights sealed_to + 1, + 2, ..., for STATUS.
  std::vector<ReplicaSet> report() const;
  // When the own SEAL of `height` was signed, in this life.
  Instant signed_at(Height height) const;
  // Asserts what bounds the memory, whatever others send.
  void assert_bounds() const;
  std::size_t memory_bytes() const;

 private:
  struct Entry {
    Digest block_hash;
    Signature signature;
  };
  void sign(Height height, const Digest& block_hash);
  void check(Height height);
  // No SEAL of another above it is kept.
  Height highest_taken() const;
  bool diverged(Height height, const Digest& sealed_hash);
  void collect_below(Height executed);
  void advance_sealed_to();

  ReplicaState& state_;
  std::map<Height, std::map<ReplicaId, Entry>> collected_;
  std::map<Height, Digest> own_hashes_;  // of blocks executed and not yet certified
  std::map<Height, Instant> signed_at_;
  Height sealed_to_;
  std::set<Height> sealed_;  // above sealed_to_
};

}  // namespace quorate::consensus::pbft
