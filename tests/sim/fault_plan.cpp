#include "tests/sim/fault_plan.hpp"

namespace quorate::sim {
namespace {

constexpr Duration kEpisodeMin = std::chrono::milliseconds(5);
constexpr Duration kEpisodeMax = std::chrono::milliseconds(250);
constexpr Duration kShortOutage = std::chrono::milliseconds(500);
// An ordered crash waits this long for its point, then happens wherever the replica is.
constexpr Duration kCrashPatience = std::chrono::milliseconds(400);
constexpr Duration kPoll = std::chrono::milliseconds(50);
// However slowly the rest moves, an outage ends.
constexpr Duration kOutageMax = std::chrono::seconds(30);

}  // namespace

FaultPlan::FaultPlan(Simulation& simulation, Prng prng)
    : simulation_(simulation),
      world_(simulation.world()),
      network_(simulation.network()),
      prng_(prng),
      states_(world_.options.replicas) {
  simulation_.on_crash([this](Machine machine) { crashed(machine); });
}

void FaultPlan::begin() {
  draw_link_faults();
  next_episode();
}

void FaultPlan::draw_link_faults() {
  LinkFaults faults;
  faults.delay_max = prng_.duration(std::chrono::microseconds(200), std::chrono::milliseconds(8));
  const std::uint64_t harshness = prng_.below(4);  // a quarter of the time the links are clean
  if (harshness > 0) {
    faults.spike_per_mille = prng_.below(20 * harshness);
    faults.loss_per_mille = prng_.below(30 * harshness);
    faults.duplicate_per_mille = prng_.below(30 * harshness);
    faults.reorder_per_mille = prng_.below(100 * harshness);
  }
  network_.set_faults(faults);
}

void FaultPlan::next_episode() {
  world_.timeline.after(prng_.duration(kEpisodeMin, kEpisodeMax), [this] {
    if (healed_) return;
    begin_episode();
    next_episode();
  });
}

void FaultPlan::begin_episode() {
  if (prng_.one_in(6)) return draw_link_faults();
  if (prng_.one_in(15)) return crash_primary();
  if (prng_.one_in(40)) return black_out();
  const ReplicaId replica = any_replica();
  State& state = states_[replica.value()];
  if (state.faulty) return;
  if (prng_.one_in(4)) return slow_some(replica);
  if (faulty() >= world_.membership.faults()) return;
  if (prng_.one_in(4)) return cut_some(replica);
  crash_some(replica);
}

void FaultPlan::crash_some(ReplicaId replica) {
  states_[replica.value()].faulty = true;
  SimNode& node = simulation_.node(replica);
  node.order_crash(static_cast<CrashPoint>(prng_.below(6)));
  insist_on_crash(node);
}

void FaultPlan::crash_primary() {
  const ReplicaId primary = simulation_.primary();
  SimNode& node = simulation_.node(primary);
  if (!node.up() || node.crash_ordered()) return;
  world_.coverage.add(Happened::primary_crash);
  // Within the budget it may stay away for long; beyond it, it comes back soon.
  if (faulty() < world_.membership.faults()) return crash_some(primary);
  node.order_crash(static_cast<CrashPoint>(prng_.below(6)));
  insist_on_crash(node);
}

void FaultPlan::black_out() {
  world_.coverage.add(Happened::blackout);
  for (const auto& node : simulation_.nodes()) {
    if (node->up()) node->crash_now();
  }
}

void FaultPlan::insist_on_crash(SimNode& node) {
  world_.timeline.after(kCrashPatience, [this, &node] {
    if (!healed_ && node.up() && node.crash_ordered()) node.crash_now();
  });
}

void FaultPlan::crashed(Machine machine) {
  if (healed_) return;
  const ReplicaId replica = world_.identity(machine);
  // Some come back at once, some after the others' window has moved beyond all they know.
  const std::uint64_t window = 2 * world_.genesis.consensus.checkpoint_interval;
  const bool long_outage = states_[replica.value()].faulty && prng_.one_in(3);
  const Height until = long_outage
                           ? simulation_.height().saturating_add(prng_.between(window, 2 * window))
                           : Height(0);
  const Duration least = prng_.duration(Duration(0), kShortOutage);
  const Instant latest = world_.timeline.now() + kOutageMax;
  world_.timeline.after(least,
                        [this, replica, until, latest] { restart_when(replica, until, latest); });
}

void FaultPlan::restart_when(ReplicaId replica, Height least_height, Instant latest) {
  if (healed_ || simulation_.node(replica).up()) return;
  if (simulation_.height() < least_height && world_.timeline.now() < latest) {
    world_.timeline.after(kPoll, [this, replica, least_height, latest] {
      restart_when(replica, least_height, latest);
    });
    return;
  }
  world_.coverage.add(Happened::restart);
  states_[replica.value()].faulty = false;
  simulation_.start(replica);
}

void FaultPlan::cut_some(ReplicaId replica) {
  states_[replica.value()].faulty = true;
  network_.cut(Machine(replica.value()), true);
  world_.timeline.after(prng_.duration(kEpisodeMin, 8 * kEpisodeMax), [this, replica] {
    if (healed_) return;
    network_.cut(Machine(replica.value()), false);
    states_[replica.value()].faulty = false;
  });
}

void FaultPlan::slow_some(ReplicaId replica) {
  if (states_[replica.value()].slow) return;
  states_[replica.value()].slow = true;
  simulation_.node(replica).set_slow(true);
  world_.timeline.after(prng_.duration(kEpisodeMin, 4 * kEpisodeMax), [this, replica] {
    states_[replica.value()].slow = false;
    simulation_.node(replica).set_slow(false);
  });
}

std::uint32_t FaultPlan::faulty() const {
  std::uint32_t count = world_.faulty();
  for (const State& state : states_) count += state.faulty ? 1 : 0;
  return count;
}

ReplicaId FaultPlan::any_replica() {
  return ReplicaId(static_cast<std::uint32_t>(prng_.below(states_.size())));
}

}  // namespace quorate::sim
