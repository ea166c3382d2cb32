// Splits, hidden blocks, wrong clocks, wrong ledgers, deep rewinds, power failures.
#include "consensus/pow/messages.hpp"
#include "ledger/snapshots.hpp"
#include "tests/sim/pow/pow_scenarios.hpp"

namespace quorate::sim::pow {
namespace {

using namespace std::chrono_literals;
namespace messages = consensus::pow;

// So many times the whole network's usual rate in these shares.
void share(Stage& stage, const std::vector<std::uint64_t>& shares, std::uint64_t times = 1) {
  stage.simulation().share_hash_rate(shares, times * stage.simulation().hashes_per_second());
}

// Loses what holds blocks of this replica.
Network::RuleId hide(PowSimulation& simulation, std::uint32_t replica) {
  return simulation.network().add_rule([replica](const Letter& letter) -> std::optional<Fate> {
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

void two_halves(Stage& stage) {
  stage.begin(setup_of(3, 3));
  stage.reach(Height(8));
  stage.split();
  const std::uint64_t before = stage.simulation().height().value();
  stage.await("both sides commit", [&] {
    return stage.head(0).value() >= before + 5 && stage.head(2).value() >= before + 5;
  });
  const bool first_is_heavier = stage.work(0) > stage.work(2);
  stage.expect(stage.work(0) != stage.work(2), "one side has more work");
  const Outcome& outcome = stage.end();
  for (std::uint32_t replica = 0; replica < 4; ++replica) {
    const std::uint64_t expected = first_is_heavier == (replica < 2) ? 0 : 1;
    stage.expect(stage.rewinds(replica) == expected, "the lighter side alone goes back, once");
  }
  stage.expect(outcome.coverage[Happened::withdrawn_waits_again] > 0, "something was withdrawn");
}

void short_split(Stage& stage) {
  stage.begin(setup_of(5, 6));
  stage.reach(Height(8));
  const Height before = stage.simulation().height();
  stage.split();
  stage.reach(Height(before.value() + 2));
  stage.simulation().network().unblock();
  const Outcome& outcome = stage.end();
  stage.expect(outcome.coverage[Happened::rewind] == 0, "nothing is withdrawn");
  stage.expect(outcome.coverage[Happened::branch_switch] > 0, "some changed their branch");
}

// Many blocks of little work on one side, fewer of more on the other.
void lighter_is_higher(Stage& stage) {
  stage.begin(setup_of(11, 2));
  stage.reach(Height(8));
  stage.split();
  // Eight times the usual rate makes blocks hard; then nothing more comes there.
  share(stage, {16, 16, 1, 1}, 8);
  stage.run_for(60s);
  share(stage, {0, 0, 50, 50});
  stage.await("the lighter side is higher",
              [&] { return stage.branch(2).tip.value() > stage.branch(0).tip.value() + 3; });
  stage.expect(stage.work(0) > stage.work(2), "the higher branch has less work");
  share(stage, {0, 0, 0, 0});
  const Digest heavy = stage.branch(0).tip_id;
  stage.simulation().network().unblock();
  stage.run_for(20s);
  for (std::uint32_t replica = 0; replica < 4; ++replica) {
    stage.expect(stage.branch(replica).tip_id == heavy, "all prefer the branch of most work");
  }
  stage.end();
}

// The same, but in the end the many are more work, far above what the others look at.
void higher_than_anybody_looks(Stage& stage) {
  constexpr std::uint64_t kAhead = 40;
  Setup setup = setup_of(11, 2);
  setup.ahead_max = kAhead;
  stage.begin(setup);
  stage.reach(Height(8));
  stage.split();
  share(stage, {16, 16, 1, 1}, 8);
  stage.run_for(60s);
  share(stage, {0, 0, 50, 50});
  stage.await("the many blocks are more work", [&] { return stage.work(2) > stage.work(0); });
  share(stage, {0, 0, 0, 0});
  const Digest heavy = stage.branch(2).tip_id;
  const Height seen = stage.head(0).saturating_add(kAhead);
  stage.expect(stage.branch(2).tip > seen, "they are more than the others look at");
  const Lottery& lottery = stage.simulation().checks().lottery();
  stage.expect(lottery.work(lottery.ancestor(heavy, seen)) < stage.work(0), "which is less work");
  stage.simulation().network().unblock();
  stage.run_for(60s);
  for (std::uint32_t replica = 0; replica < 4; ++replica) {
    stage.expect(stage.branch(replica).tip_id == heavy, "all prefer the branch of most work");
  }
  stage.end();
}

void hidden_blocks(Stage& stage) {
  stage.begin(setup_of(9, 2));
  stage.reach(Height(5));
  share(stage, {90, 37, 37, 36});
  for (int attack = 0; attack < 6; ++attack) {
    const auto hidden = hide(stage.simulation(), 0);
    stage.run_for(30s);
    stage.simulation().network().remove_rule(hidden);
    stage.run_for(20s);
  }
  stage.end();
  stage.expect(stage.rewinds(1) > 0, "nearly half of the hash rate reverses the others");
}

void wrong_clocks(Stage& stage) {
  stage.begin(setup_of(4, 3));
  stage.reach(Height(10));
  const std::uint64_t before = stage.simulation().height().value();
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds && stage.ok(); ++round) {
    // As far ahead and as far behind as they can go on with others, in turn; two of the four are.
    const auto skew = round % 2 == 0 ? 14s : -14s;
    for (std::uint32_t wrong = 0; wrong < 2; ++wrong) {
      stage.simulation().node(ReplicaId(wrong)).set_clock_skew(skew);
    }
    stage.run_for(60s);
  }
  const double committed = static_cast<double>(stage.simulation().height().value() - before);
  const double pace = committed / (kRounds * 60.0 / 2);
  stage.expect(pace > 0.9 && pace < 1.1,
               "the chain keeps its pace, it has " + std::to_string(pace));
  stage.end();
}

void wrong_ledger(Stage& stage) {
  stage.begin(setup_of(6, 3));
  stage.simulation().world().conduct.at(0) = Conduct::byzantine;
  stage.simulation().node(ReplicaId(0)).ledger().tamper_with([](ledger::OrderedBlock& block) {
    if (block.height.value() >= 10 && !block.transactions.empty()) block.transactions.pop_back();
  });
  stage.reach(Height(130));
  stage.expect(stage.halted(0), "whose ledger is wrong stops");
  for (std::uint32_t correct = 1; correct < 4; ++correct) {
    stage.expect(!stage.halted(correct) && stage.rewinds(correct) == 0, "nobody else does");
  }
  stage.end();
}

void rewind_over_snapshot(Stage& stage) {
  stage.begin(setup_of(7, 2));
  stage.reach(Height(ledger::kSnapshotInterval + 6));
  share(stage, {30, 30, 20, 20});
  stage.split();
  stage.await("the lighter side takes another snapshot",
              [&] { return stage.head(2) >= Height(2 * ledger::kSnapshotInterval + 4); });
  stage.end();
  stage.expect(stage.rewinds(2) + stage.rewinds(3) == 2, "it goes back once");
}

void power_failures(Stage& stage) {
  stage.begin(setup_of(8, 4));
  for (int failure = 0; failure < 6 && stage.ok(); ++failure) {
    stage.run_for(23s);
    for (const auto& node : stage.simulation().nodes()) {
      if (failure % 2 == 0) node->disk().tear_at_crash();
      if (node->up()) node->crash_now();
    }
    stage.run_for(2s);
    stage.simulation().start_all();
  }
  const Outcome& outcome = stage.end();
  stage.expect(outcome.blocks > 20, "the chain goes on");
  stage.expect(outcome.coverage[Happened::rewind] == 0, "nothing is withdrawn");
}

// Through a split and the rewind behind it, at every single write of one replica.
void crash_behind_a_write(Stage& stage) {
  constexpr std::array kBoundaries{Boundary::append, Boundary::synced, Boundary::executed};
  constexpr std::uint64_t kAlways = 15;  // there are so many writes of each kind
  const std::uint64_t count = stage.number() / kBoundaries.size() + 1;
  stage.begin(setup_of(10, 2));
  PowSimulation& simulation = stage.simulation();
  simulation.node(ReplicaId(2))
      .crash_after(kBoundaries[stage.number() % kBoundaries.size()], count);
  simulation.on_crash([&simulation](Machine machine) {
    simulation.world().timeline.after(500ms, [&simulation, machine] {
      if (!simulation.node(machine).up()) simulation.start(machine);
    });
  });
  stage.reach(Height(3));
  share(stage, {60, 60, 40, 40});
  stage.split();
  stage.run_for(40s);
  const Outcome& outcome = stage.end();
  if (outcome.coverage[Happened::crash] == 1) return;
  stage.expect(count > kAlways, "it crashes behind the write");
}

}  // namespace

std::vector<Scenario> branch_scenarios() {
  return {
      {"W01", "Two halves that both committed: the lighter one goes back, nothing valid is lost", 1,
       two_halves},
      {"W02", "A split shorter than the depth withdraws nothing", 1, short_split},
      {"W03", "The branch of most work is preferred to a higher one", 1, lighter_is_higher},
      {"W04", "Nearly half of the hash rate, hidden and shown, reverses the others", 1,
       hidden_blocks},
      {"W05", "Wrong clocks do not move the pace of the chain", 1, wrong_clocks},
      {"W06", "A miner whose ledger went wrong finds out by the results of others, and stops", 1,
       wrong_ledger},
      {"W07", "A rewind over a snapshot starts from the one below it", 1, rewind_over_snapshot},
      {"W08", "Power failures everywhere lose nothing that was durable", 1, power_failures},
      {"W09", "A crash behind any write to the log or the ledger leaves one tip", 90,
       crash_behind_a_write},
      {"W10", "The branch of most work wins, however far above the others' ledgers it ends", 1,
       higher_than_anybody_looks},
  };
}

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> out = branch_scenarios();
  for (const Scenario& scenario : rogue_scenarios()) out.push_back(scenario);
  return out;
}

}  // namespace quorate::sim::pow
