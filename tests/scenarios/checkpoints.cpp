// Checkpoints, watermarks, and what waits at the edge of the window.
#include "tests/scenarios/scenario.hpp"

namespace quorate::scenarios {
namespace {

// One replica learns late that the window has moved. What arrives for the heights above its own
// window waits there: the moment it may vote it does, and nobody changes the view.
void s31_above_the_window(Stage& stage) {
  constexpr std::uint64_t kInterval = 4;
  const Height beyond(2 * kInterval + 1);  // the first height above its window
  stage.begin({kInterval, 4, 1});
  const std::uint32_t late = 1;
  // Only as many as a quorum needs, so that nothing goes on without the late one.
  std::set<std::uint32_t> away;
  for (std::uint32_t i = stage.quorum(); i < stage.n(); ++i) away.insert(i);
  stage.cut(away);
  stage.rule([&](const Passing& passing) {
    const auto* vote = as<pbft::CheckpointVote>(passing);
    const bool first = vote != nullptr && vote->claim.height == Height(kInterval);
    const bool proof = as<pbft::CheckpointProof>(passing) != nullptr;
    if (passing.to != late || !(first || proof)) return kPass;
    return first ? held(milliseconds(400)) : kLost;
  });
  // Nothing that it missed is repeated: it lives on what it has.
  std::optional<Instant> proposed_to_it;
  std::optional<Instant> votes;
  stage.rule([&](const Passing& passing) {
    const auto* proposal = as<pbft::PrePrepare>(passing);
    if (proposal != nullptr && passing.to == late && proposal->core.ballot.height == beyond) {
      if (proposed_to_it) return kLost;
      proposed_to_it = stage.now();
    }
    const auto* prepare = prepare_of(passing);
    if (prepare != nullptr && prepare->replica.value() == late &&
        prepare->ballot.height == beyond && !votes) {
      votes = stage.now();
    }
    return kPass;
  });
  std::optional<Instant> moved;
  stage.watch([&](std::uint32_t replica, const node::Notice& notice) {
    if (replica == late && notice.kind == node::Notice::Kind::progress &&
        notice.phase == consensus::Progress::Phase::checkpoint_stable && !moved) {
      moved = stage.now();
    }
  });
  for (std::uint64_t i = 0; i < beyond.value(); ++i) {
    stage.clients().submit_to_all(stage.clients().make_next());
  }
  stage.await("the height above the window", milliseconds(900),
              [&] { return stage.height() >= beyond && votes && moved; });
  if (!stage.ok()) return;
  stage.expect(proposed_to_it && *proposed_to_it < *moved, "the window moved first");
  stage.expect(*votes - *moved < milliseconds(5), "the vote did not wait for the window alone");
  stage.expect(stage.left().empty(), "a view changed");
  stage.finale();
}

// One replica's ledger leaves out a transaction, so that its state is wrong from then on. A quorum
// seals another block, or certifies another checkpoint when it hears no SEALs: it stops voting, the
// ledger is replaced and the chain executed again, and then it votes as before. The others'
// checkpoints become stable all the time.
void s29b_damaged_state(Stage& stage) {
  enum : std::uint64_t { by_seals, by_checkpoint };
  stage.begin({4, 4, 4});
  const std::uint32_t damaged = stage.n() - 1;
  std::optional<Height> back_at;
  stage.simulation().on_crash([&](sim::Machine machine) {
    back_at = stage.height();
    stage.after(milliseconds(100), [&stage, machine] { stage.start(machine.value()); });
  });
  bool noticed = false;
  stage.watch([&](std::uint32_t replica, const node::Notice& notice) {
    noticed = noticed || (replica == damaged && notice.kind == node::Notice::Kind::diverged);
  });
  bool votes = false;
  stage.rule([&](const Passing& passing) {
    if (as<pbft::Seal>(passing) != nullptr && passing.to == damaged &&
        stage.number() == by_checkpoint) {
      return kLost;
    }
    const auto* commit = commit_of(passing);
    votes = votes || (commit != nullptr && back_at && commit->replica.value() == damaged &&
                      passing.from == damaged && commit->ballot.height > *back_at);
    return kPass;
  });
  stage.simulation().damage_ledger(ReplicaId(damaged), Height(6));
  stage.clients().load(milliseconds(10));
  stage.await("it notices", seconds(10), [&] { return noticed; });
  if (!stage.ok()) return;
  const Height before = stage.status(0).low_watermark;
  stage.await("it votes again", seconds(30), [&] { return votes; });
  stage.await("stable checkpoints", seconds(10), [&] {
    return stage.all_correct(
        [&](auto i) { return stage.status(i).low_watermark > before.saturating_add(8); });
  });
  stage.expect(stage.left().empty(), "a view changed");
  stage.finale();
}

// The next primary has nothing while the others have a stable checkpoint, and nothing that it could
// take over lies above it. It opens the view and must propose nothing below the checkpoint, however
// much work it still sees there.
void x12_primary_behind_checkpoint(Stage& stage) {
  constexpr std::uint64_t kInterval = 4;
  stage.begin({kInterval, 4, 1});
  const std::uint32_t next = 1;
  const auto away = stage.cut({next});
  for (std::uint64_t i = 0; i < kInterval; ++i) {
    stage.clients().submit_to_all(stage.clients().make_next());
  }
  stage.await("a stable checkpoint without it", seconds(5), [&] {
    return stage.all_correct(
        [&](auto i) { return i == next || stage.status(i).low_watermark == Height(kInterval); });
  });
  stage.crash(0);
  stage.end_rule(away);
  // It hears what the view change needs, and no block.
  const auto no_blocks = stage.lose([](const Passing& passing) {
    return passing.to == next &&
           (passing.traffic == node::TrafficClass::sync ||
            as<pbft::CommitCertificate>(passing) != nullptr || as<pbft::Data>(passing) != nullptr);
  });
  const auto transaction = stage.clients().make_next();
  stage.clients().submit_to_all(transaction);
  stage.await("it opens its view", seconds(20), [&] { return stage.all_in(View(1)); });
  stage.run_for(milliseconds(200));
  if (!stage.ok()) return;
  stage.expect(stage.head(next) == Height(0), "it is not behind");
  stage.end_rule(no_blocks);
  stage.await_executed(transaction, seconds(30));
  stage.finale();
}

}  // namespace

std::vector<Scenario> checkpoint_scenarios() {
  return {
      {"S31",
       "a message above the window just before it moves",
       {4, 5, 6, 7, 10},
       1,
       s31_above_the_window},
      {"S29b", "one replica's state is damaged", {4, 5, 6, 7, 10}, 2, s29b_damaged_state},
      {"X12",
       "the next primary is behind the checkpoint",
       {4, 5, 7},
       1,
       x12_primary_behind_checkpoint},
  };
}

}  // namespace quorate::scenarios
