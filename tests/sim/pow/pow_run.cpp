#include "tests/sim/pow/pow_run.hpp"

#include "tests/sim/pow/pow_faults.hpp"

namespace quorate::sim::pow {
namespace {

// Without a new block, and until everything agrees again: so many block intervals. Difficulty may
// have risen while everybody was there.
constexpr int kPatience = 300;

void fault_phase(PowSimulation& simulation) {
  World& world = simulation.world();
  while (simulation.height().value() < world.options.blocks && simulation.step()) {
    if (world.timeline.now() - simulation.last_progress() > simulation.interval() * kPatience) {
      world.violate("stall", "no block was committed for " + std::to_string(kPatience) +
                                 " intervals after height " +
                                 std::to_string(simulation.height().value()));
    }
  }
}

// Where nothing went wrong nothing that was some blocks deep is withdrawn.
void judge_calm(const PowSimulation& simulation, World& world) {
  constexpr std::uint64_t kDeep = 3;
  if (world.options.faults || simulation.depth() < kDeep) return;
  if (world.coverage[Happened::rewind] != 0) {
    world.violate("W4", "a rewind although nothing went wrong");
  }
}

}  // namespace

Outcome run(const Options& options) {
  PowSimulation simulation(options);
  PowFaults faults(simulation, simulation.prng().fork());
  simulation.start_all();
  if (options.faults) faults.begin();
  simulation.keep_busy();
  fault_phase(simulation);
  if (simulation.ok()) {
    simulation.quiet();
    faults.heal();
    simulation.heal();
    simulation.converge(simulation.interval() * kPatience);
  }
  judge_calm(simulation, simulation.world());
  return simulation.finish();
}

}  // namespace quorate::sim::pow
