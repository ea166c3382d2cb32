// A primary that lies: two proposals for a slot, heights out of order, what was committed already,
// wrong times, bodies that only some get.
#include "tests/scenarios/observers.hpp"
#include "tests/scenarios/scenario.hpp"
#include "tests/scenarios/villains.hpp"

namespace quorate::scenarios {
namespace {

// Whether the proof convinces somebody who has nothing but the chain's configuration.
bool convinces(Stage& stage, const Stage::Proof& proof) {
  auto parts = consensus::make_engine(stage.world().engine_config, nullptr, stage.world().keys);
  QUORATE_ASSERT(parts.has_value());
  const auto offence = parts->message_verifier->verify_evidence(proof.bytes);
  return offence && offence->culprit == ReplicaId(proof.culprit);
}

// One half hears of one proposal, the other half of another. At most one commits (I1), everybody
// leaves at once and keeps the proof.
void s05_equivocation(Stage& stage) {
  stage.prepare();
  stage.corrupt(0, sim::Misdeed::equivocate);
  stage.begin();
  std::map<Height, Digest> proposed;
  std::optional<Instant> doubled;
  stage.rule([&](const Passing& passing) {
    const auto* proposal = as<pbft::PrePrepare>(passing);
    if (proposal == nullptr || passing.from != 0) return kPass;
    const pbft::Ballot& ballot = proposal->core.ballot;
    const bool first = proposed.emplace(ballot.height, ballot.id).first->second == ballot.id;
    if (!first && !doubled) doubled = stage.now();
    return kPass;
  });
  stage.clients().load(milliseconds(10));
  stage.await("two proposals for a slot", seconds(5), [&] { return doubled.has_value(); });
  if (!stage.ok()) return;
  stage.await("everybody leaves the primary", 2 * kViewTimeout,
              [&] { return stage.all_in(View(1)); });
  stage.await("everybody holds a proof", seconds(2),
              [&] { return stage.all_correct([&](auto i) { return stage.has_evidence(i, 0); }); });
  for (const Stage::Proof& proof : stage.evidence()) {
    stage.expect(convinces(stage, proof), "a proof proves nothing");
  }
  stage.finale();
}

// The primary never proposes the next height: the top of the window first, only every other height,
// or heights that no window will ever reach. It is replaced and nobody votes above the window.
void s23_out_of_order(Stage& stage) {
  enum : std::uint64_t { top_first, gaps, beyond };
  stage.prepare();
  static constexpr std::uint64_t kWindow = 2 * Setup{}.checkpoint_interval;
  const std::uint64_t how = stage.number();
  stage.corrupt(0, with_proposals([&stage, how](sim::Villain& villain, ReplicaId to,
                                                const pbft::PrePrepare& first) {
                  const std::uint64_t next = first.core.ballot.height.value();
                  const std::vector<std::uint64_t> heights =
                      how == top_first ? std::vector{kWindow}
                      : how == gaps
                          ? std::vector{2 * next}
                          : std::vector{kWindow + next, ~std::uint64_t{0}, ~std::uint64_t{0} - 1};
                  for (const std::uint64_t height : heights) {
                    pbft::PrePrepare other = first;
                    other.body.header.height = Height(height);
                    villain.send(to, signed_again(villain, other, stage.world().membership));
                  }
                }));
  stage.begin();
  bool above = false;
  stage.rule([&](const Passing& passing) {
    const auto* vote = as<pbft::Vote>(passing);
    above = above || (vote != nullptr && vote->replica.value() != 0 &&
                      vote->ballot.height > stage.status(passing.from).high_watermark);
    return kPass;
  });
  const auto transaction = stage.clients().make_next();
  stage.clients().submit_to_all(transaction);
  stage.await("the primary is replaced", seconds(10), [&] { return stage.all_in(View(1)); });
  stage.await_executed(transaction, seconds(20));
  stage.expect(!above, "somebody voted above its window");
  stage.finale();
}

// After a restart the primary proposes something else for heights that are long executed.
void s23_executed_slots(Stage& stage) {
  stage.begin({8, 4, 1});
  for (int i = 0; i < 3; ++i) stage.clients().submit_to_all(stage.clients().make_next());
  stage.await("three blocks", seconds(5), [&] {
    return stage.all_correct([&](auto i) { return stage.head(i) == Height(3); });
  });
  if (!stage.ok()) return;
  stage.crash(0);
  std::map<Height, pbft::PrePrepare> others;
  sim::Script script;
  script.tick = [&](sim::Villain& villain) {
    for (std::uint64_t h = 1; h <= 3; ++h) {
      pbft::PrePrepare forged;
      forged.core.ballot = {View(0), Height(h), {}};
      forged.body.header = {Height(h),
                            WallMs(1'700'086'400'000),
                            villain.world().membership.key(villain.self()),
                            View(0),
                            {}};
      forged.body.payload = std::make_shared<const Bytes>(Bytes{});
      villain.broadcast(signed_again(villain, forged, villain.world().membership));
    }
  };
  stage.corrupt(0, script);
  stage.start(0);
  bool fooled = false;
  stage.rule([&](const Passing& passing) {
    const auto* vote = as<pbft::Vote>(passing);
    const bool concerns =
        vote != nullptr && vote->ballot.height <= Height(3) && stage.correct(vote->replica.value());
    fooled = fooled || (concerns && vote->ballot.id != stage.executed_id(vote->ballot.height));
    return kPass;
  });
  stage.clients().load(milliseconds(20));
  stage.run_for(seconds(5));
  stage.expect(!fooled, "somebody voted against an executed height");
  stage.finale();
}

// Every block repeats the transactions of the block before. They are skipped, the same way by
// everybody, and nobody takes offence.
void s24_repeated_transactions(Stage& stage) {
  stage.prepare({8, 1, 8});
  std::vector<ledger::TransactionPtr> before;
  std::map<Height, pbft::PrePrepare> made;
  stage.corrupt(
      0, with_proposals([&](sim::Villain& villain, ReplicaId to, const pbft::PrePrepare& first) {
        const Height height = first.core.ballot.height;
        if (made.count(height) == 0) {
          const auto own = node::decode_committed_payload(villain.world().membership.chain_id,
                                                          *first.body.payload);
          QUORATE_ASSERT(own.has_value());
          std::vector<ledger::TransactionPtr> all = before;
          all.insert(all.end(), own->begin(), own->end());
          all.insert(all.end(), own->begin(), own->end());  // and each twice in one block
          if (all.size() > 8) all.resize(8);
          before = *own;
          pbft::PrePrepare other = first;
          other.body.payload = std::make_shared<const Bytes>(ledger::encode_payload(all));
          made.emplace(height, signed_again(villain, other, villain.world().membership));
        }
        villain.send(to, made.at(height));
      }));
  stage.begin();
  for (int i = 0; i < 12; ++i) {
    const auto transaction = stage.clients().make_next();
    stage.clients().submit_to_all(transaction);
    stage.await_executed(transaction, seconds(2));
  }
  stage.expect(stage.left().empty(), "a view changed");
  stage.expect(stage.simulation().checks().model().skipped() >= 12, "nothing was skipped");
  stage.finale();
}

// Times that are ahead, long past or absurd. A time ahead is waited for, if it is not too far; a
// time in the past costs nothing; what a NEW-VIEW proposes is not judged by its time at all.
void s25_times(Stage& stage) {
  enum : std::uint64_t { ahead, past, absurd, ahead_and_proposed_again };
  constexpr std::uint64_t kDeltaMs = 10'000;  // how far ahead a proposal may be
  constexpr std::uint64_t kWaitMs = 400;
  stage.prepare({8, 4, 1});
  for (std::uint32_t i = 0; i < stage.n(); ++i) stage.node(i).set_clock_skew(milliseconds(0));
  const std::uint64_t how = stage.number();
  stage.corrupt(0, with_proposals([&stage, how](sim::Villain& villain, ReplicaId to,
                                                const pbft::PrePrepare& first) {
                  pbft::PrePrepare other = first;
                  WallMs& time = other.body.header.time;
                  time = how == past     ? WallMs(0)
                         : how == absurd ? WallMs::max()
                                         : time.saturating_add(kDeltaMs + kWaitMs);
                  villain.send(to, signed_again(villain, other, stage.world().membership));
                }));
  stage.begin();
  std::optional<Instant> proposed;
  std::optional<Instant> prepared;
  std::set<std::uint32_t> prepared_again;
  stage.rule([&](const Passing& passing) {
    if (as<pbft::PrePrepare>(passing) != nullptr && !proposed) proposed = stage.now();
    const auto* vote = prepare_of(passing);
    if (vote == nullptr) return kPass;
    if (vote->ballot.view == View(0) && !prepared) prepared = stage.now();
    if (vote->ballot.view > View(0)) prepared_again.insert(vote->replica.value());
    return kPass;
  });
  if (how == ahead_and_proposed_again) {
    stage.lose([](const Passing& passing) {
      const auto* vote = commit_of(passing);
      return vote != nullptr && vote->ballot.view == View(0);
    });
  }
  const auto transaction = stage.clients().make_next();
  stage.clients().submit_to_all(transaction);
  if (how == ahead_and_proposed_again) {
    stage.await("somebody prepares", seconds(1), [&] { return prepared.has_value(); });
    // In the next view it is an hour ahead of them.
    for (std::uint32_t i = 2; i < 2 + stage.faults(); ++i) stage.node(i).set_clock_skew(-hours(1));
  }
  stage.await_executed(transaction, seconds(20));
  if (!stage.ok()) return;
  const Duration wait = prepared ? *prepared - *proposed : Duration(0);
  if (how == ahead) {
    stage.expect(
        prepared && wait >= milliseconds(kWaitMs - 20) && wait < milliseconds(kWaitMs + 50),
        "a time ahead was not waited for");
  }
  if (how == past)
    stage.expect(prepared && wait < milliseconds(50), "a time in the past cost time");
  if (how == absurd) stage.expect(!prepared, "somebody voted for an absurd time");
  if (how == ahead || how == past) stage.expect(stage.left().empty(), "a view changed");
  if (how == ahead_and_proposed_again) {
    for (std::uint32_t i = 2; i < 2 + stage.faults(); ++i) {
      stage.expect(prepared_again.count(i) != 0, "a late clock kept an old proposal out");
    }
  }
  stage.finale();
}

// Only some get the body: so few that nobody prepares, or just enough for a certificate. Nobody
// votes without it, and the view change brings everybody what was prepared. If the primary dies
// then and the next one has no body, this one fetches it, or nobody commits in its view.
void s27_withheld_body(Stage& stage) {
  enum : std::uint64_t { too_few, just_enough, just_enough_and_dead };
  stage.prepare({8, 4, 1});
  const std::uint32_t receivers =
      stage.number() == too_few ? stage.quorum() - 1 - stage.faults() : stage.quorum() - 1;
  // The next primary is among them or not.
  const std::uint32_t first_receiver = stage.number() == just_enough_and_dead ? 2 : 1;
  sim::Script script =
      with_proposals([=](sim::Villain& villain, ReplicaId to, const pbft::PrePrepare& first) {
        const std::uint32_t i = to.value();
        if (i >= first_receiver && i < first_receiver + receivers) villain.send(to, first);
      });
  stage.corrupt(0, script);
  stage.begin();
  // Whoever asks the villain gets nothing, and what the others pass on comes too late.
  stage.lose([](const Passing& passing) {
    const auto* proposal = as<pbft::PrePrepare>(passing);
    return passing.from == 0 ? as<pbft::Data>(passing) != nullptr
                             : proposal != nullptr && proposal->core.ballot.view == View(0);
  });
  Proposals proposals(stage);
  Prepared prepared(stage);
  bool without = false;
  std::set<std::uint32_t> have;
  stage.rule([&](const Passing& passing) {
    const bool body =
        as<pbft::PrePrepare>(passing) != nullptr || as<pbft::Data>(passing) != nullptr;
    if (body) have.insert(passing.to);
    const auto* vote = prepare_of(passing);
    without =
        without || (vote != nullptr && vote->ballot.height == Height(1) &&
                    stage.correct(vote->replica.value()) && have.count(vote->replica.value()) == 0);
    return kPass;
  });
  stage.lose([](const Passing& passing) {
    const auto* vote = commit_of(passing);
    return vote != nullptr && vote->ballot.view == View(0);
  });
  const auto transaction = stage.clients().make_next();
  stage.clients().submit_to_all(transaction);
  if (stage.number() == just_enough_and_dead) {
    stage.await("a certificate", milliseconds(900),
                [&] { return prepared.count(View(0), Height(1)) == receivers; });
    stage.crash(0);
  }
  stage.await("another view", seconds(10), [&] { return stage.all_in(View(1)); });
  stage.await_executed(transaction, seconds(20));
  if (!stage.ok()) return;
  stage.expect(!without, "somebody voted without the body");
  const bool kept = stage.executed_id(Height(1)) == proposals.at(Height(1));
  const bool certified = prepared.count(View(0), Height(1)) != 0;
  stage.expect(certified == (stage.number() != too_few), "not as many prepared as planned");
  stage.expect(kept || !certified, "what was prepared got lost");
  stage.expect(stage.number() != just_enough_and_dead || stage.highest_view() == View(1),
               "the next primary could not bring it back");
  stage.finale();
}

// The primary of a view proposes what nobody may vote for, and the next one is asked.
void expect_nobody_prepares(Stage& stage, View view) {
  bool fooled = false;
  stage.rule([&](const Passing& passing) {
    const auto* vote = prepare_of(passing);
    fooled = fooled ||
             (vote != nullptr && vote->ballot.view == view && stage.correct(vote->replica.value()));
    return kPass;
  });
  const auto transaction = stage.clients().make_next();
  stage.clients().submit_to_all(transaction);
  stage.await("another view", seconds(20), [&] { return stage.all_in(view.next()); });
  stage.await_executed(transaction, seconds(20));
  stage.expect(!fooled, "somebody voted for it");
  stage.finale();
}

// The primary shows its proposals at once to q-1 backups, to the others when their patience is
// nearly over, and keeps its COMMITs and what is committed to itself. Agreement would be as slow as
// patience is long, and patience follows agreement; but the backups pass on what the primary does
// not.
void x17_shown_late(Stage& stage) {
  stage.begin({8, 4, 8});
  std::map<Height, Instant> due;
  stage.rule([&](const Passing& passing) -> Fate {
    if (passing.from != 0) return kPass;
    if (commit_of(passing) != nullptr || as<pbft::CommitCertificate>(passing) != nullptr ||
        as<pbft::Data>(passing) != nullptr || passing.traffic == node::TrafficClass::sync) {
      return kLost;
    }
    const auto* proposal = as<pbft::PrePrepare>(passing);
    if (proposal == nullptr || passing.to <= stage.quorum() - 1) return kPass;
    const Duration delay = stage.status(1).view_timeout * 9 / 10;
    const Instant at = due.emplace(proposal->core.ballot.height, stage.now() + delay).first->second;
    return at > stage.now() ? held(at - stage.now()) : kPass;
  });
  stage.clients().load(milliseconds(20));
  // A hundred heights are measured before patience follows them.
  stage.await("a hundred and fifty heights", minutes(2),
              [&] { return stage.height() >= Height(150); });
  if (!stage.ok()) return;
  stage.expect(stage.all_correct([&](auto i) { return stage.status(i).view_timeout < seconds(5); }),
               "patience grew with what the primary held back");
  stage.finale();
}

// The primary proposes in the name of another replica, or as if an earlier view had proposed it.
void x07_in_anothers_name(Stage& stage) {
  enum : std::uint64_t { other_proposer, earlier_view };
  const View view(stage.number());
  stage.prepare({8, 4, 1});
  const auto& membership = stage.world().membership;
  stage.corrupt(stage.primary_of(view),
                with_proposals(
                    [&](sim::Villain& villain, ReplicaId to, const pbft::PrePrepare& first) {
                      pbft::PrePrepare other = first;
                      pbft::ProposalHeader& header = other.body.header;
                      if (stage.number() == other_proposer) {
                        header.proposer = membership.key(ReplicaId(stage.n() - 1));
                      } else {
                        header.orig_view = View(0);
                      }
                      villain.send(to, signed_again(villain, other, membership));
                    },
                    view));
  stage.begin();
  stage.lose([view](const Passing& passing) {
    const auto* proposal = as<pbft::PrePrepare>(passing);
    return proposal != nullptr && proposal->core.ballot.view < view;
  });
  expect_nobody_prepares(stage, view);
}

// The primary proposes what is no payload, a transaction that its sender never signed, or more
// transactions than the chain allows in a block.
void x08_invalid_payload(Stage& stage) {
  enum : std::uint64_t { garbage, forged, too_many };
  stage.prepare({8, 4, 1});
  const auto& membership = stage.world().membership;
  stage.corrupt(
      0, with_proposals([&](sim::Villain& villain, ReplicaId to, const pbft::PrePrepare& first) {
        Bytes payload = *first.body.payload;
        if (stage.number() == garbage) payload = Bytes(20, 7);
        if (stage.number() == forged) payload.back() ^= 1U;  // the signature ends it
        if (stage.number() == too_many) {
          auto own = node::decode_committed_payload(membership.chain_id, payload);
          QUORATE_ASSERT(own.has_value());
          own->push_back(own->front());
          payload = ledger::encode_payload(*own);
        }
        pbft::PrePrepare other = first;
        other.body.payload = std::make_shared<const Bytes>(std::move(payload));
        villain.send(to, signed_again(villain, other, membership));
      }));
  stage.begin();
  expect_nobody_prepares(stage, View(0));
}

}  // namespace

std::vector<Scenario> byzantine_primary_scenarios() {
  const std::vector<std::uint32_t> sizes = {4, 5, 6, 7, 10};
  return {
      {"S05", "the primary proposes one thing to one half and another to the other", sizes, 4,
       s05_equivocation},
      {"S23", "the primary proposes heights out of order", sizes, 3, s23_out_of_order},
      {"S23", "the primary proposes something else for executed heights", sizes, 1,
       s23_executed_slots},
      {"S24", "the primary repeats transactions", sizes, 1, s24_repeated_transactions},
      {"S25", "the primary's times are ahead, past or absurd", sizes, 4, s25_times},
      {"S27", "the primary withholds the body", sizes, 3, s27_withheld_body},
      {"X17", "the primary shows its proposals late to some", sizes, 1, x17_shown_late},
      {"X07", "the primary proposes in another's name", {4, 7}, 2, x07_in_anothers_name},
      {"X08", "the primary proposes what is not valid", {4, 7}, 3, x08_invalid_payload},
  };
}

}  // namespace quorate::scenarios
