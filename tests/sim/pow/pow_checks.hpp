// The invariants of a run of proof of work, checked after every event:
//   W1 order      a commit names a block that was mined, stands on the replica's own branch and has
//                 the depth it must have; a payload is the one that its header names; no block that
//                 breaks a rule is on a preferred branch
//   W2 most work  the preferred branch of a replica changes only to one of more work, in a crash it
//                 loses no more than what was not durable; in the end everybody prefers the branch
//                 of most work. Nobody aims for long at a branch that breaks a rule
//   W3 one state  the same order gives the same block everywhere, and a replay from genesis too;
//                 nonces once per branch, no transaction twice in it, no money made or lost on any;
//                 headers name the results that their miners have
//   W4 rewinds    a ledger leaves its branch only by a rewind to where the branches part, which is
//                 reported with every transaction that it withdraws before anything else is
//                 executed; what is still valid waits again (order_model)
//   W5 durable    an own block is on the disk before anybody hears of it, and so are those that
//                 make a commit deep
//   W6 memory     within its bound
#pragma once

#include <map>
#include <set>
#include <vector>

#include "tests/sim/node_checks.hpp"
#include "tests/sim/pow/branch_ledger.hpp"
#include "tests/sim/pow/order_model.hpp"

namespace quorate::sim::pow {

class PowChecks final : public NodeChecks {
 public:
  explicit PowChecks(World& world);

  void on_send(ReplicaId sender, ByteView message, const Durable& durable) override;
  void on_untrusted_send(ByteView) override {}
  void on_verified(ByteView) override {}
  void on_ordered(ReplicaId replica, const ledger::OrderedBlock& block) override;
  void on_executed(ReplicaId replica, const ledger::ExecutedBlock& block) override;
  void on_sealed(ReplicaId replica, Height height,
                 const std::vector<crypto::ReplicaSignature>& seals) override;
  void on_rewound(ReplicaId replica, Height height) override;
  void on_notice(ReplicaId replica, const node::Notice& notice) override;
  void on_start(ReplicaId replica, const node::Replica& started) override;
  void after_step(ReplicaId replica, const node::Replica& stepped, const Durable& durable) override;
  void on_crash(ReplicaId replica) override;
  Height height() const override { return branches_.highest(); }

  // Its miner won in the lottery.
  void on_mined(ReplicaId replica, const MinedBlock& block);
  // At the end of a run, of every replica that is up.
  void final_chain(ReplicaId replica, const node::Replica& ended, const ledger::Chain& chain);
  // Once, of one of them.
  void replay(ReplicaId replica, const ledger::Chain& chain);

  Lottery& lottery() { return lottery_; }
  const Lottery& lottery() const { return lottery_; }
  BranchLedger& branches() { return branches_; }
  const BranchLedger& branches() const { return branches_; }
  std::uint64_t rewinds() const;
  std::uint64_t rewinds(ReplicaId replica) const { return seen_.at(replica.value()).rewinds; }
  std::size_t memory_max() const { return memory_max_; }
  std::size_t memory_bound() const { return memory_bound_; }

 private:
  struct Seen {  // of one replica
    Seen(const Lottery& lottery, std::uint64_t depth) : order(lottery, depth) {}
    OrderModel order;
    Digest tip;  // of its preferred branch
    std::uint64_t tip_work = 0;
    std::uint64_t durable_tip_work = 0;
    std::uint32_t switches = 0;               // to other branches, in this very step
    std::optional<Instant> aims_at_outlawed;  // since then
    std::uint64_t life = 0;
    std::uint64_t rewinds = 0;
    std::set<Digest> withdrawn;                   // by a rewind that it has not reported yet
    std::vector<ledger::TransactionPtr> to_wait;  // what had taken effect of it
    bool reported = false;                        // in this very step
    std::map<Digest, Bytes> unsent;  // encoded headers of own blocks that nobody heard of
  };
  void judge_tip(ReplicaId replica, const consensus::Status::Branch& branch);
  void judge_aim(ReplicaId replica, const consensus::Status::Branch& branch);
  void judge_order(ReplicaId replica, const consensus::Status& status, const Durable& durable);
  bool chooses_by_height(ReplicaId replica) const;  // the canary
  void judge_result(ReplicaId replica, const Header& header);
  void judge_repeats(ReplicaId replica, const ledger::ExecutedBlock& block);
  void demand_waiting(ReplicaId replica, const node::Replica& stepped);
  void violate(const char* invariant, ReplicaId replica, const std::string& detail);

  World& world_;
  Lottery lottery_;
  BranchLedger branches_;
  std::vector<Seen> seen_;
  std::uint64_t depth_;
  std::size_t memory_bound_ = 0;
  std::size_t memory_max_ = 0;
};

}  // namespace quorate::sim::pow
