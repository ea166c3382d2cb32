// A stage for one scenario of proof of work: real replicas in the simulator, all of PowChecks'
// invariants after every event, and what the scenario itself expects on top. After the first
// violation every call does nothing, so a scenario reads straight down. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tests/sim/pow/pow_simulation.hpp"

namespace quorate::sim::pow {

struct Setup {
  std::uint64_t seed = 1;
  std::uint64_t depth = 3;
  std::uint32_t replicas = 4;
  std::uint64_t half_life_s = 60;
  std::uint64_t ahead_max = 0;  // so far above its ledger a replica looks; 0: as far as any does
};

inline Setup setup_of(std::uint64_t seed, std::uint64_t depth) {
  Setup out;
  out.seed = seed;
  out.depth = depth;
  return out;
}

class Stage {
 public:
  explicit Stage(std::uint64_t number, bool trace = false) : number_(number), trace_(trace) {}

  // Which case of a scenario that has many; the enumeration ended with the one before this.
  std::uint64_t number() const { return number_; }
  void no_such_case() { exhausted_ = true; }
  bool exhausted() const { return exhausted_; }

  // All replicas start, and clients are busy.
  void begin(const Setup& setup);
  PowSimulation& simulation() { return *simulation_; }
  bool ok() const { return simulation_->ok(); }
  const std::optional<Violation>& violation() const { return simulation_->world().violation; }

  void expect(bool holds, const std::string& what);
  void await(const std::string& what, const std::function<bool()>& comes_true);
  // The highest executed height gets there.
  void reach(Height height);
  void run_for(Duration time) { simulation_->run_for(time); }
  // Two and two.
  void split();
  // Everything heals and everybody agrees; then the checks that need the end of a run.
  const Outcome& end();

  Height head(std::uint32_t replica);
  consensus::Status::Branch branch(std::uint32_t replica);
  // Of the branch that the replica prefers.
  std::uint64_t work(std::uint32_t replica);
  std::uint64_t rewinds(std::uint32_t replica) const;
  bool halted(std::uint32_t replica);

 private:
  std::uint64_t number_;
  bool trace_;
  bool exhausted_ = false;
  std::unique_ptr<PowSimulation> simulation_;
  Outcome outcome_;
};

}  // namespace quorate::sim::pow
