// The primary fails at the worst moments, and what was decided or nearly decided survives.
#include "tests/scenarios/observers.hpp"
#include "tests/scenarios/scenario.hpp"

namespace quorate::scenarios {
namespace {

// The primary is gone after its k-th frame, for every k of a run with several heights in flight and
// a checkpoint. The others go on without it, then it comes back.
void s03_primary_crash(Stage& stage) {
  stage.begin({4, 4, 1});
  sim::LinkFaults links;
  links.delay_min = links.delay_max = milliseconds(2);
  stage.links(links);
  std::uint64_t sent = 0;
  bool dead = false;
  stage.rule([&](const Passing& passing) {
    if (passing.from != 0) return kPass;
    if (passing.traffic != node::TrafficClass::consensus) return dead ? kLost : kPass;
    if (sent++ == stage.number()) {
      dead = true;
      stage.node(0).order_crash(sim::CrashPoint::now);
    }
    return dead ? kLost : kPass;
  });
  std::vector<ledger::TransactionPtr> transactions;
  for (int i = 0; i < 6; ++i) transactions.push_back(stage.clients().make_next());
  for (const auto& transaction : transactions) {
    stage.clients().submit_to_all(transaction);
    stage.run_for(milliseconds(3));
  }
  const auto all_executed = [&] {
    return std::all_of(transactions.begin(), transactions.end(),
                       [&](const auto& each) { return stage.clients().executed(each); });
  };
  const auto checkpointed = [&] {
    return stage.up(0) && stage.status(0).low_watermark >= Height(4);
  };
  stage.run_until(milliseconds(200), [&] { return dead || (all_executed() && checkpointed()); });
  if (!dead) return stage.no_such_case();
  stage.finale(minutes(1), {0});
  stage.expect(all_executed(), "a transaction was lost with the primary");
  stage.finale(minutes(1));
}

// One replica commits a height and falls silent; the others only prepared it. Whoever comes next
// must propose the same there.
void s08_one_commits(Stage& stage) {
  stage.begin({8, 4, 1});
  const std::uint32_t committer = stage.n() - 1;
  const Height height(1);
  Proposals proposals(stage);
  NewViews new_views(stage);
  Prepared prepared(stage);
  stage.lose([&](const Passing& passing) {
    return commit_of(passing) != nullptr && passing.to != committer &&
           commit_of(passing)->ballot.view == View(0);
  });
  const auto muted = stage.lose([&](const Passing& passing) {
    return passing.from == committer && prepare_of(passing) == nullptr;
  });
  stage.clients().submit_to_all(stage.clients().make_next());
  stage.await("one replica executes the height", seconds(1), [&] {
    return stage.head(committer) == height && prepared.count(View(0), height) == stage.n();
  });
  stage.end_rule(muted);
  stage.cut({committer});
  stage.await("the others execute it in a later view", seconds(30),
              [&] { return stage.head(0) == height && stage.head(stage.n() - 2) == height; });
  if (!stage.ok()) return;
  stage.expect(new_views.proposed(View(1), height) == proposals.at(height),
               "the NEW-VIEW does not carry what one replica committed");
  stage.expect(stage.executed_id(height) == proposals.at(height), "something else was committed");
  stage.finale();
}

// Prepared in view 0, proposed again in view 1 but prepared by nobody there: view 2 must still know
// it, also when replicas restart in between.
void s09_prepared_twice_proposed(Stage& stage) {
  enum : std::uint64_t { no_restart, one_restarts, all_restart };
  stage.begin({8, 4, 1});
  const Height height(1);
  Proposals proposals(stage);
  NewViews new_views(stage);
  Prepared prepared(stage);
  stage.lose([](const Passing& passing) {
    const auto* commit = commit_of(passing);
    const auto* prepare = prepare_of(passing);
    return (commit != nullptr && commit->ballot.view == View(0)) ||
           (prepare != nullptr && prepare->ballot.view == View(1));
  });
  const auto transaction = stage.clients().make_next();
  stage.clients().submit_to_all(transaction);
  stage.await("everybody prepares", seconds(1),
              [&] { return prepared.count(View(0), height) == stage.n(); });
  const auto all_in = [&](View view) {
    for (std::uint32_t i = 0; i < stage.n(); ++i) {
      if (!stage.up(i) || stage.status(i).view < view) return false;
    }
    return true;
  };
  stage.await("view 1", seconds(10), [&] { return all_in(View(1)); });
  for (std::uint32_t i = 0; i < stage.n(); ++i) {
    const bool falls = stage.number() == all_restart || (stage.number() == one_restarts && i == 2);
    if (falls) stage.crash(i);
  }
  stage.run_for(milliseconds(50));
  for (std::uint32_t i = 0; i < stage.n(); ++i) stage.start(i);
  stage.clients().submit_to_all(transaction);  // what a restart forgot is sent again
  stage.await("view 2", seconds(30), [&] { return all_in(View(2)); });
  stage.await("the height", seconds(30), [&] { return stage.executed_id(height).has_value(); });
  if (!stage.ok()) return;
  stage.expect(new_views.proposed(View(1), height) == proposals.at(height), "lost in view 1");
  stage.expect(new_views.proposed(View(2), height) == proposals.at(height), "lost in view 2");
  stage.expect(prepared.count(View(1), height) == 0, "view 1 prepared it after all");
  stage.expect(stage.executed_id(height) == proposals.at(height), "something else was committed");
  stage.finale();
}

// Four heights are prepared and the last two committed by one replica. View 1 prepares the first
// two again. View 2 finds certificates of different views and must keep all four.
void s10_prefix_prepared_again(Stage& stage) {
  stage.begin({8, 4, 1});
  const std::uint32_t committer = stage.n() - 1;
  Proposals proposals(stage);
  NewViews new_views(stage);
  Prepared prepared(stage);
  bool committed = false;  // and the committer is out of the world
  stage.lose([&](const Passing& passing) {
    if (committed && (passing.from == committer || passing.to == committer)) return true;
    const auto* commit = commit_of(passing);
    if (commit == nullptr) return passing.from == committer && prepare_of(passing) == nullptr;
    const bool suffix = commit->ballot.height > Height(2) && passing.to == committer;
    return commit->ballot.view < View(2) && !suffix;
  });
  stage.lose([](const Passing& passing) {
    const auto* prepare = prepare_of(passing);
    return prepare != nullptr && prepare->ballot.view == View(1) &&
           prepare->ballot.height > Height(2);
  });
  for (int i = 0; i < 4; ++i) stage.clients().submit_to_all(stage.clients().make_next());
  stage.await("four heights are prepared, two committed by one replica", milliseconds(900), [&] {
    for (std::uint64_t h = 1; h <= 4; ++h) {
      if (prepared.count(View(0), Height(h)) != stage.n()) return false;
    }
    return stage.status(committer).highest_evidence == Height(4);
  });
  committed = true;
  stage.await("the others execute all four", minutes(1),
              [&] { return stage.head(0) == Height(4); });
  if (!stage.ok()) return;
  for (std::uint64_t h = 1; h <= 4; ++h) {
    const Height height(h);
    stage.expect((prepared.count(View(1), height) != 0) == (h <= 2), "view 1 went another way");
    stage.expect(new_views.proposed(View(2), height) == proposals.at(height),
                 "view 2 does not keep height " + std::to_string(h));
    stage.expect(stage.executed_id(height) == proposals.at(height), "something else was committed");
  }
  stage.finale();
}

}  // namespace

std::vector<Scenario> primary_fault_scenarios() {
  constexpr std::uint64_t kAll = 100'000;  // the enumeration ends by itself
  return {
      {"S03", "the primary crashes at every message", {4, 7}, kAll, s03_primary_crash},
      {"S08", "one commits, all others only prepared", {4, 5, 6, 7, 10}, 1, s08_one_commits},
      {"S09",
       "prepared, proposed again, not prepared, third view",
       {4, 5, 6, 7, 10},
       3,
       s09_prepared_twice_proposed},
      {"S10",
       "a later view prepares only a prefix",
       {4, 5, 6, 7, 10},
       1,
       s10_prefix_prepared_again},
  };
}

}  // namespace quorate::scenarios
