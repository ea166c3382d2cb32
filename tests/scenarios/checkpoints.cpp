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

}  // namespace

std::vector<Scenario> checkpoint_scenarios() {
  return {
      {"S31",
       "a message above the window just before it moves",
       {4, 5, 6, 7, 10},
       1,
       s31_above_the_window},
  };
}

}  // namespace quorate::scenarios
