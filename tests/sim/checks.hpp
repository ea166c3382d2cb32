// The invariants of a run of PBFT, checked after every event. Each check looks only at what the
// event changed, so that checking costs little more than running.
//   I1 one proposal and one block per height     I2 one signed content per slot (wire_check)
//   I3 durable before sent (wire_check)          I4 exactly once, money conserved (model_ledger)
//   I5 block certificates verify independently   I6 committed stays in later views (wire_check)
//   I7 state roots equal, and equal to a replay
//   I8 memory within its bound                   I10 nothing that must grow ever shrinks
#pragma once

#include <map>
#include <set>
#include <vector>

#include "tests/sim/model_ledger.hpp"
#include "tests/sim/node_checks.hpp"
#include "tests/sim/wire_check.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

class Checks final : public NodeChecks {
 public:
  explicit Checks(World& world);

  void on_send(ReplicaId sender, ByteView message, const Durable& durable) override {
    wire_.on_send(sender, message, durable);
  }
  // Only what it signed counts.
  void on_untrusted_send(ByteView message) override { wire_.on_untrusted_send(message); }
  void on_verified(ByteView message) override { wire_.on_verified(message); }
  void on_ordered(ReplicaId replica, const ledger::OrderedBlock& block) override;
  void on_executed(ReplicaId replica, const ledger::ExecutedBlock& block) override;
  void on_sealed(ReplicaId replica, Height height,
                 const std::vector<crypto::ReplicaSignature>& seals) override;
  // Nothing that is committed is ever withdrawn.
  void on_rewound(ReplicaId replica, Height height) override;
  void on_notice(ReplicaId, const node::Notice&) override {}
  void on_start(ReplicaId, const node::Replica&) override {}
  void after_step(ReplicaId replica, const node::Replica& stepped, const Durable& durable) override;
  void on_crash(ReplicaId replica) override;
  void on_ledger_replaced(ReplicaId replica) override {
    floors_.at(replica.value()).last_executed = Height(0);
  }
  // At the end of the run.
  void final_chain(ReplicaId replica, const ledger::Chain& chain);
  void replay(const ledger::Chain& chain);

  // At the end of a run. I12: whoever the wire log blames is not correct, and after a fork they are
  // more than f.
  void judge_culprits(bool forked);
  std::set<ReplicaId> culprits() const { return wire_.log().culprits(); }

  ModelLedger& model() { return model_; }
  const ModelLedger& model() const { return model_; }
  Height height() const override { return Height(agreed_.size() - 1); }
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
