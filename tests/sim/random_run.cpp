// One random run from start to verdict: faults until enough blocks are there, then the heal phase,
// then the checks that need the end of a run.
#include "tests/sim/fault_plan.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/pow/pow_run.hpp"
#include "tests/sim/simulation.hpp"

namespace quorate::sim {
namespace {

// Without a new block anywhere, and until everything agrees again: ten times the longest view
// timeout, since up to f primaries in a row may be of no use.
constexpr Duration kPatience = std::chrono::seconds(600);
// After so long without a block, clients hand in again what is not final: crashes may have taken it
// from every mempool, and whoever waits for it sends nothing new.
constexpr Duration kClientPatience = std::chrono::seconds(60);

void fault_phase(Simulation& simulation) {
  World& world = simulation.world();
  Instant asked = world.timeline.now();
  while (simulation.height().value() < world.options.blocks && simulation.step()) {
    const Instant now = world.timeline.now();
    if (now - std::max(asked, simulation.last_progress()) > kClientPatience) {
      asked = now;
      simulation.workload().retry();
      simulation.workload().pay_out();
    }
    if (now - simulation.last_progress() > kPatience) {
      world.violate("stall", "no new block for ten minutes after height " +
                                 std::to_string(simulation.height().value()) + "; heads are" +
                                 simulation.describe_nodes());
    }
  }
}

void heal_phase(Simulation& simulation, FaultPlan& faults) {
  World& world = simulation.world();
  simulation.quiet();
  // In some runs the primary stays dead at first: the others must do without it.
  std::vector<ReplicaId> dead;
  const bool spare = world.options.canary == Canary::none;  // a canary is one fault already
  if (world.options.faults && spare && faults.faulty_for_good() < world.membership.faults() &&
      simulation.prng().one_in(3)) {
    dead.push_back(simulation.primary());
    if (simulation.node(dead.front()).up()) simulation.crash(dead.front());
  }
  faults.heal();
  simulation.heal(dead);
  if (!simulation.converge(kPatience, dead) || dead.empty()) return;
  world.coverage.add(Happened::healed_without_primary);
  simulation.start(dead.front());
  simulation.converge(kPatience);
}

}  // namespace

Outcome run(const Options& options) {
  if (options.pow) return pow::run(options);
  if (options.small_scope) return run_small_scope(options);
  Simulation simulation(options);
  FaultPlan faults(simulation, simulation.prng().fork());
  if (options.faults) faults.begin();
  simulation.start_all();
  simulation.keep_busy();
  fault_phase(simulation);
  if (simulation.ok()) heal_phase(simulation, faults);
  // I11: nobody leaves a primary that works.
  World& world = simulation.world();
  if (!options.faults && world.coverage[Happened::view_change] != 0) {
    world.violate("I11", "a view change although nothing went wrong");
  }
  return simulation.finish();
}

}  // namespace quorate::sim
