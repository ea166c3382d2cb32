// From certificates to execution: takes commit certificates in any order and hands payloads to the
// ledger strictly by height, each height once. Remembers what was decided recently, for the check
// against later proposals and for replicas that ask. Owned by the engine's thread.
#pragma once

#include <map>
#include <optional>

#include "consensus/pbft/replica_state.hpp"

namespace quorate::consensus::pbft {

struct Decided {
  Digest id;
  CommitCertificate certificate;
  Payload payload;  // null while it must be fetched
};

class CommitQueue {
 public:
  explicit CommitQueue(ReplicaState& state) : state_(state) {}

  // The ledger's head at the start of a life.
  void restore(Height applied, const Digest& applied_id);
  // A verified certificate, perhaps with its payload. Ignored when the height is decided already or
  // too far above the head; two ids for one height halt the replica.
  void add(CommitCertificate certificate, Payload payload);
  // Emits Commit for every height that follows without a gap and whose payload is here.
  void advance();
  // A stored certificate, loaded after a restart: of the head, or of a height above the low
  // watermark that a new view proposes again. True if it was not known.
  bool remember(const Digest& id, CommitCertificate certificate);
  void on_executed(Height height, const Digest& id);

  std::optional<Digest> decided_id(Height height) const;
  const Decided* find(Height height) const;
  // The certificate for the highest height, if any is held.
  const Decided* newest() const;
  const std::map<Height, Decided>& waiting() const { return waiting_; }
  void collect_garbage(Height low);
  std::size_t memory_bytes() const;

 private:
  bool contradicts(const CommitCertificate& certificate, const Digest& id);
  void commit(Height height, Decided decided);

  ReplicaState& state_;
  std::map<Height, Decided> waiting_;  // (last_committed, last_committed + body window]
  std::map<Height, Decided> recent_;   // at most 2L newest at or below last_committed
  std::map<Height, Digest> executing_;
  Height head_;  // executed before this life, with the id
  Digest head_id_;
};

}  // namespace quorate::consensus::pbft
