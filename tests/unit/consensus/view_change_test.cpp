// Leaving and entering views, one engine played by hand: what binds a replica and what does not.
#include <catch2/catch.hpp>

#include "consensus/pbft/durable_state.hpp"
#include "tests/unit/consensus/solo.hpp"

namespace quorate::consensus::test {

using pbft::VoteKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::vector<Bytes> view_changes_sent(const Solo& solo) {
  std::vector<Bytes> out;
  for (const Send& send : solo.all<Send>()) {
    const auto decoded = pbft::decode(send.message, {4, 4096});
    if (std::holds_alternative<pbft::ViewChangePtr>(decoded->message)) out.push_back(send.message);
  }
  return out;
}

// Replica 1 has left view 0 with the SUSPECTs of two others.
void leave(Solo& solo) {
  solo.receive(2, solo.suspect(2, 0));
  solo.receive(3, solo.suspect(3, 0));
  solo.persist_all();
}

bool votes_in(Solo& solo, const pbft::PrePrepare& proposal, std::uint32_t from) {
  const std::size_t before = solo.votes_sent(VoteKind::prepare);
  solo.receive(from, proposal);
  solo.settle();
  return solo.votes_sent(VoteKind::prepare) > before;
}

}  // namespace

TEST_CASE("one replica's suspicion does not bind it: it keeps voting") {
  Solo solo(1);
  solo.start_voting();
  solo.input(PendingChanged{true});
  solo.advance_time(milliseconds(500));
  REQUIRE(solo.all<RelayPending>().size() == 1);  // the primary may not know the work
  REQUIRE(solo.sent<pbft::Suspect>().empty());
  solo.advance_time(milliseconds(500));
  REQUIRE(solo.sent<pbft::Suspect>().size() == 1);
  for (int i = 0; i < 100; ++i) solo.advance_time(milliseconds(100));
  REQUIRE(solo.sent<pbft::Suspect>().size() == 11);  // once a second while it lasts
  REQUIRE(view_changes_sent(solo).empty());
  const auto suspicions = solo.engine().status().suspicions;
  REQUIRE(suspicions.size() == 1);
  REQUIRE(suspicions.front().replica == ReplicaId(1));
  REQUIRE(suspicions.front().reason == SuspicionReason::progress);
  REQUIRE(votes_in(solo, solo.pre_prepare(1, {1}), 0));
  solo.order(2, {2});
  solo.order(1, {1});
  solo.outputs.clear();
  solo.advance_time(milliseconds(10));
  REQUIRE(solo.engine().status().suspicions.empty());  // progress takes it back
}

TEST_CASE("without work no time is measured") {
  Solo solo(1);
  solo.start_voting();
  for (int i = 0; i < 100; ++i) solo.advance_time(seconds(1));
  REQUIRE(solo.sent<pbft::Suspect>().empty());
}

TEST_CASE("f+1 suspicions make a replica promise the next view, durably and for good") {
  Solo solo(1);
  solo.start_voting();
  const auto proposal = solo.pre_prepare(1, {1});
  solo.receive(0, proposal);
  solo.settle();
  solo.receive(2, solo.prepare(2, proposal));
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::commit) == 1);
  solo.receive(2, solo.suspect(2, 0));
  solo.receive(2, solo.suspect(2, 0));  // the same again
  solo.receive(3, solo.suspect(3, 1));  // another view's
  REQUIRE(view_changes_sent(solo).empty());
  solo.receive(3, solo.suspect(3, 0));
  const auto sent = solo.sent<pbft::ViewChangePtr>();
  REQUIRE(sent.size() == 1);
  REQUIRE(sent.front()->view == View(1));
  REQUIRE(sent.front()->prepared.size() == 1);
  REQUIRE(sent.front()->prepared.front().core.ballot == proposal.core.ballot);
  REQUIRE(solo.all<Send>().back().after == solo.all<Persist>().back().token);
  REQUIRE(solo.engine().status().promise_view == View(1));
  REQUIRE_FALSE(votes_in(solo, solo.pre_prepare(2, {2}), 0));

  solo.persist_all();
  const Bytes exact = view_changes_sent(solo).front();
  Solo again(1);
  Started started;
  started.durable = solo.log;
  again.start_voting(started);
  REQUIRE(again.engine().status().promise_view == View(1));
  REQUIRE_FALSE(votes_in(again, again.pre_prepare(2, {2}), 0));
  again.advance_time(seconds(2));
  REQUIRE_FALSE(view_changes_sent(again).empty());
  for (const Bytes& bytes : view_changes_sent(again)) REQUIRE(bytes == exact);
}

TEST_CASE("suspicions expire") {
  Solo solo(1);
  solo.start_voting();
  solo.receive(2, solo.suspect(2, 0));
  solo.advance_time(seconds(11));
  solo.receive(3, solo.suspect(3, 0));
  REQUIRE(view_changes_sent(solo).empty());
}

TEST_CASE("below a quorum of VIEW-CHANGEs there is no countdown, and later views count for it") {
  Solo solo(2);
  solo.start_voting();
  solo.receive(1, solo.view_change(1, 1));
  solo.receive(3, solo.suspect(3, 0));
  solo.persist_all();
  REQUIRE(solo.engine().status().promise_view == View(1));
  for (int i = 0; i < 1'000; ++i) solo.advance_time(seconds(1));
  REQUIRE(solo.engine().status().promise_view == View(1));
  const auto sent = view_changes_sent(solo);
  REQUIRE(sent.size() > 900);
  REQUIRE(std::all_of(sent.begin(), sent.end(), [&](const Bytes& b) { return b == sent.front(); }));
  solo.receive(3, solo.view_change(3, 9));  // its own way, but it wants no earlier view
  const Duration patience = solo.engine().status().view_timeout;
  solo.advance_time(patience - milliseconds(1));
  REQUIRE(solo.engine().status().promise_view == View(1));
  solo.advance_time(milliseconds(1));
  REQUIRE(solo.engine().status().promise_view == View(2));
  REQUIRE(solo.engine().status().view_timeout == 2 * patience);
}

TEST_CASE("a replica joins the (f+1)-th highest view, never the highest") {
  Solo solo(1);
  solo.start_voting();
  solo.receive(2, solo.view_change(2, ~std::uint64_t{0}));
  REQUIRE(view_changes_sent(solo).empty());
  solo.receive(3, solo.view_change(3, 7));
  REQUIRE(solo.engine().status().promise_view == View(7));
  solo.receive(0, solo.view_change(0, 8));
  REQUIRE(solo.engine().status().promise_view == View(8));
}

TEST_CASE("patience doubles with every view that brought nothing, up to its cap") {
  Solo solo(3);
  solo.start_voting();
  Duration last = solo.engine().status().view_timeout;
  for (std::uint64_t view = 1; view < 12; ++view) {
    solo.receive(1, solo.view_change(1, view));
    solo.receive(2, solo.view_change(2, view));
    solo.persist_all();
    const Duration now = solo.engine().status().view_timeout;
    REQUIRE(now == std::min<Duration>(2 * last, seconds(60)));
    last = now;
  }
}

TEST_CASE("the next primary opens its view with q VIEW-CHANGEs and goes on above what they keep") {
  Solo solo(1);
  solo.start_voting();
  const auto proposal = solo.pre_prepare(2, {7});
  leave(solo);
  solo.receive(0, solo.view_change(0, 1, {solo.prepared(proposal, {2, 3})}));
  REQUIRE(solo.sent<pbft::NewViewPtr>().empty());
  solo.receive(3, solo.view_change(3, 2));  // another view
  REQUIRE(solo.sent<pbft::NewViewPtr>().empty());
  solo.receive(2, solo.view_change(2, 1));
  // It lacks the body of what it must bring back, and asks whoever certified it.
  REQUIRE(solo.sent<pbft::NewViewPtr>().empty());
  REQUIRE(solo.sent<pbft::Fetch>().size() == 1);
  solo.receive(0, pbft::Data{proposal.body});
  REQUIRE(solo.sent<pbft::NewViewPtr>().size() == 1);
  const auto opened = solo.sent<pbft::NewViewPtr>().front();
  REQUIRE(opened->proposals.size() == 2);
  REQUIRE(opened->proposals[0].ballot.id == pbft::null_id(solo.membership(), Height(1)));
  REQUIRE(opened->proposals[1].ballot == pbft::Ballot{View(1), Height(2), proposal.core.ballot.id});
  for (const Send& send : solo.all<Send>()) {
    const auto decoded = pbft::decode(send.message, {4, 4096});
    // Held back until the record of it is durable.
    if (std::holds_alternative<pbft::NewViewPtr>(decoded->message)) {
      REQUIRE(send.after == solo.all<Persist>()[solo.all<Persist>().size() - 2].token);
    }
  }
  REQUIRE(solo.verifier().verify(ReplicaId(1), pbft::encode(Epoch(0), opened)));
  REQUIRE(solo.engine().status().view == View(1));
  solo.settle();
  solo.input(PendingChanged{true});
  REQUIRE(solo.all<RequestProposal>().back().height == Height(3));
  REQUIRE(solo.all<RequestProposal>().back().view == View(1));
  solo.outputs.clear();
  const pbft::Ballot ballot = opened->proposals[1].ballot;
  solo.receive(2, solo.vote(2, VoteKind::prepare, ballot));
  solo.receive(3, solo.vote(3, VoteKind::prepare, ballot));
  REQUIRE(solo.votes_sent(VoteKind::commit) == 1);
}

TEST_CASE("the next primary does without a certificate whose body nobody gives it") {
  Solo solo(1);
  solo.start_voting();
  const auto proposal = solo.pre_prepare(1, {7});
  leave(solo);
  solo.receive(0, solo.view_change(0, 1, {solo.prepared(proposal, {2, 3})}));
  solo.receive(2, solo.view_change(2, 1));
  SECTION("with those that it can use") {
    solo.advance_time(milliseconds(400));
    REQUIRE(solo.sent<pbft::NewViewPtr>().empty());
    solo.receive(3, solo.view_change(3, 1));
    REQUIRE(solo.sent<pbft::NewViewPtr>().size() == 1);
    REQUIRE(solo.sent<pbft::NewViewPtr>().front()->proposals.empty());
    REQUIRE(solo.sent<pbft::NewViewPtr>().front()->view_changes.front()->replica == ReplicaId(1));
  }
  SECTION("but does not wait for ever: the others may have it") {
    const Duration half = solo.engine().status().view_timeout / 2;
    solo.advance_time(half - milliseconds(1));
    REQUIRE(solo.sent<pbft::NewViewPtr>().empty());
    REQUIRE(solo.engine().next_deadline() <= solo.now + milliseconds(1));
    solo.advance_time(milliseconds(1));
    REQUIRE(solo.sent<pbft::NewViewPtr>().size() == 1);
    REQUIRE(solo.sent<pbft::NewViewPtr>().front()->proposals.size() == 1);
  }
}

TEST_CASE("a NEW-VIEW brings back what was prepared, whatever its time, and its null heights") {
  Solo solo(3);
  solo.start_voting();
  const auto old = solo.pre_prepare(2, {2}, WallMs(solo.wall.value() + 7'200'000));
  const auto opened = solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1),
                                        solo.view_change(2, 1, {solo.prepared(old, {1, 2})})});
  REQUIRE(solo.receive(2, opened));  // relayed
  REQUIRE(solo.engine().status().view == View(1));
  solo.receive(1, pbft::Data{old.body});
  solo.settle();
  const auto votes = solo.sent<pbft::Vote>();
  REQUIRE(votes.size() == 2);
  REQUIRE(votes[0].ballot == opened->proposals[0].ballot);
  REQUIRE(votes[1].ballot == opened->proposals[1].ballot);
  for (const auto& core : opened->proposals) {
    for (const std::uint32_t i : {0U, 1U, 2U}) {
      solo.receive(i, solo.vote(i, VoteKind::commit, core.ballot));
    }
  }
  const auto commits = solo.all<Commit>();
  REQUIRE(commits.size() == 2);
  REQUIRE(commits[0].payload.empty());
  REQUIRE(commits[0].proposed_time == WallMs(0));
  REQUIRE(commits[0].proposer == PublicKey{});
  REQUIRE(commits[1].proposed_time == old.body.header.time);
  REQUIRE(commits[1].proposer == old.body.header.proposer);
  // The first view's primary has no say any more, the new one goes on.
  REQUIRE_FALSE(votes_in(solo, solo.pre_prepare(3, {3}), 0));
  REQUIRE(votes_in(solo, solo.pre_prepare(3, {3}, std::nullopt, 1), 1));
}

TEST_CASE("a null proposal or an old one is accepted from a NEW-VIEW only") {
  Solo solo(3);
  solo.start_voting();
  const auto opened =
      solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1), solo.view_change(2, 1)});
  solo.receive(1, opened);
  const auto header = solo.pre_prepare(1, {1}).body.header;  // of view 0
  REQUIRE_FALSE(votes_in(solo, solo.pre_prepare(header, {1}, 1, 1), 1));
}

TEST_CASE("executed heights are prepared again, so that others can commit them") {
  Solo solo(3);
  solo.start_voting();
  solo.order(1, {1});
  solo.outputs.clear();
  const auto proposal = solo.pre_prepare(1, {1});
  solo.receive(1, solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1),
                                    solo.view_change(2, 1, {solo.prepared(proposal, {1, 2})})}));
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 1);
  REQUIRE(solo.sent<pbft::Vote>().front().ballot ==
          pbft::Ballot{View(1), Height(1), proposal.core.ballot.id});
  REQUIRE(solo.all<Commit>().empty());
}

TEST_CASE("a restart inside a view knows what its NEW-VIEW proposed") {
  Solo solo(3);
  solo.start_voting();
  const auto proposal = solo.pre_prepare(1, {1});
  const auto opened = solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1),
                                        solo.view_change(2, 1, {solo.prepared(proposal, {1, 2})})});
  solo.receive(1, opened);
  solo.persist_all();
  Solo again(3);
  Started started;
  started.durable = solo.log;
  again.start_voting(started);
  REQUIRE(again.engine().status().view == View(1));
  again.receive(1, pbft::Data{proposal.body});
  again.settle();
  REQUIRE(again.votes_sent(VoteKind::prepare) == 1);
  auto behind = again.status_report();
  again.outputs.clear();
  again.receive(2, behind);  // still in view 0: gets the message that opened view 1
  REQUIRE(again.sent<pbft::NewViewPtr>().size() == 1);
}

TEST_CASE("a NEW-VIEW below the promise or behind the active view changes nothing") {
  Solo solo(3);
  solo.start_voting();
  solo.receive(1, solo.view_change(1, 2));
  solo.receive(2, solo.view_change(2, 2));
  REQUIRE(solo.engine().status().promise_view == View(2));
  solo.receive(1, solo.new_view(
                      1, {solo.view_change(0, 1), solo.view_change(1, 1), solo.view_change(2, 1)}));
  REQUIRE(solo.engine().status().view == View(0));
  solo.receive(2, solo.new_view(
                      2, {solo.view_change(0, 2), solo.view_change(1, 2), solo.view_change(2, 2)}));
  REQUIRE(solo.engine().status().view == View(2));
}

TEST_CASE("a NEW-VIEW that replaces a committed proposal halts, unless it is merely late") {
  for (const bool late : {false, true}) {
    Solo solo(3);
    solo.start_voting();
    const auto committed = solo.pre_prepare(1, {1}, std::nullopt, late ? 1 : 0);
    const auto other = solo.pre_prepare(1, {9});
    REQUIRE(solo.receive(2, solo.certificate(committed, {0, 1, 2})));
    solo.receive(2, pbft::Data{committed.body});
    solo.settle();
    REQUIRE(solo.engine().status().last_executed == Height(1));
    solo.receive(1, solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1),
                                      solo.view_change(2, 1, {solo.prepared(other, {1, 2})})}));
    REQUIRE(solo.all<Halt>().size() == (late ? 0 : 1));
    REQUIRE(solo.all<Rejected>().size() == (late ? 1 : 0));
    REQUIRE(solo.engine().status().view == View(0));
  }
}

TEST_CASE("what the ledger holds is defended after a restart, too") {
  // Height 1 was committed in view 0 or 1, and a NEW-VIEW for view 1 proposes something else there.
  for (const std::uint64_t view : {0U, 1U}) {
    Solo solo(3);
    const auto committed = solo.pre_prepare(1, {1}, std::nullopt, view);
    const auto next = solo.pre_prepare(2, {2}, std::nullopt, view);
    Started started;
    started.durable = {pbft::encode_snapshot({}, solo.membership())};
    started.applied = Height(2);
    started.applied_id = next.core.ballot.id;
    started.block_hash = Solo::block_hash(Height(2));
    started.checkpoint_digest = Solo::checkpoint_digest(Height(2));
    for (const auto& proposal : {committed, next}) {
      started.certificates.push_back(
          pbft::encode_certificate(Epoch(0), solo.certificate(proposal, {0, 1, 2})));
    }
    solo.start_voting(started);
    const auto other = solo.pre_prepare(1, {9});
    solo.receive(1, solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1),
                                      solo.view_change(2, 1, {solo.prepared(other, {1, 2})})}));
    REQUIRE(solo.engine().status().view == View(0));
    REQUIRE(solo.all<Halt>().size() == (view == 0 ? 1 : 0));
    REQUIRE(solo.all<Rejected>().size() == (view == 0 ? 0 : 1));
  }
}

TEST_CASE("executed heights of an earlier life are prepared again without asking the ledger") {
  Solo solo(3);
  const auto committed = solo.pre_prepare(1, {1});
  Started started;
  started.durable = {pbft::encode_snapshot({}, solo.membership())};
  started.applied = Height(1);
  started.applied_id = committed.core.ballot.id;
  started.certificates = {
      pbft::encode_certificate(Epoch(0), solo.certificate(committed, {0, 1, 2}))};
  solo.start_voting(started);
  solo.receive(1, solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1),
                                    solo.view_change(2, 1, {solo.prepared(committed, {1, 2})})}));
  solo.settle();
  REQUIRE(solo.all<LoadPayload>().empty());
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 1);
}

TEST_CASE("a primary caught with two proposals is left at once, and the proof is passed on") {
  Solo solo(1);
  solo.start_voting();
  const auto first = solo.pre_prepare(1, {1});
  const auto second = solo.pre_prepare(1, {2});
  solo.receive(0, first);
  solo.receive(0, second);
  REQUIRE(solo.engine().status().promise_view == View(1));
  const auto passed_on = solo.sent<pbft::PrePrepare>();
  REQUIRE(passed_on.size() == 2);
  REQUIRE(passed_on[0].core.ballot == first.core.ballot);
  REQUIRE(passed_on[1].core.ballot == second.core.ballot);
}

TEST_CASE("a backup that votes for another proposal is shown this one, in either order") {
  for (const bool vote_first : {true, false}) {
    Solo solo(1);
    solo.start_voting();
    const auto here = solo.pre_prepare(1, {1});
    const auto elsewhere = solo.pre_prepare(1, {2});
    if (!vote_first) solo.receive(0, here);
    solo.receive(2, solo.prepare(2, elsewhere));
    solo.receive(3, solo.prepare(3, here));
    if (vote_first) solo.receive(0, here);
    solo.receive(2, solo.prepare(2, elsewhere));  // again: once is enough
    const auto shown = solo.sent<pbft::PrePrepare>();
    REQUIRE(shown.size() == 1);
    REQUIRE(shown.front().core.ballot == here.core.ballot);
    const auto sends = solo.all<Send>();
    REQUIRE(std::count_if(sends.begin(), sends.end(), [](const Send& send) {
              return send.to == ReplicaId(2) && !send.after;
            }) == 1);
  }
}

TEST_CASE("a primary shows its own proposal to nobody before it is durable") {
  Solo solo(0);
  solo.start_voting();
  solo.input(PendingChanged{true});
  const Bytes payload{1};
  solo.input(ProposalReady{Height(1), View(0), payload, pbft::payload_digest(payload)});
  solo.receive(2, solo.prepare(2, solo.pre_prepare(1, {2})));  // for something else
  REQUIRE(solo.sent<pbft::PrePrepare>().size() == 2);
  for (const Send& send : solo.all<Send>()) REQUIRE(send.after);
}

TEST_CASE("the host's suspicion counts like the own one") {
  Solo solo(1);
  solo.start_voting();
  solo.input(PrimarySuspected{View(0), SuspicionReason::censorship});
  REQUIRE(solo.sent<pbft::Suspect>().size() == 1);
  REQUIRE(solo.sent<pbft::Suspect>().front().reason == SuspicionReason::censorship);
  solo.receive(2, solo.suspect(2, 0));
  REQUIRE(view_changes_sent(solo).size() == 1);
}

TEST_CASE("an open request for a payload is withdrawn with the view") {
  Solo solo(0);
  solo.start_voting();
  solo.input(PendingChanged{true});
  REQUIRE(solo.all<RequestProposal>().size() == 1);
  leave(solo);
  REQUIRE(solo.all<CancelProposal>().size() == 1);
  const Bytes payload{1};
  solo.input(ProposalReady{Height(1), View(0), payload, pbft::payload_digest(payload)});
  REQUIRE(solo.sent<pbft::PrePrepare>().empty());
}

TEST_CASE("a VIEW-CHANGE or NEW-VIEW that the vote log does not know makes an observer") {
  Solo maker(1);
  const std::vector<pbft::ViewChangePtr> changes = {
      maker.view_change(0, 1), maker.view_change(1, 1), maker.view_change(2, 1)};
  const std::vector<pbft::Witness> forgotten = {pbft::stub_of(*maker.view_change(1, 3)),
                                                pbft::stub_of(*maker.new_view(1, changes))};
  for (const pbft::Witness& witness : forgotten) {
    Solo solo(1);
    solo.start();
    solo.persist_all();
    solo.receive(0, solo.answer_to_start({witness}));
    REQUIRE(solo.engine().status().observer);
  }
}

TEST_CASE("a SUSPECT counts only when its signer brings it") {
  Solo solo(1);
  solo.start_voting();
  const auto old = solo.suspect(2, 0);
  solo.receive(2, old);
  REQUIRE(solo.engine().status().suspicions.size() == 1);
  for (int i = 0; i < 3; ++i) {
    solo.advance_time(std::chrono::seconds(9));
    REQUIRE_FALSE(solo.receive(3, old));
  }
  REQUIRE(solo.engine().status().suspicions.empty());
  solo.receive(3, solo.suspect(3, 0));
  REQUIRE(solo.sent<pbft::ViewChangePtr>().empty());
}

}  // namespace quorate::consensus::test
