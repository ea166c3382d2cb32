// What certificates must survive: two proposals at one height, a checkpoint that overtakes its
// votes, a chain that says nothing more, liars who show them late.
#include "tests/scenarios/scenario.hpp"
#include "tests/scenarios/villains.hpp"

namespace quorate::scenarios {
namespace {

using Phase = consensus::Progress::Phase;

// Who prepared the first height, by view.
void watch_prepared(Stage& stage, std::map<View, std::set<std::uint32_t>>& who) {
  stage.watch([&who](std::uint32_t replica, const node::Notice& notice) {
    const bool prepared = notice.kind == node::Notice::Kind::progress &&
                          notice.phase == Phase::prepared && notice.height == Height(1);
    if (prepared) who[notice.view].insert(replica);
  });
}

// One replica alone prepares a proposal in view 0. The others, who do not know, prepare another one
// in view 1. The highest view decides, and whoever held the first must give it up: with f dead,
// nothing goes without it.
void x01_two_prepared(Stage& stage) {
  stage.begin({8, 4, 1});
  const std::uint32_t first_holder = stage.n() - 1;
  std::map<View, std::set<std::uint32_t>> prepared;
  watch_prepared(stage, prepared);
  std::optional<Digest> second;
  stage.rule([&](const Passing& passing) {
    const auto* proposal = as<pbft::PrePrepare>(passing);
    if (proposal != nullptr && proposal->core.ballot.view == View(1) &&
        proposal->core.ballot.height == Height(1)) {
      second = proposal->core.ballot.id;
    }
    return kPass;
  });
  stage.lose([&](const Passing& passing) {
    const auto* prepare = prepare_of(passing);
    const auto* commit = commit_of(passing);
    if (commit != nullptr) return commit->ballot.view <= View(1);
    if (prepare == nullptr) return false;
    if (prepare->ballot.view == View(0)) return passing.to != first_holder;
    return prepare->ballot.view == View(1) && passing.to == first_holder;
  });
  stage.clients().submit_to_all(stage.clients().make_next());
  stage.await("one replica prepares", seconds(1), [&] { return prepared.count(View(0)) != 0; });
  const auto away = stage.cut({first_holder});
  stage.await("the others prepare something else", seconds(60), [&] {
    const auto found = prepared.find(View(1));
    return found != prepared.end() && found->second.size() == stage.n() - 1;
  });
  stage.end_rule(away);
  std::set<std::uint32_t> dead{0};
  for (std::uint32_t i = 3; dead.size() < stage.faults(); ++i) dead.insert(i);
  for (const std::uint32_t replica : dead) stage.crash(replica);
  stage.await("the later one commits without the dead", minutes(3),
              [&] { return stage.head(1) >= Height(1) && stage.head(first_holder) >= Height(1); });
  if (!stage.ok()) return;
  stage.expect(second && stage.executed_id(Height(1)) == second, "the earlier one came back");
  stage.finale();
}

// A replica commits heights and learns their checkpoint before it has prepared them; the COMMITs
// that it still logs then stand behind the checkpoint's snapshot. After a restart it must not show
// them in a VIEW-CHANGE.
void x02_votes_behind_snapshot(Stage& stage) {
  stage.begin({4, 4, 1});
  sim::LinkFaults links;
  links.delay_min = links.delay_max = milliseconds(2);
  stage.links(links);
  const std::uint32_t late = stage.n() - 1;
  std::vector<sim::Frame> kept_back;
  bool hold_checkpoints = true;
  stage.simulation().network().add_rule([&](const sim::Letter& letter) -> std::optional<sim::Fate> {
    if (letter.to.value() != late) return std::nullopt;
    const bool prepare = letter.peek.kind == sim::MessageKind::prepare;
    const bool checkpoint = letter.peek.kind == sim::MessageKind::checkpoint ||
                            letter.peek.kind == sim::MessageKind::checkpoint_proof;
    if (prepare && letter.peek.height <= Height(4)) {
      kept_back.push_back(letter.frame);
      return sim::Fate{true, Duration(0), {}};
    }
    if (checkpoint && hold_checkpoints) return sim::Fate{true, Duration(0), {}};
    return std::nullopt;
  });
  for (int i = 0; i < 4; ++i) {
    stage.clients().submit_to_all(stage.clients().make_next());
    stage.run_for(milliseconds(20));
  }
  stage.await("it executes what it has not prepared", seconds(5), [&] {
    return stage.head(late) == Height(4) && !stage.node(late).disk().sync_pending();
  });
  stage.node(late).set_slow(true);
  hold_checkpoints = false;
  stage.await("it logs the checkpoint", seconds(5),
              [&] { return stage.node(late).disk().sync_pending(); });
  if (!stage.ok()) return;
  stage.expect(!kept_back.empty(), "no PREPARE was kept back");
  stage.simulation().network().clear_rules();
  for (const sim::Frame& frame : kept_back) {
    stage.simulation().network().send(sim::Machine(late), frame);
  }
  stage.run_for(milliseconds(10));
  stage.await("all of it is durable", seconds(5),
              [&] { return !stage.node(late).disk().sync_pending(); });
  stage.expect(stage.status(late).low_watermark == Height(4), "the checkpoint is not stable");
  stage.node(late).set_slow(false);
  stage.crash(late);
  stage.start(late);
  stage.await("it may vote again", seconds(10), [&] { return !stage.status(late).starting; });
  stage.crash(0);
  stage.clients().submit_to_all(stage.clients().make_next());
  stage.await("a view without the first primary", seconds(60),
              [&] { return stage.all_in(View(1)); });
  stage.finale();
}

// A replica is cut off while the last transactions commit. Nothing more is sent by anybody's
// clients: what it missed it learns from what the others say while idle.
void x03_back_to_an_idle_chain(Stage& stage) {
  stage.begin();
  const std::uint32_t away = stage.n() - 1;
  const auto rule = stage.cut({away});
  for (std::uint32_t replica = 0; replica < away; ++replica) {
    const auto transaction = stage.clients().make(1);
    stage.clients().submit(replica, transaction);
  }
  stage.await("the others execute", seconds(10), [&] { return stage.height() >= Height(1); });
  stage.run_for(seconds(5));
  const Height height = stage.height();
  stage.end_rule(rule);
  stage.await("it learns what it missed", seconds(15), [&] { return stage.head(away) == height; });
  stage.finale();
}

// Nobody has anything to do, so nobody proposes anything and nobody suspects anybody.
void x04_idle_chain(Stage& stage) {
  stage.begin();
  stage.clients().submit_to_all(stage.clients().make_next());
  const bool more = stage.run_until(minutes(3), [&] { return stage.height() > Height(1); });
  stage.expect(!more && stage.height() == Height(1), "an idle chain makes blocks");
  for (std::uint32_t i = 0; i < stage.n() && stage.ok(); ++i) {
    stage.expect(stage.times_left(i) == 0 && stage.status(i).suspicions.empty(),
                 "an idle chain changes views");
  }
  stage.finale();
}

// The f last replicas ask late for the first view change, with what they prepared in the view that
// it led to. A certificate of the view asked for, or of a later one, belongs into no VIEW-CHANGE.
void x05_certificate_of_later_view(Stage& stage) {
  stage.prepare({8, 4, 1});
  std::set<std::uint32_t> asked;
  sim::Script script;
  script.say = [&](sim::Villain& villain, ReplicaId to, const sim::Said& said) {
    const auto* view_change = own_view_change(villain, said);
    if (view_change == nullptr || view_change->view != View(2)) return villain.pass(to, said);
    pbft::ViewChange late = *view_change;
    late.view = View(1);
    const auto of_view_1 = [](const auto& entry) { return entry.core.ballot.view == View(1); };
    if (std::any_of(late.prepared.begin(), late.prepared.end(), of_view_1)) {
      asked.insert(villain.self().value());
    }
    villain.send(to, villain.view_change(std::move(late)));
  };
  for (const std::uint32_t villain : stage.last_ones()) stage.corrupt(villain, script);
  stage.begin();
  stage.lose([](const Passing& passing) {
    const auto* vote = commit_of(passing);
    return vote != nullptr && vote->ballot.view < View(2);
  });
  const auto transaction = stage.clients().make_next();
  stage.clients().submit_to_all(transaction);
  stage.await_executed(transaction, seconds(30));
  stage.expect(asked.size() == stage.faults(), "nobody asked late");
  stage.expect(stage.world().coverage[sim::Happened::refused_frame] > 0, "nothing was refused");
  stage.finale();
}

// The first primary alone knows that height 1 is prepared. It and its accomplices keep that to
// themselves for two views, in which nothing is accepted, until nobody else needs the body any
// more. From then on they ask for every next view at once, with the certificate, and give the body
// to nobody: the views to come must not wait for what only liars have.
void x16_certificate_shown_late(Stage& stage) {
  const View silent(2);
  stage.prepare({8, 4, 1});
  std::vector<pbft::PreparedCertificate> kept;
  sim::Script script;
  script.say = [&](sim::Villain& villain, ReplicaId to, const sim::Said& said) {
    const auto* vote = content<pbft::Vote>(said);
    const bool commit = vote != nullptr && vote->kind == pbft::VoteKind::commit;
    const auto* new_view = content<pbft::NewViewPtr>(said);
    const bool opens = new_view != nullptr && (*new_view)->view > silent;
    const auto* proposal = content<pbft::PrePrepare>(said);
    const bool brings = proposal != nullptr && proposal->core.ballot.view > silent;
    if (commit || opens || brings || content<pbft::Data>(said) != nullptr) return;
    const auto* view_change = own_view_change(villain, said);
    if (view_change == nullptr) return villain.pass(to, said);
    if (kept.empty()) kept = view_change->prepared;
    pbft::ViewChange told = *view_change;
    told.prepared.clear();
    if (told.view <= silent) villain.send(to, villain.view_change(std::move(told)));
  };
  script.tick = [&](sim::Villain& villain) {
    pbft::ViewChange early;
    early.view = villain.replica().status().consensus.view.next();
    early.replica = villain.self();
    early.prepared = kept;
    if (early.view > silent) villain.broadcast(villain.view_change(std::move(early)));
  };
  for (std::uint32_t i = 0; i < stage.faults(); ++i) stage.corrupt(i, script);
  stage.begin();
  stage.lose([silent](const Passing& passing) {
    const auto* prepare = prepare_of(passing);
    const auto* proposal = as<pbft::PrePrepare>(passing);
    return (prepare != nullptr && prepare->ballot.view == View(0) && passing.to != 0) ||
           (proposal != nullptr && proposal->core.ballot.view > View(0) &&
            proposal->core.ballot.view <= silent);
  });
  const auto transaction = stage.clients().make_next();
  stage.clients().submit_to_all(transaction);
  stage.await("two views without a proposal", seconds(30), [&] { return stage.all_in(silent); });
  stage.expect(!kept.empty(), "the villain has no certificate");
  stage.await_executed(transaction, minutes(2));
  stage.finale();
}

}  // namespace

std::vector<Scenario> certificate_scenarios() {
  return {
      {"X01", "two proposals prepared at one height", {4, 5, 7, 10}, 1, x01_two_prepared},
      {"X02", "votes logged behind their checkpoint", {4, 7}, 1, x02_votes_behind_snapshot},
      {"X03", "back to an idle chain", {4, 7}, 1, x03_back_to_an_idle_chain},
      {"X04", "an idle chain", {4, 7}, 1, x04_idle_chain},
      {"X05", "certificates of a view to come", {4, 5, 6, 7}, 1, x05_certificate_of_later_view},
      {"X16", "a certificate that liars show late", {4, 5, 7, 10}, 1, x16_certificate_shown_late},
  };
}

}  // namespace quorate::scenarios
