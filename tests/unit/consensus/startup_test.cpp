// The check before the first vote, and what the vote log must hold.
#include <catch2/catch.hpp>

#include "consensus/pbft/durable_state.hpp"
#include "tests/unit/consensus/solo.hpp"

namespace quorate::consensus::test {

namespace {

// A vote log with one voted height, and the seal and votes it made.
struct Past {
  Solo solo{1};
  pbft::PrePrepare proposal;
  Past() {
    solo.start_voting();
    proposal = solo.pre_prepare(1, {1});
    solo.order(1, {1});
  }
  Started started() const {
    Started out;
    out.durable = solo.log;
    out.applied = Height(1);
    out.applied_id = proposal.core.ballot.id;
    out.block_hash = Solo::block_hash(Height(1));
    out.checkpoint_digest = Solo::checkpoint_digest(Height(1));
    return out;
  }
};

bool votes(Solo& solo) {
  solo.outputs.clear();
  solo.receive(0, solo.pre_prepare(2, {2}));
  solo.settle();
  return !solo.sent<pbft::Vote>().empty();
}

}  // namespace

TEST_CASE("nothing binding is sent before a quorum answered") {
  Solo solo(1);
  solo.start();
  solo.persist_all();
  REQUIRE_FALSE(votes(solo));
  solo.receive(0, solo.answer_to_start());
  REQUIRE_FALSE(votes(solo));
  solo.receive(0, solo.answer_to_start());  // the same replica again
  solo.receive(2, solo.status_report());    // not an answer
  REQUIRE_FALSE(votes(solo));
  solo.outputs.clear();
  solo.receive(3, solo.answer_to_start());
  solo.settle();
  REQUIRE(solo.votes_sent(pbft::VoteKind::prepare) == 1);
}

TEST_CASE("a starting replica asks at once, and others answer with what they hold of it") {
  Past past;
  past.solo.outputs.clear();
  auto question = past.solo.status_report();
  question.starting = true;
  past.solo.receive(3, question);
  const auto answers = past.solo.sent<pbft::StatusReport>();
  REQUIRE(answers.size() == 1);
  REQUIRE(answers.front().witnesses.has_value());
  REQUIRE(answers.front().witnesses->size() == 2);  // its PREPARE and its COMMIT
  Solo solo(2);
  solo.start();
  solo.persist_all();
  solo.advance_time(std::chrono::milliseconds(300));
  REQUIRE(solo.sent<pbft::StatusReport>().front().starting);
}

TEST_CASE("an answer to an earlier life does not count") {
  Solo solo(1);
  Started started;
  started.life = 7;
  solo.start(started);
  solo.persist_all();
  solo.advance_time(std::chrono::milliseconds(300));
  REQUIRE(solo.sent<pbft::StatusReport>().front().life == 7);
  auto answer = solo.answer_to_start();
  for (const std::uint64_t life : {1ULL, 6ULL, 8ULL, 0ULL}) {
    answer.life = life;
    for (const std::uint32_t from : {0U, 2U, 3U}) solo.receive(from, answer);
  }
  REQUIRE(solo.engine().status().starting);
  answer.life = 7;
  solo.receive(0, answer);
  solo.receive(3, answer);
  REQUIRE_FALSE(solo.engine().status().starting);
  // And whoever is asked answers the life that asked.
  auto question = solo.status_report();
  question.starting = true;
  question.life = 99;
  solo.outputs.clear();
  solo.receive(2, question);
  REQUIRE(solo.sent<pbft::StatusReport>().front().life == 99);
}

TEST_CASE("what the vote log knows is no amnesia") {
  Past past;
  Solo again(1);
  again.start(past.started());
  const auto votes_before = past.solo.sent<pbft::Vote>();
  std::vector<pbft::Witness> witnesses;
  for (const pbft::Vote& vote : votes_before) witnesses.emplace_back(vote);
  witnesses.emplace_back(past.solo.sent<pbft::Seal>().front());
  again.receive(0, again.answer_to_start(witnesses));
  again.receive(2, again.answer_to_start(witnesses));
  REQUIRE_FALSE(again.engine().status().observer);
  REQUIRE(votes(again));
}

TEST_CASE("a vote, seal or checkpoint that the vote log does not know makes an observer") {
  Solo maker(1);
  const auto other = maker.pre_prepare(2, {9});
  const std::vector<pbft::Witness> forgotten = {
      maker.prepare(1, other),
      maker.commit(1, other),
      maker.vote(1, pbft::VoteKind::prepare, {View(1), Height(1), {}}),
      maker.seal(1, 2, Digest{}),
      maker.seal(1, 1, Digest{}),
      maker.checkpoint(1, 8, Digest{}),
  };
  for (const pbft::Witness& witness : forgotten) {
    Past past;
    Solo again(1);
    again.start(past.started());
    again.receive(0, again.answer_to_start({witness}));
    again.receive(2, again.answer_to_start());
    again.receive(3, again.answer_to_start());
    REQUIRE(again.engine().status().observer);
    REQUIRE_FALSE(votes(again));
  }
}

TEST_CASE("a witness that somebody else signed retires nobody") {
  Past past;
  Solo again(1);
  again.start(past.started());
  auto forged = again.prepare(1, again.pre_prepare(2, {9}));
  forged.signature = again.prepare(3, again.pre_prepare(2, {9})).signature;
  REQUIRE_FALSE(again.receive(0, again.answer_to_start({forged})));
  again.receive(0, again.answer_to_start({again.prepare(3, again.pre_prepare(2, {9}))}));
  again.receive(2, again.answer_to_start());
  REQUIRE_FALSE(again.engine().status().observer);
  REQUIRE(votes(again));
}

TEST_CASE("a missing vote log beside a ledger makes an observer") {
  Past past;
  Solo again(1);
  Started started = past.started();
  started.durable.clear();
  again.start_voting(started);
  REQUIRE(again.engine().status().observer);
  REQUIRE_THAT(again.engine().status().observer_reason,
               Catch::Matchers::Contains("vote log is missing"));
  REQUIRE_FALSE(votes(again));
}

TEST_CASE("a verdict of amnesia outlives restarts, although nobody remembers the witness") {
  Past past;
  Solo again(1);
  again.log = past.solo.log;
  again.start(past.started());
  again.receive(0, again.answer_to_start({again.commit(1, again.pre_prepare(2, {9}))}));
  again.persist_all();
  const std::string reason = again.engine().status().observer_reason;
  REQUIRE_THAT(reason, Catch::Matchers::Contains("replica 0 holds a message"));
  for (int life = 0; life < 2; ++life) {
    Solo next(1);
    Started started = past.started();
    started.durable = again.log;
    next.start_voting(started);
    REQUIRE(next.engine().status().observer);
    REQUIRE(next.engine().status().observer_reason == reason);
    REQUIRE_FALSE(votes(next));
    REQUIRE(next.all<Persist>().empty());
  }
}

// With the ledger gone too the log would be that of a new node.
TEST_CASE("a verdict of a missing vote log outlives the ledger that showed it") {
  Past past;
  Solo again(1);
  Started started = past.started();
  started.durable.clear();
  again.start_voting(started);
  again.persist_all();
  REQUIRE(again.log.size() == 1);
  Solo next(1);
  Started empty;
  empty.durable = again.log;
  next.start_voting(empty);
  REQUIRE(next.engine().status().observer);
  REQUIRE_FALSE(votes(next));
}

TEST_CASE("a witness that restarted remembers what its own log and ledger hold of others") {
  Past past;
  Started started = past.started();
  const auto certificate = past.solo.certificate(past.proposal, {0, 2, 3});
  started.certificates = {pbft::encode_certificate(past.solo.membership().epoch, certificate)};
  Solo again(1);
  again.start(started);
  auto question = again.status_report();
  question.starting = true;
  again.receive(2, question);
  std::vector<pbft::VoteKind> kinds;
  const auto answers = again.sent<pbft::StatusReport>();
  REQUIRE(answers.size() == 1);
  for (const pbft::Witness& witness : *answers.front().witnesses) {
    const auto& vote = std::get<pbft::Vote>(witness);
    REQUIRE(vote.replica == ReplicaId(2));
    kinds.push_back(vote.kind);
  }
  REQUIRE(kinds == std::vector{pbft::VoteKind::prepare, pbft::VoteKind::commit});
}

TEST_CASE("a NEW-VIEW that comes before the answers hides no forgotten vote") {
  Solo solo(3);
  solo.start();
  solo.persist_all();
  const auto forgotten = solo.commit(3, solo.pre_prepare(1, {1}));
  const auto new_view =
      solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1), solo.view_change(2, 1)});
  solo.receive(0, solo.answer_to_start());
  solo.receive(1, new_view);
  solo.persist_all();
  SECTION("in the same life") {
    solo.receive(2, solo.answer_to_start({forgotten}));
    REQUIRE(solo.engine().status().observer);
  }
  SECTION("in the next life") {
    Solo next(3);
    Started started;
    started.durable = solo.log;
    next.start(started);
    next.receive(2, next.answer_to_start({forgotten}));
    REQUIRE(next.engine().status().observer);
  }
  SECTION("and whoever forgot nothing follows once it may vote") {
    solo.receive(1, solo.answer_to_start());
    REQUIRE_FALSE(solo.engine().status().starting);
    solo.receive(1, new_view);
    REQUIRE(solo.engine().status().view == View(1));
  }
}

TEST_CASE("a checkpoint that comes before the answers hides no forgotten vote") {
  Solo solo(3);
  solo.start();
  solo.persist_all();
  const auto forgotten = solo.commit(3, solo.pre_prepare(1, {1}));
  for (std::uint64_t height = 1; height <= 8; ++height) {
    const auto proposal = solo.pre_prepare(height, {2});
    solo.receive(2, solo.certificate(proposal, {0, 1, 2}));
    solo.receive(2, pbft::Data{proposal.body});
    solo.settle();
  }
  solo.receive(2, solo.proof(8, Solo::checkpoint_digest(Height(8)), {0, 1, 2}));
  solo.settle();
  REQUIRE(solo.engine().status().low_watermark == Height(8));
  REQUIRE(solo.engine().status().starting);
  solo.receive(2, solo.answer_to_start({forgotten}));
  REQUIRE(solo.engine().status().observer);
}

// Whoever holds the NEW-VIEW and a body can put the two together as a PRE-PREPARE.
TEST_CASE("the proposals of an own NEW-VIEW are known before their bodies are accepted") {
  Solo solo(1);
  solo.start_voting();
  const auto proposal = solo.pre_prepare(1, {9});
  solo.receive(0, proposal);
  solo.receive(0, solo.view_change(0, 1, {solo.prepared(proposal, {2, 3})}));
  solo.receive(2, solo.view_change(2, 1));
  solo.persist_all();
  const auto opened = solo.sent<pbft::NewViewPtr>();
  REQUIRE(opened.size() == 1);
  REQUIRE(opened.front()->proposals.size() == 1);
  Solo again(1);
  Started started;
  started.durable = solo.log;
  again.start(started);
  again.receive(2, again.answer_to_start({opened.front()->proposals.front()}));
  again.receive(3, again.answer_to_start());
  REQUIRE_FALSE(again.engine().status().observer);
  REQUIRE_FALSE(again.engine().status().starting);
  // Another proposal of that view is not.
  Solo forgetful(1);
  forgetful.start(started);
  forgetful.receive(2, forgetful.answer_to_start({forgetful.pre_prepare(2, {8}, {}, 1).core}));
  REQUIRE(forgetful.engine().status().observer);
}

TEST_CASE("nothing is executed before the vote log has its first record") {
  Solo solo(1);
  solo.start();
  const auto proposal = solo.pre_prepare(1, {1});
  solo.receive(2, solo.certificate(proposal, {0, 2, 3}));
  solo.receive(2, pbft::Data{proposal.body});
  REQUIRE(solo.all<Commit>().empty());
  solo.persist_all();
  REQUIRE(solo.all<Commit>().size() == 1);
}

TEST_CASE("of two prepared certificates the one of the higher view stays") {
  Solo solo(1);
  pbft::DurableState state;
  for (const std::uint64_t view : {0ULL, 4ULL, 3ULL}) {
    const auto proposal = solo.pre_prepare(1, {1}, std::nullopt, view);
    state.apply(pbft::PreparedRecord{{proposal.core, {}}, solo.commit(1, proposal)});
  }
  REQUIRE(state.prepared.at(Height(1)).core.ballot.view == View(4));
  REQUIRE(state.commits.size() == 3);
}

TEST_CASE("a damaged record halts with a reason; so does the log of another chain") {
  Past past;
  Started started = past.started();
  started.durable.back().pop_back();
  Solo damaged(1);
  damaged.start(started);
  REQUIRE(damaged.all<Halt>().size() == 1);
  REQUIRE_THAT(damaged.all<Halt>().front().reason, Catch::Matchers::Contains("vote log"));

  auto membership = test_membership(4);
  membership.chain_id = {};
  const auto state = pbft::replay(past.solo.log, membership, 4096);
  REQUIRE_FALSE(state);
  REQUIRE(state.error().code == Errc::conflict);
}

TEST_CASE("replaying the vote log and encoding a snapshot of it lose nothing") {
  Past past;
  past.solo.order(2, {2});
  past.solo.receive(0, past.solo.pre_prepare(3, {3}));
  past.solo.settle();
  const auto membership = test_membership(4);
  auto state = pbft::replay(past.solo.log, membership, 4096);
  REQUIRE(state);
  REQUIRE(state->accepted.size() == 3);
  REQUIRE(state->prepared.size() == 2);
  REQUIRE(state->commits.size() == 2);
  REQUIRE(state->seals.size() == 2);
  const Bytes snapshot = pbft::encode_snapshot(*state, membership);
  const auto again = pbft::replay({snapshot}, membership, 4096);
  REQUIRE(again);
  REQUIRE(pbft::encode_snapshot(*again, membership) == snapshot);
  for (std::size_t size = 0; size < snapshot.size(); ++size) {
    const Bytes cut(snapshot.begin(), snapshot.begin() + static_cast<std::ptrdiff_t>(size));
    REQUIRE_FALSE(pbft::replay({cut}, membership, 4096));
  }
}

// A crash can come when the snapshot of a checkpoint is logged and votes below it behind it.
TEST_CASE("votes logged behind the snapshot of a later checkpoint do not come back at a restart") {
  Past past;
  past.solo.order(2, {2});
  const auto membership = test_membership(4);
  auto state = pbft::replay(past.solo.log, membership, 4096);
  REQUIRE(state);
  const auto accepted = state->accepted.begin()->second;
  const auto prepared = state->prepared.begin()->second;
  const auto commit = state->commits.begin()->second;
  REQUIRE(commit.ballot.height == Height(1));
  state->adopt(pbft::CheckpointProof{{Height(1), {}, Height::max()}, {}}, 4);
  const auto again =
      pbft::replay({pbft::encode_snapshot(*state, membership), pbft::encode_record(accepted),
                    pbft::encode_record(pbft::PreparedRecord{prepared, commit})},
                   membership, 4096);
  REQUIRE(again);
  REQUIRE(again->low_watermark() == Height(1));
  REQUIRE(again->prepared.count(Height(1)) == 0);
  REQUIRE(again->accepted.size() == state->accepted.size());
  REQUIRE(again->commits.size() == state->commits.size());
}

TEST_CASE("a primary that restarts goes on after its last proposal and sends the same bytes") {
  Solo solo(0);
  solo.start_voting();
  solo.input(PendingChanged{true});
  std::vector<Bytes> sent;
  for (std::uint64_t height = 1; height <= 2; ++height) {
    const Bytes payload{static_cast<std::uint8_t>(height)};
    solo.input(ProposalReady{Height(height), View(0), payload, pbft::payload_digest(payload)});
    sent.push_back(solo.all<Send>().back().message);
  }
  solo.persist_all();

  Solo again(0);
  again.wall = WallMs(again.wall.value() + 3'600'000);
  Started started;
  started.durable = solo.log;
  again.start(started);
  REQUIRE(again.all<Validate>().size() == 2);  // the host learns what is proposed already
  again.input(PendingChanged{true});
  for (std::uint32_t i = 1; i < 4; ++i) again.receive(i, again.answer_to_start());
  REQUIRE(again.all<RequestProposal>().size() == 1);
  REQUIRE(again.all<RequestProposal>().front().height == Height(3));
  REQUIRE(again.all<RequestProposal>().front().ahead.size() == 2);
  again.advance_time(std::chrono::seconds(1));
  again.outputs.clear();
  again.receive(1, again.status_report());
  std::vector<Bytes> resent;
  for (const Send& send : again.all<Send>()) {
    const auto decoded = pbft::decode(send.message, {4, 4096});
    if (std::holds_alternative<pbft::PrePrepare>(decoded->message)) resent.push_back(send.message);
  }
  REQUIRE(resent == sent);
}

TEST_CASE("a member without a key says what it lacks and answers who starts, and signs nothing") {
  Solo solo(2);
  solo.renew(false);
  solo.start();
  solo.persist_all();
  REQUIRE(solo.engine().status().observer);
  const auto proposal = solo.pre_prepare(1, {1});
  solo.receive(0, proposal);
  solo.receive(1, solo.prepare(1, proposal));
  solo.receive(3, solo.prepare(3, proposal));
  solo.settle();
  solo.advance_time(std::chrono::seconds(2));
  REQUIRE_FALSE(solo.sent<pbft::StatusReport>().empty());
  solo.outputs.clear();
  auto question = solo.status_report();
  question.starting = true;
  solo.receive(1, question);
  const auto answers = solo.sent<pbft::StatusReport>();
  REQUIRE(answers.size() == 1);
  REQUIRE(answers.front().witnesses->size() == 1);  // replica 1's PREPARE
  REQUIRE(solo.votes_sent(pbft::VoteKind::prepare) == 0);
  REQUIRE(solo.all<Persist>().empty());
}

}  // namespace quorate::consensus::test
