// What happens to the blocks of a timed run of proof of work: who mined them, which branch each
// replica preferred when, what it left and what its ledger took back. One run owns it.
#pragma once

#include <map>
#include <vector>

#include "node/ports.hpp"
#include "tests/sim/pow/lottery.hpp"

namespace quorate::sim::timed {

class WorkTally {
 public:
  struct Block {
    Digest id;
    Digest parent;
    std::uint64_t height = 0;
    Duration when{0};  // found
    std::uint32_t miner = 0;
  };
  // A replica prefers another tip from now on.
  struct Preference {
    Duration when{0};
    std::uint32_t replica = 0;
    Digest tip;
    std::uint64_t height = 0;
    std::uint64_t left = 0;  // blocks of the old branch that are not on the new one
  };
  // A replica's ledger takes blocks back.
  struct Withdrawal {
    Duration when{0};
    std::uint32_t replica = 0;
    std::uint64_t to = 0;  // the height where it stands again
    std::uint64_t blocks = 0;
    std::uint64_t transactions = 0;
  };
  explicit WorkTally(std::uint32_t replicas) : tips_(replicas) {}

  void mined(ReplicaId replica, const pow::MinedBlock& block);
  const Preference& prefers(Instant when, ReplicaId replica, const Digest& tip, Height height);
  const Withdrawal& withdrawn(Instant when, ReplicaId replica, const node::Notice& notice);
  // It has nothing in memory any more; what it says next is no change of mind.
  void crashed(ReplicaId replica) { tips_.at(replica.value()) = Digest{}; }

  const std::vector<Block>& blocks() const { return blocks_; }
  const Block* find(const Digest& id) const;
  const std::vector<Preference>& preferences() const { return preferences_; }
  const std::vector<Withdrawal>& withdrawals() const { return withdrawals_; }
  // How many blocks were left how often, over all replicas.
  std::map<std::uint64_t, std::uint64_t> switches() const;

 private:
  std::uint64_t blocks_left(Digest from, Digest to) const;
  std::uint64_t height_of(const Digest& id) const;

  std::vector<Block> blocks_;
  std::map<Digest, std::size_t> by_id_;
  std::vector<Digest> tips_;  // by replica
  std::vector<Preference> preferences_;
  std::vector<Withdrawal> withdrawals_;
};

}  // namespace quorate::sim::timed
