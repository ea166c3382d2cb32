// Draws what goes wrong in a run, and when: link faults for the whole network, and episodes for
// single replicas (crash and restart, cut cable, slow disk), with a liking for the primary. At most
// f replicas are down or cut at a time. Beyond that the primary crashes now and then and the power
// fails everywhere at once; but then everybody comes back soon.
#pragma once

#include <vector>

#include "tests/sim/simulation.hpp"

namespace quorate::sim {

class FaultPlan {
 public:
  FaultPlan(Simulation& simulation, Prng prng);

  void begin();
  // No new faults; what is down stays for the caller to start.
  void heal() { healed_ = true; }

 private:
  struct State {
    bool faulty = false;  // down, about to crash, or cut
    bool slow = false;
  };
  void next_episode();
  void begin_episode();
  void crashed(Machine machine);
  void crash_some(ReplicaId replica);
  void crash_primary();
  void black_out();
  void insist_on_crash(SimNode& node);
  void cut_some(ReplicaId replica);
  void slow_some(ReplicaId replica);
  // Once the chain is at this height, or the time is over.
  void restart_when(ReplicaId replica, Height least_height, Instant latest);
  void draw_link_faults();
  std::uint32_t faulty() const;
  ReplicaId any_replica();

  Simulation& simulation_;
  World& world_;
  Network& network_;
  Prng prng_;
  std::vector<State> states_;
  bool healed_ = false;
};

}  // namespace quorate::sim
