#include "tests/sim/pow/pow_faults.hpp"

namespace quorate::sim::pow {
namespace {

// An ordered crash waits this long for its point, then happens wherever the replica is.
constexpr Duration kCrashPatience = std::chrono::seconds(2);
// A little wrong: within what others take; far wrong: what it mines counts for nothing.
constexpr std::int64_t kClockLittleMs = 10'000;
constexpr std::int64_t kClockFarMs = 3'600'000;

}  // namespace

PowFaults::PowFaults(PowSimulation& simulation, Prng prng)
    : simulation_(simulation),
      world_(simulation.world()),
      network_(simulation.network()),
      prng_(prng) {
  simulation_.on_crash([this](Machine machine) { restart_later(machine); });
}

void PowFaults::begin() {
  draw_link_faults();
  next_episode();
}

Duration PowFaults::intervals(std::uint64_t low, std::uint64_t high) {
  return prng_.duration(simulation_.interval() * static_cast<Duration::rep>(low),
                        simulation_.interval() * static_cast<Duration::rep>(high));
}

void PowFaults::later(Duration delay, std::function<void()> action) {
  world_.timeline.after(delay, [this, run = std::move(action)] {
    if (!healed_) run();
  });
}

ReplicaId PowFaults::any_replica() {
  return ReplicaId(static_cast<std::uint32_t>(prng_.below(world_.membership.size())));
}

void PowFaults::next_episode() {
  later(intervals(0, 5), [this] {
    begin_episode();
    next_episode();
  });
}

void PowFaults::begin_episode() {
  switch (prng_.below(16)) {
    case 0:
    case 1: return draw_link_faults();
    case 2: return block_some_link();
    case 3:
    case 4: return split();
    case 5: return hide_some();
    case 6: return black_out();
    case 7: return slow_some();
    case 8: return confuse_clock();
    case 9: return change_hash_rate();
    case 10: return race();
    default: return crash_some();
  }
}

// ---- links ----

// Delays of half an interval make forks by themselves.
void PowFaults::draw_link_faults() {
  LinkFaults faults;
  const std::uint64_t harshness = prng_.below(4);
  faults.delay_max = std::chrono::milliseconds(10);
  if (harshness > 0) {
    faults.delay_max = prng_.duration(std::chrono::milliseconds(5), simulation_.interval() / 2);
    faults.spike_per_mille = prng_.below(10 * harshness);
    faults.loss_per_mille = prng_.below(30 * harshness);
    faults.duplicate_per_mille = prng_.below(30 * harshness);
    faults.reorder_per_mille = prng_.below(100 * harshness);
  }
  network_.set_faults(faults);
}

void PowFaults::block_some_link() {
  const Machine from(any_replica().value());
  const Machine to(any_replica().value());
  if (from == to) return;
  world_.coverage.add(Happened::asymmetric_cut);
  network_.block(from, to);
  later(intervals(1, 10), [this, from, to] { network_.block(from, to, false); });
}

// Two sides, neither of them empty.
std::vector<std::vector<Machine>> PowFaults::draw_sides() {
  std::vector<std::vector<Machine>> sides(2);
  while (sides[0].empty() || sides[1].empty()) {
    sides = std::vector<std::vector<Machine>>(2);
    for (std::uint32_t i = 0; i < world_.membership.size(); ++i) {
      sides[prng_.below(2)].push_back(Machine(i));
    }
  }
  return sides;
}

// For long enough, now and then, that both commit.
void PowFaults::split() {
  if (split_) return;
  split_ = true;
  world_.coverage.add(Happened::split);
  network_.partition(draw_sides());
  later(intervals(1, 4 * simulation_.depth() + 4), [this] {
    split_ = false;
    network_.unblock();
  });
}

// One side has a few blocks of much work, the other more blocks of less.
void PowFaults::race() {
  if (split_) return;
  split_ = true;
  world_.coverage.add(Happened::split);
  const auto sides = draw_sides();
  const std::uint64_t usual = simulation_.hashes_per_second();
  network_.partition(sides);
  share_among(sides, 9, 1, 4 * usual);
  const Duration fast = intervals(3, 6);
  const Duration slow = intervals(8, 30);
  later(fast, [this, sides, usual] { share_among(sides, 0, 1, usual); });
  later(fast + slow, [this, sides, usual] {
    share_among(sides, 1, 1, usual);
    split_ = false;
    network_.unblock();
  });
}

void PowFaults::share_among(const std::vector<std::vector<Machine>>& sides, std::uint64_t first,
                            std::uint64_t second, std::uint64_t hashes_per_second) {
  std::vector<std::uint64_t> shares(world_.membership.size());
  for (std::size_t side = 0; side < sides.size(); ++side) {
    for (const Machine machine : sides[side]) {
      shares[machine.value()] = 1000 * (side == 0 ? first : second) / sides[side].size();
    }
  }
  simulation_.share_hash_rate(shares, hashes_per_second);
}

// Hears everybody and is heard by nobody: its blocks come out all at once, if they weigh more.
void PowFaults::hide_some() {
  const Machine hidden(any_replica().value());
  world_.coverage.add(Happened::mined_in_private);
  const auto block = [this, hidden](bool blocked) {
    for (std::uint32_t i = 0; i < world_.membership.size(); ++i) {
      if (Machine(i) != hidden) network_.block(hidden, Machine(i), blocked);
    }
  };
  block(true);
  later(intervals(1, 3 * simulation_.depth() + 3), [block] { block(false); });
}

// ---- machines ----

void PowFaults::crash_some() {
  SimNode& node = simulation_.node(any_replica());
  if (!node.up() || node.crash_ordered()) return;
  if (prng_.one_in(3)) node.disk().tear_at_crash();
  node.order_crash(static_cast<CrashPoint>(prng_.below(kCrashPoints)));
  later(kCrashPatience, [&node] {
    if (node.up() && node.crash_ordered()) node.crash_now();
  });
}

void PowFaults::black_out() {
  if (!prng_.one_in(3)) return crash_some();
  world_.coverage.add(Happened::blackout);
  for (const auto& node : simulation_.nodes()) {
    if (!node->up()) continue;
    if (prng_.one_in(3)) node->disk().tear_at_crash();
    node->crash_now();
  }
}

// Some come back at once, some when everything they knew lies deep below.
void PowFaults::restart_later(Machine machine) {
  const bool long_outage = prng_.one_in(4);
  const Duration outage = long_outage ? intervals(5, 40) : intervals(0, 3);
  later(outage, [this, machine] {
    if (simulation_.node(machine).up()) return;
    world_.coverage.add(Happened::restart);
    simulation_.start(machine);
  });
}

void PowFaults::slow_some() {
  SimNode& node = simulation_.node(any_replica());
  node.set_slow(true);
  later(intervals(1, 6), [&node] { node.set_slow(false); });
}

void PowFaults::confuse_clock() {
  if (wrong_clock_) return;
  wrong_clock_ = true;
  world_.coverage.add(Happened::clock_wrong);
  const std::int64_t most = prng_.one_in(3) ? kClockFarMs : kClockLittleMs;
  const auto skew =
      static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(2 * most))) - most;
  SimNode& node = simulation_.node(any_replica());
  node.set_clock_skew(std::chrono::milliseconds(skew));
  later(intervals(2, 20), [this, &node] {
    wrong_clock_ = false;
    node.set_clock_skew(std::chrono::milliseconds(0));
  });
}

// Miners come and go: half to twice the rate, in any shares, and sometimes none at one.
void PowFaults::change_hash_rate() {
  world_.coverage.add(Happened::hash_rate_change);
  std::vector<std::uint64_t> shares;
  for (std::uint32_t i = 0; i < world_.membership.size(); ++i) shares.push_back(prng_.below(10));
  shares[prng_.below(shares.size())] = 10;
  const std::uint64_t usual = simulation_.hashes_per_second();
  simulation_.share_hash_rate(shares, prng_.between(usual / 2, 2 * usual));
}

}  // namespace quorate::sim::pow
