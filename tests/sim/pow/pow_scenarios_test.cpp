// Staged runs of proof of work with the real replica: splits, miners who hide or lie, deep rewinds,
// power failures. What must hold in every run is PowChecks' business; a scenario adds what it is
// about.
#include <catch2/catch.hpp>

#include "consensus/pow/messages.hpp"
#include "ledger/snapshots.hpp"
#include "tests/sim/pow/pow_simulation.hpp"

using namespace quorate;
using namespace quorate::sim;
using namespace std::chrono_literals;

namespace {

constexpr Duration kPatience = 900s;

Options options_for(std::uint64_t seed, std::uint64_t depth) {
  Options out;
  out.pow = true;
  out.seed = seed;
  out.faults = false;
  pow::ChainOptions chain;
  chain.depth = depth;
  chain.half_life_s = 60;
  out.parameters = pow::parameters_of(chain);
  return out;
}

struct Stage {
  explicit Stage(const Options& options) : simulation(options) {
    simulation.start_all();
    simulation.keep_busy();
  }
  Height head(std::uint32_t replica) {
    return simulation.node(ReplicaId(replica)).replica().status().head.height;
  }
  void reach(Height height) {
    REQUIRE(simulation.run_until([&] { return simulation.height() >= height; }, kPatience));
  }
  void split() {
    simulation.network().partition({{Machine(0), Machine(1)}, {Machine(2), Machine(3)}});
  }
  // Everything heals, everybody agrees, and no invariant was hurt on the way.
  Outcome end() {
    simulation.quiet();
    simulation.heal();
    simulation.converge(kPatience);
    const Outcome out = simulation.finish();
    if (out.violation) FAIL(out.violation->invariant << ": " << out.violation->detail);
    return out;
  }
  // Of the branch that the replica prefers.
  std::uint64_t work(std::uint32_t replica) {
    const auto branch = simulation.status(ReplicaId(replica)).branch;
    return simulation.checks().lottery().work(branch->tip_id);
  }
  std::uint64_t rewinds(std::uint32_t replica) {
    return simulation.checks().rewinds(ReplicaId(replica));
  }

  pow::PowSimulation simulation;
};

// Loses what holds blocks of this replica.
Network::RuleId hide(pow::PowSimulation& simulation, std::uint32_t replica) {
  return simulation.network().add_rule([replica](const Letter& letter) -> std::optional<Fate> {
    namespace messages = consensus::pow;
    if (letter.from != Machine(replica)) return std::nullopt;
    if (letter.frame.traffic != node::TrafficClass::consensus) return std::nullopt;
    const auto message = messages::decode(*letter.frame.body, 1U << 20U);
    Fate lost;
    lost.lost = message.has_value() && (std::holds_alternative<messages::Announce>(*message) ||
                                        std::holds_alternative<messages::Headers>(*message) ||
                                        std::holds_alternative<messages::FullBlock>(*message));
    if (!lost.lost) return std::nullopt;
    return lost;
  });
}

}  // namespace

TEST_CASE("Two halves that both committed: the lighter one goes back, and nothing valid is lost") {
  Stage stage(options_for(3, 3));
  stage.reach(Height(8));
  stage.split();
  const std::uint64_t before = stage.simulation.height().value();
  const auto both_committed = [&] {
    return stage.head(0).value() >= before + 5 && stage.head(2).value() >= before + 5;
  };
  REQUIRE(stage.simulation.run_until(both_committed, kPatience));
  const bool first_is_heavier = stage.work(0) > stage.work(2);
  REQUIRE(stage.work(0) != stage.work(2));
  const Outcome outcome = stage.end();
  for (std::uint32_t replica = 0; replica < 4; ++replica) {
    CHECK(stage.rewinds(replica) == (first_is_heavier == (replica < 2) ? 0 : 1));
  }
  CHECK(outcome.coverage[Happened::withdrawn_waits_again] > 0);
}

TEST_CASE("A split shorter than the depth withdraws nothing") {
  Stage stage(options_for(5, 6));
  stage.reach(Height(8));
  const Height before = stage.simulation.height();
  stage.split();
  REQUIRE(stage.simulation.run_until(
      [&] { return stage.simulation.height() >= Height(before.value() + 2); }, kPatience));
  stage.simulation.network().unblock();
  const Outcome outcome = stage.end();
  CHECK(outcome.coverage[Happened::rewind] == 0);
  CHECK(outcome.coverage[Happened::branch_switch] > 0);
}

TEST_CASE(
    "A miner of nearly half the hash rate who hides and shows its blocks reverses the others") {
  Stage stage(options_for(9, 2));
  stage.reach(Height(5));
  stage.simulation.share_hash_rate({90, 37, 37, 36}, stage.simulation.hashes_per_second());
  for (int attack = 0; attack < 6; ++attack) {
    const auto hidden = hide(stage.simulation, 0);
    stage.simulation.run_for(30s);
    stage.simulation.network().remove_rule(hidden);
    stage.simulation.run_for(20s);
  }
  stage.end();
  CHECK(stage.rewinds(1) > 0);
}

TEST_CASE("Miners who lie about the time do not move the pace of the chain") {
  Stage stage(options_for(4, 3));
  stage.reach(Height(10));
  const std::uint64_t before = stage.simulation.height().value();
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    // As far ahead and as far behind as they can go on with others, in turn; two of the four lie.
    const auto skew = round % 2 == 0 ? 14s : -14s;
    for (std::uint32_t liar = 0; liar < 2; ++liar) {
      stage.simulation.node(ReplicaId(liar)).set_clock_skew(skew);
    }
    stage.simulation.run_for(60s);
  }
  const std::uint64_t committed = stage.simulation.height().value() - before;
  const double expected = kRounds * 60.0 / 2;
  CHECK(static_cast<double>(committed) / expected == Approx(1).epsilon(0.1));
  stage.end();
}

TEST_CASE("A miner whose ledger went wrong finds out by the ledger hashes of others, and stops") {
  Stage stage(options_for(6, 3));
  stage.simulation.world().conduct.at(0) = Conduct::byzantine;
  stage.simulation.node(ReplicaId(0)).ledger().tamper_with([](ledger::OrderedBlock& block) {
    if (block.height.value() >= 10 && !block.transactions.empty()) block.transactions.pop_back();
  });
  stage.reach(Height(40));
  CHECK(stage.simulation.node(ReplicaId(0)).halted().has_value());
  for (std::uint32_t correct = 1; correct < 4; ++correct) {
    CHECK_FALSE(stage.simulation.node(ReplicaId(correct)).halted().has_value());
    CHECK(stage.rewinds(correct) == 0);
  }
  stage.end();
}

TEST_CASE("A rewind over a snapshot starts from the one below it") {
  Stage stage(options_for(7, 2));
  stage.simulation.share_hash_rate({1, 1, 1, 1}, stage.simulation.hashes_per_second());
  stage.reach(Height(ledger::kSnapshotInterval + 6));
  stage.simulation.share_hash_rate({30, 30, 20, 20}, stage.simulation.hashes_per_second());
  stage.split();
  REQUIRE(stage.simulation.run_until(
      [&] { return stage.head(2) >= Height(2 * ledger::kSnapshotInterval + 4); }, kPatience));
  stage.end();
  CHECK(stage.rewinds(2) + stage.rewinds(3) == 2);
}

TEST_CASE("Power failures everywhere lose nothing that was durable") {
  Stage stage(options_for(8, 4));
  for (int failure = 0; failure < 6; ++failure) {
    stage.simulation.run_for(23s);
    for (const auto& node : stage.simulation.nodes()) {
      if (failure % 2 == 0) node->disk().tear_at_crash();
      node->crash_now();
    }
    stage.simulation.run_for(2s);
    stage.simulation.start_all();
  }
  const Outcome outcome = stage.end();
  CHECK(outcome.blocks > 20);
  CHECK(outcome.coverage[Happened::rewind] == 0);
}

// Through a split and the rewind behind it, at every single write of one replica.
TEST_CASE("A crash behind any write to the log or the ledger leaves one tip") {
  constexpr std::uint64_t kWrites = 30;
  for (const Boundary boundary : {Boundary::append, Boundary::synced, Boundary::executed}) {
    for (std::uint64_t count = 1; count <= kWrites; ++count) {
      INFO("boundary " << static_cast<int>(boundary) << ", write " << count);
      Stage stage(options_for(10, 2));
      pow::PowSimulation& simulation = stage.simulation;
      simulation.node(ReplicaId(2)).crash_after(boundary, count);
      simulation.on_crash([&simulation](Machine machine) {
        simulation.world().timeline.after(500ms, [&simulation, machine] {
          if (!simulation.node(machine).up()) simulation.start(machine);
        });
      });
      stage.reach(Height(3));
      simulation.share_hash_rate({60, 60, 40, 40}, simulation.hashes_per_second());
      stage.split();
      simulation.run_for(40s);
      const Outcome outcome = stage.end();
      if (outcome.coverage[Happened::crash] == 1) continue;
      // There were no more writes.
      CHECK(count > kWrites / 2);
      break;
    }
  }
}
