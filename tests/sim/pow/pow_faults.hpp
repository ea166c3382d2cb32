// Draws what goes wrong in a run of proof of work, and when. There is no budget of faulty replicas
// here: any number may crash or be cut off, and everything must be repaired in the end. At most one
// clock at a time is wrong, since whoever has most of the hash rate says what time it is.
#pragma once

#include <optional>

#include "tests/sim/pow/pow_simulation.hpp"

namespace quorate::sim::pow {

class PowFaults {
 public:
  PowFaults(PowSimulation& simulation, Prng prng);

  void begin();
  // No new faults; what is down stays for the caller to start.
  void heal() { healed_ = true; }

 private:
  void next_episode();
  void begin_episode();
  void draw_link_faults();
  void block_some_link();
  void split();
  void race();
  std::vector<std::vector<Machine>> draw_sides();
  void share_among(const std::vector<std::vector<Machine>>& sides, std::uint64_t first,
                   std::uint64_t second, std::uint64_t hashes_per_second);
  void hide_some();
  void crash_some();
  void black_out();
  void restart_later(Machine machine);
  void slow_some();
  void confuse_clock();
  void change_hash_rate();
  // So many block intervals, at random.
  Duration intervals(std::uint64_t low, std::uint64_t high);
  void later(Duration delay, std::function<void()> action);
  ReplicaId any_replica();

  PowSimulation& simulation_;
  World& world_;
  Network& network_;
  Prng prng_;
  bool split_ = false;
  bool wrong_clock_ = false;
  bool healed_ = false;
};

}  // namespace quorate::sim::pow
