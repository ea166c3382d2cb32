// Clocks that are wrong, and proposals that are old.
#include "tests/scenarios/scenario.hpp"

namespace quorate::scenarios {
namespace {

// A height is prepared, then nobody hears anybody for two hours. The view change that follows
// brings its old time along, and the clock must not keep it out.
void s26_stale_proposal(Stage& stage) {
  const Duration silence = stage.full() ? Duration(hours(2)) : Duration(minutes(10));
  stage.begin({8, 4, 1});
  std::size_t prepared = 0;
  stage.watch([&](std::uint32_t, const node::Notice& notice) {
    const bool counts = notice.kind == node::Notice::Kind::progress &&
                        notice.phase == consensus::Progress::Phase::prepared;
    if (counts && notice.view == View(0)) ++prepared;
  });
  stage.lose([](const Passing& passing) {
    const auto* commit = commit_of(passing);
    return commit != nullptr && commit->ballot.view == View(0);
  });
  const auto transaction = stage.clients().make_next();
  stage.clients().submit_to_all(transaction);
  stage.await("everybody prepares", milliseconds(900), [&] { return prepared == stage.n(); });
  const auto silent = stage.split({});
  stage.run_for(silence);
  stage.end_rule(silent);
  stage.clients().submit_to_all(transaction);  // a client asks again; the old copies have expired
  stage.await("the old proposal commits", seconds(30), [&] { return stage.height() == Height(1); });
  if (!stage.ok()) return;
  stage.expect(stage.highest_view() > View(0), "no view change was needed");
  stage.finale();
}

// The clocks of f replicas are an hour off, the first primary's among them, and jump back and
// forth.
void s42_clock_skew(Stage& stage) {
  stage.begin();
  sim::Prng prng(stage.number());
  const auto skew = [&](bool ahead) {
    for (std::uint32_t i = 0; i < stage.faults(); ++i) {
      stage.node(i).set_clock_skew(ahead ? hours(1) : -hours(1));
    }
  };
  skew(stage.number() % 2 == 0);
  stage.clients().load(milliseconds(10));
  for (int jump = 0; jump < 6; ++jump) {
    const Height before = stage.height();
    stage.await("blocks in spite of wrong clocks", minutes(2),
                [&] { return stage.height().value() >= before.value() + 10; });
    skew(prng.one_in(2));
  }
  // Then they stand still, and nobody waits for them.
  for (std::uint32_t i = 0; i < stage.faults(); ++i) stage.node(i).freeze_clock();
  const Height before = stage.height();
  stage.await("blocks in spite of clocks that stand still", minutes(2),
              [&] { return stage.height().value() >= before.value() + 10; });
  stage.finale();
}

}  // namespace

std::vector<Scenario> clock_scenarios() {
  return {
      {"S26", "a view change long after the proposal", {4, 5, 6, 7, 10}, 1, s26_stale_proposal},
      {"S42", "clocks an hour off that jump", {4, 5, 6, 7, 10}, 2, s42_clock_skew},
  };
}

}  // namespace quorate::scenarios
