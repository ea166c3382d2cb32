// Draws what goes wrong in a run, and when: link faults for the whole network, and episodes for
// single replicas (crash and restart, cut cable, slow disk), with a liking for the primary. At most
// f replicas are down or cut at a time. Beyond that the primary crashes now and then and the power
// fails everywhere at once; but then everybody comes back soon.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tests/sim/network.hpp"
#include "tests/sim/sim_node.hpp"

namespace quorate::sim {

class FaultPlan {
 public:
  // `restart` starts a crashed node and connects it; `height` is the network's.
  FaultPlan(World& world, Network& network, std::vector<std::unique_ptr<SimNode>>& nodes, Prng prng,
            std::function<void(ReplicaId)> restart, std::function<Height()> height,
            std::function<ReplicaId()> primary);

  void begin();
  void crashed(ReplicaId replica);
  // Ends every fault; what is down starts again, except `dead`, which dies now if it lives.
  void heal(std::optional<ReplicaId> dead);
  // The dead one lives again.
  void revive();

 private:
  struct State {
    bool faulty = false;  // down, about to crash, or cut
    bool slow = false;
  };
  void next_episode();
  void begin_episode();
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

  World& world_;
  Network& network_;
  std::vector<std::unique_ptr<SimNode>>& nodes_;
  Prng prng_;
  std::function<void(ReplicaId)> restart_;
  std::function<Height()> height_;
  std::function<ReplicaId()> primary_;
  std::optional<ReplicaId> dead_;
  std::vector<State> states_;
  bool healed_ = false;
};

}  // namespace quorate::sim
