// Networks without a faulty replica: the protocol at its best, and on links at their worst.
#include "tests/scenarios/scenario.hpp"

namespace quorate::scenarios {
namespace {

using Phase = consensus::Progress::Phase;

bool reports(const node::Notice& notice, Phase phase) {
  return notice.kind == node::Notice::Kind::progress && notice.phase == phase;
}

// Nobody leaves the first view, every checkpoint becomes stable in its turn, and a block has its
// certificate everywhere four message delays after it was proposed.
void s01_no_faults(Stage& stage) {
  constexpr Duration kDelay = milliseconds(50);
  const std::uint64_t blocks = stage.full() ? 10'000 : 300;
  const std::uint64_t interval = 8;
  stage.begin({interval, 4, 16});
  sim::LinkFaults links;
  links.delay_min = links.delay_max = kDelay;
  stage.links(links);

  std::map<Height, Instant> proposed;
  Duration slowest{0};
  std::map<std::uint32_t, std::uint64_t> stable;  // by replica
  bool suspected = false;
  stage.watch([&](std::uint32_t replica, const node::Notice& notice) {
    if (reports(notice, Phase::proposed)) proposed.emplace(notice.height, stage.now());
    if (notice.kind == node::Notice::Kind::block_sealed) {
      slowest = std::max(slowest, stage.now() - proposed.at(notice.height));
    }
    if (reports(notice, Phase::checkpoint_stable)) {
      stable[replica] += interval;
      stage.expect(notice.height.value() == stable[replica], "a checkpoint was left out");
    }
  });
  stage.rule([&](const Passing& passing) {
    suspected = suspected || as<pbft::Suspect>(passing) != nullptr;
    return kPass;
  });
  stage.clients().load(microseconds(500), 64);
  const Duration per_block = kDelay * 2;
  stage.await("all blocks", per_block * static_cast<int>(blocks),
              [&] { return stage.height().value() >= blocks; });
  stage.finale();
  expect_no_view_change(stage);
  stage.expect(!suspected, "somebody suspected the primary");
  // Local work of the simulated machines takes the rest of a fifth delay.
  stage.expect(slowest < kDelay * 5, "a block needed " + std::to_string(slowest.count() / 1000) +
                                         " us from its proposal to its certificate");
  for (std::uint32_t i = 0; i < stage.n() && stage.ok(); ++i) {
    stage.expect(stage.status(i).low_watermark.value() + 2 * interval > blocks,
                 "the watermark stands still");
  }
}

// A third of everything is lost, some comes twice, and nothing in order or in time.
void s02_bad_links(Stage& stage) {
  stage.begin();
  sim::LinkFaults links;
  links.delay_min = milliseconds(1);
  links.delay_max = milliseconds(500);
  links.loss_per_mille = 300;
  links.duplicate_per_mille = 100;
  links.reorder_per_mille = 500;
  stage.links(links);
  stage.clients().load(milliseconds(50));
  // The protocol promises progress only once the links are well. But the timers adapt, so there is
  // some before that.
  stage.await("blocks in spite of it", minutes(10), [&] { return stage.height().value() >= 12; });
  stage.finale();
}

// After an overload and a view change the load is a share of the highest rate that was seen, over
// links that are slow. There are always transactions that are in no proposal yet, for the pipeline
// is long. No primary is slow for that.
void x18_below_saturation(Stage& stage) {
  static constexpr int kPercent[] = {34, 26, 19};
  constexpr std::uint32_t kPayload = 64;
  stage.begin({8, 8, kPayload});
  sim::LinkFaults links;
  links.delay_min = links.delay_max = milliseconds(150);
  stage.links(links);
  std::uint64_t fullest = 0;
  stage.watch([&](std::uint32_t, const node::Notice& notice) {
    if (notice.kind == node::Notice::Kind::block_executed) {
      fullest = std::max<std::uint64_t>(fullest, notice.block->transactions.size());
    }
  });
  const sim::ModelLedger& model = stage.simulation().checks().model();
  stage.clients().load(microseconds(500), 200);
  stage.run_for(seconds(3));
  const std::uint64_t before = model.transactions();
  stage.run_for(seconds(6));
  const std::uint64_t rate = (model.transactions() - before) / 6;
  stage.clients().stop_load();
  stage.await("what waited", seconds(20), [&] { return stage.clients().all_done(); });
  stage.expect(stage.left().empty(), "a view changed under the overload");
  stage.expect(fullest == kPayload, "it was no overload");
  stage.crash(0);
  stage.clients().talk_to(stage.all_but({0}));
  stage.clients().load(milliseconds(20));
  stage.await("another view", seconds(20), [&] { return stage.all_in(View(1)); });
  if (!stage.ok()) return;
  stage.start(0);
  stage.run_for(seconds(3));
  const View view = stage.highest_view();
  const auto per_second = rate * static_cast<std::uint64_t>(kPercent[stage.number()]) / 100;
  // All of it comes to a backup, and most of what is there is on its way to the primary and back.
  stage.clients().talk_to({stage.primary_of(view.next())});
  stage.clients().load(microseconds(1'000'000 / std::max<std::uint64_t>(per_second, 1)), 200);
  bool suspected = false;
  stage.rule([&](const Passing& passing) {
    suspected = suspected || as<pbft::Suspect>(passing) != nullptr;
    return kPass;
  });
  stage.run_for(seconds(12));
  stage.expect(!suspected, "somebody suspected the primary");
  stage.expect(stage.highest_view() == view, "the view changed again");
  stage.finale();
}

}  // namespace

std::vector<Scenario> normal_scenarios() {
  return {
      {"S01", "no faults, the highest load", {4, 7, 10}, 1, s01_no_faults},
      {"S02", "30 % loss, duplicates, reordering, 1 to 500 ms", {4, 5, 6, 7, 10}, 3, s02_bad_links},
      {"X18",
       "load below the highest over slow links, after an overload",
       {4, 7},
       3,
       x18_below_saturation},
  };
}

}  // namespace quorate::scenarios
