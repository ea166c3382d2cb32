// One random run from start to verdict: faults until enough blocks are there, then the heal phase,
// then the checks that need the end of a run.
#include "tests/sim/fault_plan.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/simulation.hpp"

namespace quorate::sim {
namespace {

constexpr Duration kStall = std::chrono::seconds(600);      // without a new block anywhere
constexpr Duration kHealBound = std::chrono::seconds(600);  // until everything agrees again

void fault_phase(Simulation& simulation) {
  World& world = simulation.world();
  while (simulation.height().value() < world.options.blocks && simulation.step()) {
    if (world.timeline.now() - simulation.last_progress() > kStall) {
      world.violate("stall", "no new block for a minute after height " +
                                 std::to_string(simulation.height().value()));
    }
  }
}

void heal_phase(Simulation& simulation, FaultPlan& faults) {
  World& world = simulation.world();
  simulation.quiet();
  // In some runs the primary stays dead at first: the others must do without it.
  std::vector<ReplicaId> dead;
  const bool spare = world.options.canary == Canary::none;  // a canary is one fault already
  if (world.options.faults && spare && world.faulty() < world.membership.faults() &&
      simulation.prng().one_in(3)) {
    dead.push_back(simulation.primary());
    if (simulation.node(dead.front()).up()) simulation.crash(dead.front());
  }
  faults.heal();
  simulation.heal(dead);
  if (!simulation.converge(kHealBound, dead) || dead.empty()) return;
  world.coverage.add(Happened::healed_without_primary);
  simulation.start(dead.front());
  simulation.converge(kHealBound);
}

}  // namespace

Outcome run(const Options& options) {
  if (options.small_scope) return run_small_scope(options);
  Simulation simulation(options);
  FaultPlan faults(simulation, simulation.prng().fork());
  if (options.byzantine) {
    const std::uint64_t villains =
        simulation.prng().between(1, simulation.world().membership.faults());
    const std::uint64_t first = simulation.prng().below(options.replicas);
    for (std::uint64_t i = 0; i < villains; ++i) {
      const ReplicaId replica(static_cast<std::uint32_t>((first + i) % options.replicas));
      simulation.make_byzantine(
          replica,
          simulation.prng().one_in(2)
              ? make_mixture()
              : make_strategy(static_cast<Misdeed>(simulation.prng().below(kMisdeedCount))));
    }
  }
  simulation.start_all();
  simulation.keep_busy();
  if (options.faults) faults.begin();
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
