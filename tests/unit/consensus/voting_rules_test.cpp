// What makes a replica vote, and what must not.
#include <catch2/catch.hpp>

#include "tests/unit/consensus/solo.hpp"

namespace quorate::consensus::test {

using pbft::VoteKind;

TEST_CASE("PREPARE follows the payload's validation and is held until it is durable") {
  Solo solo(1);
  solo.start_voting();
  solo.receive(0, solo.pre_prepare(1, {1}));
  REQUIRE(solo.all<Validate>().size() == 1);
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 0);
  solo.input(Validated{solo.all<Validate>().front().id, true});
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 1);
  const Persist record = solo.all<Persist>().back();
  REQUIRE(solo.all<Send>().back().after == record.token);
}

TEST_CASE("an invalid payload gets no vote") {
  Solo solo(1);
  solo.start_voting();
  solo.receive(0, solo.pre_prepare(1, {1}));
  solo.settle(false);
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 0);
  REQUIRE(solo.all<Rejected>().size() == 1);
}

TEST_CASE("a PREPARE of the primary does not count beside its PRE-PREPARE") {
  Solo solo(1);
  solo.start_voting();
  const auto proposal = solo.pre_prepare(1, {1});
  solo.receive(0, proposal);
  solo.settle();
  solo.receive(0, solo.prepare(0, proposal));
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::commit) == 0);  // own + primary's: one backup is missing
  solo.receive(2, solo.prepare(2, proposal));
  REQUIRE(solo.votes_sent(VoteKind::commit) == 1);
}

TEST_CASE("no COMMIT without the own acceptance, however many PREPAREs others sent") {
  Solo solo(1);
  solo.start_voting();
  const auto proposal = solo.pre_prepare(1, {1});
  solo.receive(0, proposal);
  solo.receive(2, solo.prepare(2, proposal));
  solo.receive(3, solo.prepare(3, proposal));
  REQUIRE(solo.sent<pbft::Vote>().empty());
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 1);
  REQUIRE(solo.votes_sent(VoteKind::commit) == 1);
}

TEST_CASE("votes count once per replica, and only for the same proposal") {
  Solo solo(1, 7);  // q = 5: prepared needs four PREPAREs
  solo.start_voting();
  const auto proposal = solo.pre_prepare(1, {1});
  const auto other = solo.pre_prepare(1, {2});
  solo.receive(0, proposal);
  solo.settle();
  for (int i = 0; i < 5; ++i) solo.receive(2, solo.prepare(2, proposal));
  solo.receive(3, solo.prepare(3, other));
  solo.receive(4, solo.prepare(4, other));
  solo.receive(5, solo.prepare(5, proposal));
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::commit) == 0);
  // Replica 3 changes its mind: that is evidence, not a vote.
  solo.receive(3, solo.prepare(3, proposal));
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::commit) == 0);
  REQUIRE(solo.all<Evidence>().size() == 1);
  REQUIRE(solo.all<Evidence>().front().culprit == ReplicaId(3));
  solo.receive(6, solo.prepare(6, proposal));
  REQUIRE(solo.votes_sent(VoteKind::commit) == 1);
}

TEST_CASE("COMMITs for another proposal or view do not add up") {
  Solo solo(1);
  solo.start_voting();
  const auto proposal = solo.pre_prepare(1, {1});
  const auto other = solo.pre_prepare(1, {2});
  solo.receive(0, proposal);
  solo.settle();
  solo.receive(0, solo.commit(0, proposal));
  solo.receive(2, solo.commit(2, other));
  solo.receive(3, solo.vote(3, VoteKind::commit, {View(1), Height(1), proposal.core.ballot.id}));
  solo.receive(2, solo.prepare(2, proposal));
  solo.settle();  // the own COMMIT is the second for this proposal
  REQUIRE(solo.votes_sent(VoteKind::commit) == 1);
  REQUIRE(solo.all<Commit>().empty());
  solo.receive(3, solo.commit(3, proposal));
  REQUIRE(solo.all<Commit>().size() == 1);
}

TEST_CASE("the own COMMIT counts only once it is durable") {
  Solo solo(1);
  solo.start_voting();
  const auto proposal = solo.pre_prepare(1, {1});
  solo.receive(0, proposal);
  solo.settle();
  solo.receive(2, solo.prepare(2, proposal));
  solo.receive(0, solo.commit(0, proposal));
  solo.receive(2, solo.commit(2, proposal));
  REQUIRE(solo.votes_sent(VoteKind::commit) == 1);
  REQUIRE(solo.all<Commit>().empty());
  solo.persist_all();
  REQUIRE(solo.all<Commit>().size() == 1);
}

TEST_CASE("a proposal from another epoch, chain or signer never reaches the engine") {
  Solo solo(1);
  solo.start_voting();
  auto proposal = solo.pre_prepare(1, {1});
  REQUIRE_FALSE(solo.receive_bytes(0, pbft::encode(Epoch(1), proposal)));
  Solo stranger(2);
  proposal.core.signature = stranger.signer(3).sign(
      pbft::core_signing_digest(stranger.membership(), proposal.core.ballot));
  REQUIRE_FALSE(solo.receive(0, proposal));
  auto membership = test_membership(4);
  membership.config_hash = {};
  proposal = solo.pre_prepare(1, {1});
  proposal.core.signature =
      solo.signer(0).sign(pbft::core_signing_digest(membership, proposal.core.ballot));
  REQUIRE_FALSE(solo.receive(0, proposal));
}

TEST_CASE("a proposal of another view is kept but gets no vote") {
  Solo solo(2);
  solo.start_voting();
  const auto next_view = solo.pre_prepare(1, {1}, std::nullopt, 1);
  REQUIRE(solo.receive(1, next_view));
  REQUIRE(solo.receive(1, solo.pre_prepare(1, {1}, std::nullopt, 9)));
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 0);
}

TEST_CASE("a proposal in somebody else's name is refused") {
  Solo solo(1);
  solo.start_voting();
  auto header = solo.pre_prepare(1, {1}).body.header;
  header.proposer = test_key(2);
  REQUIRE(solo.receive(0, solo.pre_prepare(header, {1}, 0, 0)));
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 0);
  REQUIRE(solo.all<Rejected>().size() == 1);
}

TEST_CASE("a proposal ahead of the clock is held until it is due; one in the past is not") {
  Solo solo(1);
  solo.start_voting();
  solo.receive(0, solo.pre_prepare(1, {1}, WallMs(solo.wall.value() + 12'000)));
  solo.receive(0, solo.pre_prepare(2, {2}, WallMs(0)));
  solo.receive(0, solo.pre_prepare(3, {3}, WallMs::max()));
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 1);
  REQUIRE(solo.sent<pbft::Vote>().front().ballot.height == Height(2));
  REQUIRE(*solo.engine().next_deadline() <= solo.now + std::chrono::seconds(2));
  solo.advance_time(std::chrono::milliseconds(2'001));
  solo.settle();
  REQUIRE(solo.sent<pbft::Vote>().back().ballot.height == Height(1));
  solo.advance_time(std::chrono::hours(48));
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 2);
}

TEST_CASE("two proposals for one height are evidence, and the first stays") {
  Solo solo(1);
  solo.start_voting();
  const auto first = solo.pre_prepare(1, {1});
  solo.receive(0, first);
  solo.settle();
  solo.receive(0, solo.pre_prepare(1, {2}));
  solo.receive(2, solo.pre_prepare(1, {3}));  // relayed; reported once is enough
  solo.settle();
  REQUIRE(solo.all<Evidence>().size() == 1);
  REQUIRE(solo.all<Evidence>().front().culprit == ReplicaId(0));
  REQUIRE(solo.sent<pbft::Vote>().size() == 1);
  REQUIRE(solo.sent<pbft::Vote>().front().ballot == first.core.ballot);
}

TEST_CASE("a replica shown the losing half of an equivocation commits the winning one") {
  Solo solo(3);
  solo.start_voting();
  const auto winner = solo.pre_prepare(1, {1});
  solo.receive(0, solo.pre_prepare(1, {2}));
  solo.settle();
  for (const std::uint32_t i : {0U, 1U, 2U}) solo.receive(i, solo.commit(i, winner));
  REQUIRE(solo.all<Commit>().empty());
  solo.outputs.clear();
  solo.advance_time(std::chrono::milliseconds(300));
  REQUIRE(solo.sent<pbft::Fetch>().size() == 1);
  REQUIRE(solo.sent<pbft::Fetch>().front().id == winner.core.ballot.id);
  solo.receive(2, pbft::Data{solo.pre_prepare(1, {5}).body});  // not what was asked for
  REQUIRE(solo.all<Commit>().empty());
  solo.receive(1, pbft::Data{winner.body});
  REQUIRE(solo.all<Commit>().size() == 1);
  REQUIRE(solo.all<Commit>().front().id == winner.core.ballot.id);
}

TEST_CASE("a proposal that an executed height contradicts is ignored") {
  Solo solo(3);
  solo.start_voting();
  const auto decided = solo.pre_prepare(1, {1});
  // Committed by the others before any PRE-PREPARE arrived here.
  REQUIRE(solo.receive(1, solo.certificate(decided, {0, 1, 2})));
  REQUIRE(solo.receive(1, pbft::Data{decided.body}));
  solo.settle();
  REQUIRE(solo.engine().status().last_executed == Height(1));
  solo.receive(0, solo.pre_prepare(1, {9}));
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 0);
}

TEST_CASE("a proposal for an executed height that agrees is voted for, to help others") {
  Solo solo(3);
  solo.start_voting();
  const auto decided = solo.pre_prepare(1, {1});
  solo.receive(1, solo.certificate(decided, {0, 1, 2}));
  solo.receive(1, pbft::Data{decided.body});
  solo.settle();
  solo.receive(0, decided);
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 1);
}

TEST_CASE("a vote for a height that is committed but not executed logs the payload") {
  Solo solo(3);
  solo.start_voting();
  const Bytes payload = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  const auto decided = solo.pre_prepare(1, payload);
  solo.receive(1, solo.certificate(decided, {0, 1, 2}));
  solo.receive(1, pbft::Data{decided.body});
  REQUIRE(solo.all<Commit>().size() == 1);
  // The ledger has the block only once Executed says so; a crash before that loses it.
  solo.receive(0, decided);
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 1);
  const Bytes record = solo.all<Persist>().back().record;
  REQUIRE(std::search(record.begin(), record.end(), payload.begin(), payload.end()) !=
          record.end());
}

TEST_CASE("agreement may come out of order, execution never does") {
  Solo solo(1);
  solo.start_voting();
  solo.order(3, {3});
  solo.order(2, {2});
  REQUIRE(solo.all<Commit>().empty());
  solo.order(1, {1});
  const auto commits = solo.all<Commit>();
  REQUIRE(commits.size() == 3);
  for (std::uint64_t i = 0; i < 3; ++i) REQUIRE(commits[i].height == Height(i + 1));
}

TEST_CASE("a height decided by votes and by catch-up is executed once") {
  Solo solo(1);
  solo.start_voting();
  const auto proposal = solo.pre_prepare(1, {1});
  const Bytes certificate =
      pbft::encode_certificate(Epoch(0), solo.certificate(proposal, {0, 2, 3}));
  const auto block = solo.verifier().verify_committed(certificate, {1});
  REQUIRE(block);
  solo.input(MessageReceived{ReplicaId(2), *block});
  solo.order(1, {1});
  solo.input(MessageReceived{ReplicaId(3), *block});
  solo.receive(3, solo.certificate(proposal, {0, 1, 3}));
  solo.settle();
  REQUIRE(solo.all<Commit>().size() == 1);
  REQUIRE(solo.engine().status().last_executed == Height(1));
}

TEST_CASE("no vote leaves the window, and what lies above it is kept for later") {
  Solo solo(1);  // K = 8: votes in (0, 16], buffers to 32
  solo.start_voting();
  for (const std::uint64_t height : {0ULL, 17ULL, 32ULL, 33ULL, ~0ULL}) {
    solo.receive(0, solo.pre_prepare(height, {1}));
  }
  solo.settle();
  REQUIRE(solo.votes_sent(VoteKind::prepare) == 0);
  for (std::uint64_t height = 1; height <= 8; ++height) solo.order(height, {1});
  REQUIRE(solo.engine().status().last_executed == Height(8));
  solo.outputs.clear();
  solo.receive(0, solo.checkpoint(0, 8, Solo::checkpoint_digest(Height(8))));
  solo.receive(2, solo.checkpoint(2, 8, Solo::checkpoint_digest(Height(8))));
  solo.settle();
  REQUIRE(solo.engine().status().low_watermark == Height(8));
  REQUIRE(solo.engine().status().high_watermark == Height(24));
  // Its body was beyond the body window when it came, so it is fetched now, and then voted for.
  for (std::uint64_t height = 9; height <= 10; ++height) solo.order(height, {1});
  solo.outputs.clear();
  solo.advance_time(std::chrono::milliseconds(300));
  const auto fetches = solo.sent<pbft::Fetch>();
  REQUIRE(fetches.size() == 1);
  const auto kept = solo.pre_prepare(17, {1}, WallMs(1'790'000'000'000));
  REQUIRE(fetches.front().id == kept.core.ballot.id);
  solo.receive(2, pbft::Data{kept.body});
  solo.settle();
  REQUIRE(solo.sent<pbft::Vote>().back().ballot == kept.core.ballot);
}

TEST_CASE("an observer follows and executes but signs nothing") {
  Solo solo(1);
  Started started;
  started.observer = true;
  solo.start_voting(started);
  for (std::uint64_t height = 1; height <= 9; ++height) {
    const auto proposal = solo.pre_prepare(height, {1});
    solo.receive(0, proposal);
    for (const std::uint32_t i : {0U, 2U, 3U}) solo.receive(i, solo.commit(i, proposal));
    solo.settle();
  }
  REQUIRE(solo.engine().status().last_executed == Height(9));
  REQUIRE(solo.engine().status().observer);
  REQUIRE(solo.all<Persist>().empty());
  REQUIRE(solo.sent<pbft::Vote>().empty());
  REQUIRE(solo.sent<pbft::Seal>().empty());
  REQUIRE(solo.sent<pbft::CheckpointVote>().empty());
}

TEST_CASE("the primary proposes without gaps, within its pipeline, and only when there is work") {
  Solo solo(0);
  solo.start_voting();
  REQUIRE(solo.all<RequestProposal>().empty());
  solo.input(PendingChanged{true});
  std::vector<Digest> ids;
  for (std::uint64_t height = 1; height <= 4; ++height) {
    const auto requests = solo.all<RequestProposal>();
    REQUIRE(requests.size() == height);
    REQUIRE(requests.back().height == Height(height));
    REQUIRE(requests.back().ahead == ids);
    const Bytes payload{static_cast<std::uint8_t>(height)};
    solo.input(ProposalReady{Height(height), View(0), payload, pbft::payload_digest(payload)});
    ids.push_back(solo.sent<pbft::PrePrepare>().back().core.ballot.id);
  }
  solo.persist_all();
  REQUIRE(solo.all<RequestProposal>().size() == 4);  // four in flight are the limit
  REQUIRE(solo.sent<pbft::PrePrepare>().back().body.header.time == solo.wall);
  REQUIRE(solo.sent<pbft::Vote>().empty());  // the primary sends no PREPARE
}

TEST_CASE("floods of votes for far heights and views take no memory") {
  Solo solo(1);
  solo.start_voting();
  const std::size_t before = solo.engine().memory_bytes();
  for (std::uint64_t i = 0; i < 5'000; ++i) {
    solo.receive(3, solo.vote(3, VoteKind::prepare, {View(2 + i), Height(1), {}}));
    solo.receive(3, solo.vote(3, VoteKind::commit, {View(0), Height(33 + i), {}}));
    solo.receive(3, solo.seal(3, 1'000 + i, {}));
    solo.receive(3, solo.checkpoint(3, 8 * (5 + i), {}));
    solo.receive(3, pbft::Data{solo.pre_prepare(1 + i % 8, Bytes(100 + i % 900)).body});
  }
  REQUIRE(solo.engine().memory_bytes() == before);
  for (std::uint64_t i = 0; i < 5'000; ++i) {
    Digest id;
    id.bytes[0] = static_cast<std::uint8_t>(i);
    solo.receive(3, solo.vote(3, VoteKind::prepare, {View(i % 2), Height(1 + i % 32), id}));
  }
  REQUIRE(solo.engine().memory_bytes() <= before + 64 * 600);
}

}  // namespace quorate::consensus::test
