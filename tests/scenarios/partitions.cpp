// Replicas that do not hear each other, and find together again.
#include "tests/scenarios/scenario.hpp"

namespace quorate::scenarios {
namespace {

std::set<std::uint32_t> numbers(std::uint32_t first, std::uint32_t end) {
  std::set<std::uint32_t> out;
  for (std::uint32_t i = first; i < end; ++i) out.insert(i);
  return out;
}

// All others are seven views ahead when one hears f+1 of them again: it joins them at once.
void s15_laggard_joins(Stage& stage) {
  constexpr std::uint64_t kViews = 7;
  stage.begin();
  const std::uint32_t laggard = stage.n() - 1;
  stage.clients().talk_to(stage.all_but({laggard}));  // it has no reason of its own to leave
  const auto away = stage.cut({laggard});
  stage.lose([](const Passing& passing) { return new_view_of(passing) != nullptr; });
  stage.clients().load(milliseconds(200));
  stage.lose([](const Passing& passing) { return as<pbft::PrePrepare>(passing) != nullptr; });
  stage.await("the others are seven views ahead", minutes(10), [&] {
    for (std::uint32_t i = 0; i < laggard; ++i) {
      if (stage.status(i).promise_view < View(kViews)) return false;
    }
    return true;
  });
  if (!stage.ok()) return;
  stage.expect(stage.times_left(laggard) == 0, "the laggard left its view alone");
  // From now on it hears f+1 of them, and nothing but their VIEW-CHANGEs.
  stage.end_rule(away);
  std::set<std::uint32_t> audible;
  for (std::uint32_t i = 0; i < laggard && audible.size() <= stage.faults(); ++i) {
    // The primary of the next view is content once it has opened it, and the laggard cannot know.
    if (stage.primary_of(stage.status(i).promise_view) != i) audible.insert(i);
  }
  stage.lose([&, audible](const Passing& passing) {
    const bool concerns = passing.to == laggard || passing.from == laggard;
    return concerns && !(audible.count(passing.from) != 0 && view_change_of(passing) != nullptr);
  });
  stage.await("the laggard joins", seconds(5), [&] { return stage.times_left(laggard) != 0; });
  if (!stage.ok()) return;
  stage.expect(stage.times_left(laggard) == 1, "the laggard went through several views");
  stage.expect(stage.status(laggard).promise_view >= View(kViews), "the laggard joined too low");
  stage.finale();
}

// Neither half has a quorum: nothing commits, and no half runs away through the views.
void s16_halves(Stage& stage) {
  stage.begin();
  stage.clients().load(milliseconds(20));
  stage.run_for(seconds(1));
  stage.split({numbers(0, stage.n() / 2), numbers(stage.n() / 2, stage.n())});
  stage.run_for(seconds(1));  // what was under way arrives
  const Height before = stage.height();
  stage.run_for(stage.full() ? Duration(hours(1)) : Duration(minutes(3)));
  if (!stage.ok()) return;
  stage.expect(stage.height() == before, "a half without a quorum committed something");
  Duration timeout{0};
  for (std::uint32_t i = 0; i < stage.n(); ++i) {
    stage.expect(stage.times_left(i) <= 1, "a half ran through the views");
    timeout = std::max(timeout, stage.status(i).view_timeout);
  }
  stage.finale(3 * timeout);
}

// The link from the primary to one backup comes and goes. One suspect changes no view.
void s17_flapping_link(Stage& stage) {
  stage.begin();
  const std::uint32_t backup = stage.n() - 1;
  bool lost = false;
  std::function<void()> flap = [&] {
    lost = !lost;
    stage.after(lost ? milliseconds(1500) : milliseconds(100), flap);
  };
  flap();
  std::uint64_t kept_back = 0;
  stage.lose([&](const Passing& passing) {
    const bool here = lost && passing.from == 0 && passing.to == backup;
    kept_back += here ? 1 : 0;
    return here;
  });
  stage.clients().load(milliseconds(30));
  // What its primary does not tell it, others do, a few seconds later at most.
  std::vector<Height> heights;
  for (int second = 0; second < (stage.full() ? 60 : 12); ++second) {
    stage.run_for(seconds(1));
    if (!stage.ok()) return;
    heights.push_back(stage.height());
    stage.expect(second < 4 || stage.head(backup) >= heights[heights.size() - 5],
                 "the backup does not keep up");
  }
  stage.expect(kept_back > 100, "the link was never needed");
  expect_no_view_change(stage);
  stage.finale();
  expect_no_view_change(stage);
  flap = [] {};
}

// A replica hears nobody for a while, and suspects the primary. That binds it to nothing: back in
// touch it votes in the view that never changed.
void s18_isolated_suspect(Stage& stage) {
  stage.begin();
  const std::uint32_t alone = stage.n() - 1;
  stage.clients().load(milliseconds(40));
  stage.run_for(milliseconds(500));
  const auto away = stage.cut({alone});
  stage.clients().submit(alone, stage.clients().make_next());
  stage.await("it suspects", seconds(20), [&] { return !stage.status(alone).suspicions.empty(); });
  stage.run_for(seconds(10));
  const Height back_at = stage.height();
  bool votes = false;
  stage.rule([&](const Passing& passing) {
    const auto* commit = commit_of(passing);
    votes =
        votes || (commit != nullptr && passing.from == alone && commit->replica.value() == alone &&
                  commit->ballot.view == View(0) && commit->ballot.height > back_at);
    return kPass;
  });
  stage.end_rule(away);
  stage.await("it votes again", seconds(10), [&] { return votes; });
  expect_no_view_change(stage);
  stage.finale();
  expect_no_view_change(stage);
}

// As many primaries in a row are dead as there may be. Each view waits twice as long for the next,
// up to the maximum; and once blocks come again, stable checkpoints bring the patience back down.
void s19_dead_primaries(Stage& stage) {
  stage.begin({4, 4, 8});
  const std::uint32_t dead = stage.faults();
  for (std::uint32_t i = 0; i < dead; ++i) stage.crash(i);
  stage.clients().talk_to(stage.correct_ones());
  stage.clients().load(milliseconds(100));
  stage.await("the first living primary", minutes(15), [&] { return stage.all_in(View(dead)); });
  if (!stage.ok()) return;
  const std::uint32_t witness = stage.n() - 1;
  std::map<View, Instant> left;
  for (const ViewNote& note : stage.left()) {
    if (note.replica == witness) left.emplace(note.view, note.at);
  }
  stage.expect(left.size() == dead, "a view was left twice or never");
  for (std::uint64_t v = 1; v < dead && stage.ok(); ++v) {
    // From asking for view v until asking for the next: T doubles with every view.
    const Duration patience = std::min(kViewTimeoutMax, kViewTimeout * (1 << v));
    const Duration gap = left.at(View(v + 1)) - left.at(View(v));
    stage.expect(gap >= patience && gap < patience + seconds(2),
                 "the patience with view " + std::to_string(v) + " was " +
                     std::to_string(gap.count() / 1'000'000) + " ms");
  }
  stage.clients().load(milliseconds(10));
  stage.await("calm", minutes(5),
              [&] { return stage.status(witness).view_timeout <= kViewTimeout; });
  stage.expect(stage.highest_view() == View(dead), "a living primary was left");
  stage.finale();
}

// One replica misses the NEW-VIEW, and without it there is no quorum. Whoever is in the new view
// shows it the NEW-VIEW: nobody needs yet another one.
void x13_missed_new_view(Stage& stage) {
  stage.begin();
  const std::uint32_t deaf = stage.n() - 1;
  std::set<std::uint32_t> dead;
  for (std::uint32_t i = 0; dead.size() < stage.faults(); i += i == 0 ? 2 : 1) dead.insert(i);
  bool missed = false;
  stage.lose([&](const Passing& passing) {
    const auto* message = new_view_of(passing);
    const bool first =
        message != nullptr && passing.to == deaf && stage.status(deaf - 1).view < View(1);
    missed = missed || first;
    return first;
  });
  for (const std::uint32_t replica : dead) stage.crash(replica);
  const auto transaction = stage.clients().make_next();
  stage.clients().submit_to_all(transaction);
  stage.await_executed(transaction, seconds(20));
  if (!stage.ok()) return;
  stage.expect(missed, "nobody missed the NEW-VIEW");
  stage.expect(stage.highest_view() == View(1), "a NEW-VIEW was never sent again");
  stage.finale();
}

// The line of one replica delivers everything, but twenty seconds late. It does not call itself
// ready, though nothing that it hears tells it what it misses; nobody else is troubled. Half a
// second each way, between all of them, is no reason for that.
void x19_slow_line(Stage& stage) {
  stage.begin();
  const std::uint32_t far = stage.n() - 1;
  const auto status = [&](std::uint32_t replica) { return stage.node(replica).replica().status(); };
  const auto late_at_others = [&] {
    std::uint32_t most = 0;
    for (std::uint32_t i = 0; i < far; ++i) most = std::max(most, status(i).peers_late);
    return most;
  };
  stage.clients().load(milliseconds(400));
  sim::LinkFaults links;
  links.delay_min = links.delay_max = milliseconds(500);
  stage.links(links);
  for (int i = 0; i < 200; ++i) {
    stage.run_for(milliseconds(100));
    if (!stage.ok()) return;
    stage.expect(late_at_others() == 0 && status(far).peers_late == 0, "half a second is late");
  }
  links.delay_min = links.delay_max = seconds(20);
  sim::Network& network = stage.simulation().network();
  for (std::uint32_t i = 0; i < far; ++i) {
    network.set_faults(sim::Machine(i), sim::Machine(far), links);
    network.set_faults(sim::Machine(far), sim::Machine(i), links);
  }
  stage.links({});
  const auto knows = [&] {
    return !status(far).ready && status(far).not_ready_reason.find(" late ") != std::string::npos;
  };
  // At first nothing comes at all.
  stage.await("it is not ready", seconds(10), [&] { return !status(far).ready; });
  stage.await("it knows that it hears old news", seconds(30), knows);
  for (int i = 0; i < 30; ++i) {
    stage.run_for(seconds(1));
    if (!stage.ok()) return;
    stage.expect(knows(), "it calls itself ready, or does not say that its line is slow");
    stage.expect(late_at_others() <= 1, "another line than its own is called slow");
  }
  network.clear_link_faults();
  // What is under way still comes first.
  stage.await("it is ready again", seconds(30), [&] { return status(far).ready; });
  stage.finale();
}

}  // namespace

std::vector<Scenario> partition_scenarios() {
  return {
      {"S15",
       "a laggard hears f+1 that are seven views ahead",
       {4, 5, 6, 7, 10},
       1,
       s15_laggard_joins},
      {"S16", "two halves without a quorum for an hour", {4, 5, 6, 7, 10}, 1, s16_halves},
      {"S17", "the link from the primary to one backup flaps", {4, 7, 10}, 1, s17_flapping_link},
      {"S18",
       "an isolated replica suspects and returns",
       {4, 5, 6, 7, 10},
       1,
       s18_isolated_suspect},
      {"X13", "one replica misses the NEW-VIEW", {4, 5, 7, 10}, 1, x13_missed_new_view},
      {"X19", "the line of one replica is twenty seconds late", {4, 7, 10}, 1, x19_slow_line},
      {"S19", "primary after primary is dead", {4, 7, 10, 31}, 1, s19_dead_primaries},
  };
}

}  // namespace quorate::scenarios
