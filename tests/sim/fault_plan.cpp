#include "tests/sim/fault_plan.hpp"

#include <algorithm>

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
constexpr std::int64_t kClockWrongMs = 3'600'000;
// The height at which disks are copied, for those that are restored from a copy later.
constexpr std::uint64_t kCopyHeight = 25;

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
  if (world_.options.canary == Canary::collusion) return collude();
  if (world_.options.byzantine) choose_villains();
  keep_copies();
  draw_link_faults();
  next_episode();
}

// Up to f of them, next to each other, so that several views in a row may have a bad primary.
void FaultPlan::choose_villains() {
  if (world_.options.usurper) {
    return await_usurper(Height(prng_.below(world_.options.blocks / 2 + 1)));
  }
  const std::uint64_t villains = prng_.between(1, world_.membership.faults());
  const std::uint64_t first = prng_.below(states_.size());
  for (std::uint64_t i = 0; i < villains; ++i) {
    const ReplicaId replica(static_cast<std::uint32_t>((first + i) % states_.size()));
    const auto misdeed = static_cast<Misdeed>(prng_.below(kMisdeedCount));
    simulation_.make_byzantine(replica, prng_.one_in(2) ? make_mixture() : make_strategy(misdeed));
  }
}

// From this height on, as soon as the budget allows, the next primary is Byzantine and forges the
// NEW-VIEW of its view: a villain drawn at the start seldom gets to lead.
void FaultPlan::await_usurper(Height from) {
  world_.timeline.after(kPoll, [this, from] {
    if (healed_) return;
    const View view = simulation_.view().next();
    const ReplicaId next = simulation_.primary(view);
    if (simulation_.height() < from || !world_.correct(next) || state(next).faulty ||
        faulty() >= world_.membership.faults()) {
      return await_usurper(from);
    }
    simulation_.make_byzantine(next, make_strategy(Misdeed::forge_new_view));
    usurp(view);
  });
}

// The present primary crashes until the others have left its view.
void FaultPlan::usurp(View view) {
  if (healed_ || simulation_.view() >= view) return;
  crash_primary();
  world_.timeline.after(kShortOutage, [this, view] { usurp(view); });
}

// One more than the protocol tolerates, among them the first primary. They are the only ones who
// see both halves of the others, and nobody gets a certificate of what the other half committed.
void FaultPlan::collude() {
  for (std::uint32_t i = 0; i <= world_.membership.faults(); ++i) {
    simulation_.make_byzantine(ReplicaId(i), make_strategy(Misdeed::equivocate));
  }
  network_.add_rule([this](const Letter& letter) -> std::optional<Fate> {
    const bool apart = world_.correct(world_.identity(letter.from)) &&
                       world_.correct(world_.identity(letter.to)) &&
                       letter.from.value() % 2 != letter.to.value() % 2;
    if (!apart && letter.peek.kind != MessageKind::commit_certificate) return std::nullopt;
    Fate lost;
    lost.lost = true;
    return lost;
  });
}

void FaultPlan::keep_copies() {
  world_.timeline.after(kPoll, [this] {
    if (simulation_.height() < Height(kCopyHeight)) return keep_copies();
    for (const auto& node : simulation_.nodes()) copies_.push_back(copy_disk(*node));
  });
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
  if (prng_.one_in(8)) return block_some_link();
  if (prng_.one_in(15)) return crash_primary();
  if (prng_.one_in(40)) return black_out();
  const ReplicaId replica = any_replica();
  if (state(replica).faulty || !world_.correct(replica)) return;
  if (prng_.one_in(4)) return slow_some(replica);
  if (faulty() < world_.membership.faults()) begin_fault(replica);
}

void FaultPlan::begin_fault(ReplicaId replica) {
  switch (prng_.below(24)) {
    case 0:
    case 1:
    case 2:
    case 3: return cut_some(replica);
    case 4: return confuse_clock(replica);
    case 5:
    case 6: return freeze_clock(replica);
    case 7:
    case 8: return lose_votes(replica);
    case 9: return clone(replica);
    default: return crash_some(replica);
  }
}

// ---- crashes ----

void FaultPlan::crash_some(ReplicaId replica) {
  state(replica).faulty = true;
  order_crash(simulation_.node(replica));
}

void FaultPlan::crash_primary() {
  const ReplicaId primary = simulation_.primary();
  SimNode& node = simulation_.node(primary);
  if (!node.up() || node.crash_ordered()) return;
  world_.coverage.add(Happened::primary_crash);
  // Within the budget it may stay away for long; beyond it, it comes back soon.
  const bool budgeted =
      world_.correct(primary) && !state(primary).faulty && faulty() < world_.membership.faults();
  if (budgeted) state(primary).faulty = true;
  order_crash(node);
}

void FaultPlan::black_out() {
  world_.coverage.add(Happened::blackout);
  for (const auto& node : simulation_.nodes()) {
    if (!node->up()) continue;
    if (prng_.one_in(3)) node->disk().tear_at_crash();
    node->crash_now();
  }
}

void FaultPlan::order_crash(SimNode& node) {
  if (!node.up()) return;
  if (prng_.one_in(3)) node.disk().tear_at_crash();
  node.order_crash(static_cast<CrashPoint>(prng_.below(kCrashPoints)));
  world_.timeline.after(kCrashPatience, [this, &node] {
    if (!healed_ && node.up() && node.crash_ordered()) node.crash_now();
  });
}

void FaultPlan::crashed(Machine machine) {
  if (healed_) return;
  const ReplicaId replica = world_.identity(machine);
  State& its = state(replica);
  const bool first_machine = machine == Machine(replica.value());
  if (first_machine && its.strike) {
    const bool old = *its.strike == DiskFault::old_copy || *its.strike == DiskFault::old_votes;
    const DiskCopy& copy = copies_.empty() ? DiskCopy{} : copies_.at(machine.value());
    if (!old || !copies_.empty()) {
      strike(simulation_, simulation_.node(machine), *its.strike, copy, prng_);
    }
    its.strike.reset();
  }
  // Some come back at once, some after the others' window has moved beyond all they know.
  const std::uint64_t window = 2 * world_.genesis.consensus.checkpoint_interval;
  const bool long_outage = its.faulty && prng_.one_in(3);
  const Height until = long_outage
                           ? simulation_.height().saturating_add(prng_.between(window, 2 * window))
                           : Height(0);
  const Instant latest = world_.timeline.now() + kOutageMax;
  world_.timeline.after(prng_.duration(Duration(0), kShortOutage),
                        [this, machine, until, latest] { restart_when(machine, until, latest); });
}

void FaultPlan::restart_when(Machine machine, Height least_height, Instant latest) {
  if (healed_ || simulation_.node(machine).up()) return;
  if (simulation_.height() < least_height && world_.timeline.now() < latest) {
    world_.timeline.after(kPoll, [this, machine, least_height, latest] {
      restart_when(machine, least_height, latest);
    });
    return;
  }
  world_.coverage.add(Happened::restart);
  State& its = state(world_.identity(machine));
  its.faulty = its.wrong_clock;
  simulation_.start(machine);
}

// ---- links, disks, clocks ----

void FaultPlan::cut_some(ReplicaId replica) {
  state(replica).faulty = true;
  network_.cut(Machine(replica.value()), true);
  world_.timeline.after(prng_.duration(kEpisodeMin, 8 * kEpisodeMax), [this, replica] {
    if (healed_) return;
    network_.cut(Machine(replica.value()), false);
    state(replica).faulty = state(replica).wrong_clock;
  });
}

// In one direction alone: whoever sends does not notice.
void FaultPlan::block_some_link() {
  const Machine from(any_replica().value());
  const Machine to(any_replica().value());
  if (from == to) return;
  world_.coverage.add(Happened::asymmetric_cut);
  network_.block(from, to);
  world_.timeline.after(prng_.duration(kEpisodeMin, 8 * kEpisodeMax), [this, from, to] {
    if (!healed_) network_.block(from, to, false);
  });
}

void FaultPlan::slow_some(ReplicaId replica) {
  if (state(replica).slow) return;
  state(replica).slow = true;
  simulation_.node(replica).set_slow(true);
  world_.timeline.after(prng_.duration(kEpisodeMin, 4 * kEpisodeMax), [this, replica] {
    state(replica).slow = false;
    simulation_.node(replica).set_slow(false);
  });
}

// Now and then right again, otherwise wrong to the end.
void FaultPlan::confuse_clock(ReplicaId replica) {
  world_.coverage.add(Happened::clock_wrong);
  State& its = state(replica);
  its.faulty = its.wrong_clock = true;
  const auto skew = static_cast<std::int64_t>(prng_.below(2 * kClockWrongMs)) - kClockWrongMs;
  simulation_.node(replica).set_clock_skew(std::chrono::milliseconds(skew));
  if (prng_.one_in(3)) return;
  world_.timeline.after(prng_.duration(kEpisodeMin, 16 * kEpisodeMax), [this, replica] {
    simulation_.node(replica).set_clock_skew(std::chrono::milliseconds(0));
    state(replica).faulty = state(replica).wrong_clock = false;
  });
}

void FaultPlan::freeze_clock(ReplicaId replica) {
  world_.coverage.add(Happened::clock_frozen);
  state(replica).faulty = true;
  simulation_.node(replica).freeze_clock();
  world_.timeline.after(prng_.duration(kEpisodeMin, 16 * kEpisodeMax), [this, replica] {
    if (healed_) return;
    simulation_.node(replica).thaw_clock();
    state(replica).faulty = state(replica).wrong_clock;
  });
}

// Rarely: whoever lost its votes is faulty for the rest of the run.
void FaultPlan::lose_votes(ReplicaId replica) {
  if (!prng_.one_in(4)) return crash_some(replica);
  state(replica).strike = static_cast<DiskFault>(prng_.below(kDiskFaults));
  crash_some(replica);
}

void FaultPlan::clone(ReplicaId replica) {
  if (!prng_.one_in(4) || !simulation_.node(replica).up()) return crash_some(replica);
  world_.coverage.add(Happened::twins);
  simulation_.start(simulation_.add_clone(replica));
}

std::uint32_t FaultPlan::faulty() const {
  std::uint32_t count = world_.faulty();
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    if (states_[i].faulty && world_.correct(ReplicaId(i))) ++count;
  }
  return count;
}

std::uint32_t FaultPlan::faulty_for_good() const {
  std::uint32_t count = world_.faulty();
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    if (states_[i].wrong_clock && world_.correct(ReplicaId(i))) ++count;
  }
  return count;
}

ReplicaId FaultPlan::any_replica() {
  return ReplicaId(static_cast<std::uint32_t>(prng_.below(states_.size())));
}

}  // namespace quorate::sim
