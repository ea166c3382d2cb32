// Draws what goes wrong in a run, and when: link faults for the whole network, single links that
// carry nothing in one direction, and episodes for single replicas (crash and restart, cut cable,
// slow disk, wrong or frozen clock, damaged or restored disk, a clone of the machine), with a
// liking for the primary. Some replicas are Byzantine from the start.
//
// The budget: at most f replicas at a time are Byzantine, amnesiac, down, cut off or wrong about
// the time. Beyond it the primary crashes now and then and the power fails everywhere at once; but
// then everybody comes back soon, with all that was durable.
#pragma once

#include <vector>

#include "tests/sim/disk_faults.hpp"

namespace quorate::sim {

class FaultPlan {
 public:
  FaultPlan(Simulation& simulation, Prng prng);

  void begin();
  // No new faults; what is down stays for the caller to start.
  void heal() { healed_ = true; }
  // How many of the budget stay faulty through the heal phase.
  std::uint32_t faulty_for_good() const;

 private:
  struct State {
    bool faulty = false;       // down, about to crash, cut, or its clock is wrong
    bool wrong_clock = false;  // to the end
    bool slow = false;
    std::optional<DiskFault> strike;  // when it is down next
  };
  void choose_villains();
  void await_usurper(Height from);
  void usurp(View view);
  void collude();
  void keep_copies();
  void next_episode();
  void begin_episode();
  void begin_fault(ReplicaId replica);
  void crashed(Machine machine);
  void crash_some(ReplicaId replica);
  void crash_primary();
  void black_out();
  void order_crash(SimNode& node);
  void cut_some(ReplicaId replica);
  void slow_some(ReplicaId replica);
  void block_some_link();
  void confuse_clock(ReplicaId replica);
  void freeze_clock(ReplicaId replica);
  void lose_votes(ReplicaId replica);
  void clone(ReplicaId replica);
  // Once the chain is at this height, or the time is over.
  void restart_when(Machine machine, Height least_height, Instant latest);
  void draw_link_faults();
  std::uint32_t faulty() const;
  ReplicaId any_replica();
  State& state(ReplicaId replica) { return states_.at(replica.value()); }

  Simulation& simulation_;
  World& world_;
  Network& network_;
  Prng prng_;
  std::vector<State> states_;
  std::vector<DiskCopy> copies_;  // of all machines, made early in the run
  bool healed_ = false;
};

}  // namespace quorate::sim
