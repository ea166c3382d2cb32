// Crashes, restarts and lag: what a replica must still know when it is back, and how it gets back.
#include "tests/scenarios/scenario.hpp"

namespace quorate::scenarios {
namespace {

// The next primary crashes right after the k-th record, sync, frame or executed batch of a run with
// several heights, a checkpoint and a view change, for every k, and starts again soon.
template <sim::Boundary kBoundary>
void s04_backup_crash(Stage& stage) {
  constexpr std::uint32_t kBackup = 1;
  stage.begin({4, 4, 1});
  bool crashed = false;
  stage.simulation().on_crash([&](sim::Machine machine) {
    crashed = true;
    stage.after(milliseconds(30), [&stage, machine] { stage.start(machine.value()); });
  });
  SimNode& backup = stage.node(kBackup);
  backup.crash_after(kBoundary, backup.passed(kBoundary) + 1 + stage.number());
  std::vector<ledger::TransactionPtr> transactions;
  const auto submit = [&](int count) {
    for (int i = 0; i < count; ++i) {
      transactions.push_back(stage.clients().make_next());
      stage.clients().submit_to_all(transactions.back());
      stage.run_for(milliseconds(3));
    }
  };
  submit(5);
  stage.run_for(milliseconds(30));
  stage.lose([](const Passing& passing) {
    const auto* proposal = as<pbft::PrePrepare>(passing);
    return proposal != nullptr && proposal->core.ballot.view == View(0);
  });
  submit(2);
  stage.await("a view change", seconds(30), [&] { return stage.highest_view() > View(0); });
  stage.run_until(seconds(1), [&] { return crashed; });
  if (!crashed) return stage.no_such_case();
  for (const auto& transaction : transactions) stage.clients().submit_to_all(transaction);
  stage.finale(minutes(2));
  for (const auto& transaction : transactions) {
    stage.expect(stage.clients().executed(transaction), "a transaction was lost");
  }
}

// One replica is cut off for more than a window, and hears again in the middle of a view change
// that needs its vote.
void s32_lagging_in_view_change(Stage& stage) {
  stage.begin({4, 4, 4});
  const std::uint32_t laggard = stage.n() - 1;
  // As many are dead as there may be, the primary among them.
  const std::set<std::uint32_t> dead = [&] {
    std::set<std::uint32_t> out;
    for (std::uint32_t i = 0; i < stage.faults(); ++i) out.insert(i);
    return out;
  }();
  stage.clients().load(milliseconds(5));
  const auto away = stage.cut({laggard});
  const std::uint64_t far = 4 * 2 * 4;  // four windows
  stage.await("blocks without it", minutes(1), [&] { return stage.height().value() >= far; });
  if (!stage.ok()) return;
  stage.expect(stage.head(laggard).value() + 8 < stage.status(1).low_watermark.value(),
               "it is not far behind");
  for (const std::uint32_t replica : dead) stage.crash(replica);
  stage.await("a view change", seconds(20), [&] { return !stage.left().empty(); });
  stage.end_rule(away);
  stage.finale(minutes(2), dead);
  stage.expect(stage.highest_view() > View(0), "no later view");
  stage.finale();
}

// The power fails everywhere at a random moment, and what was not synced is lost; sometimes it
// fails once more while they start. Nobody helps.
void s35_power_failure(Stage& stage) {
  stage.begin({4, 4, 4});
  sim::Prng prng(stage.number());
  stage.clients().load(microseconds(700));
  stage.run_for(prng.duration(Duration(0), milliseconds(150)));
  const auto fail = [&] {
    for (std::uint32_t i = 0; i < stage.n(); ++i) stage.crash(i);
    stage.run_for(milliseconds(20));
    for (std::uint32_t i = 0; i < stage.n(); ++i) {
      stage.after(prng.duration(Duration(0), milliseconds(50)), [&stage, i] { stage.start(i); });
    }
    stage.run_for(milliseconds(50));
  };
  const Height before = stage.height();
  fail();
  if (prng.one_in(4)) {
    stage.run_for(prng.duration(Duration(0), milliseconds(400)));
    fail();
  }
  stage.await("it goes on", minutes(1), [&] { return stage.height() > before; });
  stage.finale();
}

}  // namespace

std::vector<Scenario> recovery_scenarios() {
  constexpr std::uint64_t kAll = 100'000;  // the enumerations end by themselves
  return {
      {"S04",
       "a backup crashes after every record",
       {4, 7},
       kAll,
       s04_backup_crash<sim::Boundary::append>},
      {"S04",
       "a backup crashes after every sync",
       {4, 7},
       kAll,
       s04_backup_crash<sim::Boundary::synced>},
      {"S04",
       "a backup crashes after every frame",
       {4, 7},
       kAll,
       s04_backup_crash<sim::Boundary::frame>},
      {"S04",
       "a backup crashes after every executed batch",
       {4, 7},
       kAll,
       s04_backup_crash<sim::Boundary::executed>},
      {"S32",
       "far behind in the middle of a view change",
       {4, 5, 6, 7, 10},
       1,
       s32_lagging_in_view_change},
      {"S35", "the power fails everywhere", {4, 7}, 40, s35_power_failure, true},
  };
}

}  // namespace quorate::scenarios
