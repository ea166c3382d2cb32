// The invariants of a run, checked after every event. Each check looks only at what the event
// changed, so that checking costs little more than running.
//   I1 one proposal and one block per height     I2 one signed content per slot (wire_check)
//   I3 durable before sent (wire_check)          I4 exactly once, money conserved (model_ledger)
//   I5 block certificates verify independently   I6 committed stays in later views (wire_check)
//   I7 state roots equal, and equal to a replay
//   I8 memory within its bound                   I10 nothing that must grow ever shrinks
#pragma once

#include <map>
#include <set>
#include <vector>

#include "node/replica.hpp"
#include "tests/sim/model_ledger.hpp"
#include "tests/sim/wire_check.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

class Checks {
 public:
  explicit Checks(World& world);

  void on_send(ReplicaId sender, ByteView message, const Durable& durable) {
    wire_.on_send(sender, message, durable);
  }
  // Of a replica that is not correct: only what it signed counts.
  void on_untrusted_send(ByteView message) { wire_.on_untrusted_send(message); }
  // A message that a correct replica received and found valid.
  void on_verified(ByteView message) { wire_.on_verified(message); }
  // A payload was handed to the executor.
  void on_ordered(ReplicaId replica, const ledger::OrderedBlock& block);
  // A block is durable at a replica.
  void on_executed(ReplicaId replica, const ledger::ExecutedBlock& block);
  void on_sealed(ReplicaId replica, Height height,
                 const std::vector<crypto::ReplicaSignature>& seals);
  void after_step(ReplicaId replica, const node::Replica& stepped, bool votes_unsynced);
  void on_crash(ReplicaId replica);
  // At the end of the run.
  void final_chain(ReplicaId replica, const ledger::Chain& chain);
  void replay(const ledger::Chain& chain);

  // At the end of a run. I12: whoever the wire log blames is not correct, and after a fork they are
  // more than f.
  void judge_culprits(bool forked);
  std::set<ReplicaId> culprits() const { return wire_.log().culprits(); }

  ModelLedger& model() { return model_; }
  const ModelLedger& model() const { return model_; }
  // The highest height that some replica has executed.
  Height height() const { return Height(agreed_.size() - 1); }
  std::size_t memory_bound() const { return memory_bound_; }
  std::size_t memory_max() const { return memory_max_; }

 private:
  struct Agreed {
    Digest payload_id;
    Digest block_hash;
    Digest state_root;
    Digest checkpoint_digest;
    bool executed = false;
  };
  struct Floor {  // what must not fall
    Height low_watermark, last_executed;
    View promise;
    // As of the last moment at which everything the replica had decided was on its disk.
    Height durable_low_watermark;
    View durable_promise;
  };
  Agreed& agreed_at(Height height);

  World& world_;
  WireCheck wire_;
  ModelLedger model_;
  std::map<Height, Digest> ordered_;  // the proposal of each height
  std::vector<Agreed> agreed_;        // by height, from genesis on
  std::vector<Floor> floors_;
  std::size_t memory_bound_;
  std::size_t memory_max_ = 0;  // of any replica so far
};

}  // namespace quorate::sim
