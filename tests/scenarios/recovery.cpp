// Crashes, restarts and lag: what a replica must still know when it is back, and how it gets back.
#include "tests/scenarios/observers.hpp"
#include "tests/scenarios/scenario.hpp"
#include "tests/scenarios/villains.hpp"

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

// A backup votes for the primary's proposal and restarts. The primary then shows it another one: it
// must still know what it accepted, refuse the second and catch the primary.
void x09_other_proposal_after_restart(Stage& stage) {
  stage.prepare({8, 4, 1});
  const std::uint32_t victim = stage.n() - 1;
  std::optional<pbft::PrePrepare> shown;
  bool again = false;
  sim::Script script;
  script.say = [&](sim::Villain& villain, ReplicaId to, const sim::Said& said) {
    const auto* proposal = content<pbft::PrePrepare>(said);
    if (proposal != nullptr && !shown) shown = *proposal;
    villain.pass(to, said);
  };
  script.tick = [&](sim::Villain& villain) {
    if (again) villain.send(ReplicaId(victim), villain.other_proposal(*shown));
  };
  stage.corrupt(0, script);
  stage.begin();
  bool voted = false;
  stage.rule([&](const Passing& passing) {
    const auto* vote = prepare_of(passing);
    voted = voted || (vote != nullptr && vote->replica.value() == victim);
    // Nobody commits what it would then know from the others.
    return commit_of(passing) == nullptr || again ? kPass : kLost;
  });
  stage.clients().submit_to_all(stage.clients().make_next());
  stage.await("its vote", milliseconds(100), [&] { return voted; });
  if (!stage.ok()) return;
  stage.crash(victim);
  stage.start(victim);
  again = true;
  stage.await("it catches the primary", seconds(5), [&] { return stage.has_evidence(victim, 0); });
  stage.finale();
}

// A replica has asked for the next view when a checkpoint becomes stable, so that its vote log
// begins anew. After a restart it must still know what it promised.
void x10_promise_and_checkpoint(Stage& stage) {
  constexpr std::uint64_t kInterval = 4;
  stage.begin({kInterval, 4, 1});
  const std::uint32_t replica = stage.n() - 1;
  stage.lose([](const Passing& passing) { return new_view_of(passing) != nullptr; });
  const auto unstable = stage.lose([](const Passing& passing) {
    return as<pbft::CheckpointVote>(passing) != nullptr ||
           as<pbft::CheckpointProof>(passing) != nullptr;
  });
  for (std::uint64_t i = 0; i < kInterval; ++i) {
    stage.clients().submit_to_all(stage.clients().make_next());
  }
  stage.await("the height of a checkpoint", seconds(2), [&] {
    return stage.all_correct([&](auto i) { return stage.head(i) == Height(kInterval); });
  });
  stage.crash(0);
  stage.clients().submit_to_all(stage.clients().make_next());
  stage.await("it asks for another view", seconds(10),
              [&] { return stage.times_left(replica) != 0; });
  stage.end_rule(unstable);
  stage.await("a stable checkpoint", seconds(5), [&] {
    return stage.status(replica).low_watermark == Height(kInterval) &&
           !stage.node(replica).disk().sync_pending();
  });
  if (!stage.ok()) return;
  const View promised = stage.status(replica).promise_view;
  stage.expect(promised > View(0) && stage.status(replica).view == View(0), "the view has opened");
  stage.crash(replica);
  stage.start(replica);
  stage.await("it may vote again", seconds(5), [&] { return !stage.status(replica).starting; });
  if (!stage.ok()) return;
  stage.expect(stage.status(replica).promise_view >= promised, "it forgot what it promised");
  stage.finale();
}

// One replica alone prepares height 6 and nobody hears of it in the next view, in which a
// checkpoint below it becomes stable. It must still hold the body: the view after that is told.
void x11_body_of_a_lone_certificate(Stage& stage) {
  constexpr std::uint64_t kInterval = 4;
  const Height alone(6);
  stage.begin({kInterval, 4, 1});
  const std::uint32_t lone = stage.n() - 1;
  Prepared prepared(stage);
  const auto submit = [&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      stage.clients().submit_to_all(stage.clients().make_next());
    }
  };
  submit(kInterval - 1);
  stage.await("the heights below the checkpoint", seconds(2), [&] {
    return stage.all_correct([&](auto i) { return stage.head(i) == Height(kInterval - 1); });
  });
  stage.lose([&](const Passing& passing) {
    if (const auto* prepare = prepare_of(passing)) {
      return prepare->ballot.view == View(0) && prepare->ballot.height >= Height(kInterval) &&
             !(prepare->ballot.height == alone && passing.to == lone);
    }
    const auto* proposal = as<pbft::PrePrepare>(passing);
    if (proposal != nullptr) {
      return proposal->core.ballot.view == View(1) &&
             proposal->core.ballot.height > Height(kInterval);
    }
    const auto* view_change = view_change_of(passing);
    return view_change != nullptr && view_change->view == View(1) &&
           view_change->replica.value() == lone;
  });
  bool told = false;
  stage.rule([&](const Passing& passing) {
    const auto* message = view_change_of(passing);
    told = told || (message != nullptr && message->view > View(1) &&
                    message->low_watermark() == Height(kInterval) && !message->prepared.empty() &&
                    message->prepared.back().core.ballot.view == View(0));
    return kPass;
  });
  submit(3);
  stage.await("a certificate", milliseconds(900),
              [&] { return prepared.count(View(0), alone) != 0; });
  stage.await("view 2", seconds(30), [&] { return stage.all_in(View(2)); });
  if (!stage.ok()) return;
  stage.expect(prepared.count(View(0), alone) == 1, "others prepared it too");
  stage.expect(told, "its VIEW-CHANGE does not hold the certificate above the checkpoint");
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
      {"X09", "another proposal after a restart", {4, 7}, 1, x09_other_proposal_after_restart},
      {"X10", "a promise, a checkpoint and a restart", {4, 7}, 1, x10_promise_and_checkpoint},
      {"X11",
       "the body of a certificate that one replica has",
       {4, 7},
       1,
       x11_body_of_a_lone_certificate},
      {"S35", "the power fails everywhere", {4, 7}, 40, s35_power_failure, true},
  };
}

}  // namespace quorate::scenarios
