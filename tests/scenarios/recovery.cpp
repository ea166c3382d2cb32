// Crashes, restarts and lag: what a replica must still know when it is back, and how it gets back.
#include "tests/scenarios/scenario.hpp"

namespace quorate::scenarios {
namespace {

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
  return {
      {"S32",
       "far behind in the middle of a view change",
       {4, 5, 6, 7, 10},
       1,
       s32_lagging_in_view_change},
      {"S35", "the power fails everywhere", {4, 7}, 100, s35_power_failure, true},
  };
}

}  // namespace quorate::scenarios
