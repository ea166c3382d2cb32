// Checkpoints, seals, and what a diverged ledger leads to.
#include <catch2/catch.hpp>

#include "tests/unit/consensus/cluster.hpp"
#include "tests/unit/consensus/solo.hpp"

namespace quorate::consensus::test {

namespace {

void order_to(Solo& solo, std::uint64_t height) {
  for (std::uint64_t next = solo.engine().status().last_executed.value() + 1; next <= height;
       ++next) {
    solo.order(next, {static_cast<std::uint8_t>(next)});
  }
}

// Blocks that come as certificates, up to `height`, with no proof of a checkpoint.
void fetch_to(Solo& solo, std::uint64_t height) {
  for (std::uint64_t next = solo.engine().status().last_executed.value() + 1; next <= height;
       ++next) {
    const auto proposal = solo.pre_prepare(next, {static_cast<std::uint8_t>(next)});
    solo.receive(2, solo.certificate(proposal, {0, 2, 3}));
    solo.receive(2, pbft::Data{proposal.body});
    solo.settle();
  }
}

// The next life, with the log of this one and its ledger at `head`.
Started restart_at(const Solo& solo, std::uint64_t head) {
  Started out;
  out.durable = solo.log;
  out.applied = Height(head);
  out.applied_id = solo.pre_prepare(head, {static_cast<std::uint8_t>(head)}).core.ballot.id;
  out.block_hash = Solo::block_hash(Height(head));
  out.checkpoint_digest = Solo::checkpoint_digest(Height(head));
  return out;
}

}  // namespace

TEST_CASE("h moves only when the certificate is durable, and the vote log starts over") {
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 8);
  REQUIRE(solo.sent<pbft::CheckpointVote>().size() == 1);
  const std::size_t records = solo.log.size();
  REQUIRE(records > 16);
  solo.receive(0, solo.checkpoint(0, 8, Solo::checkpoint_digest(Height(8))));
  solo.receive(2, solo.checkpoint(2, 8, Solo::checkpoint_digest(Height(8))));
  REQUIRE(solo.all<Persist>().back().snapshot);
  REQUIRE(solo.engine().status().low_watermark == Height(0));
  solo.persist_all();
  REQUIRE(solo.engine().status().low_watermark == Height(8));
  REQUIRE(solo.log.size() == 1);
  REQUIRE(solo.engine().status().high_watermark == Height(24));
}

TEST_CASE("votes below the watermark are dropped") {
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 8);
  solo.receive(0, solo.proof(8, Solo::checkpoint_digest(Height(8)), {0, 2, 3}));
  solo.settle();
  REQUIRE(solo.engine().status().low_watermark == Height(8));
  const std::size_t before = solo.engine().memory_bytes();
  for (std::uint64_t height = 1; height <= 8; ++height) {
    const auto old = solo.pre_prepare(height, {7});
    solo.receive(0, old);
    solo.receive(2, solo.prepare(2, old));
    solo.receive(3, solo.commit(3, old));
    solo.receive(3, solo.checkpoint(3, 8, {}));
  }
  REQUIRE(solo.engine().memory_bytes() == before);
}

TEST_CASE("the vote log and the memory stay bounded over many checkpoints") {
  ClusterOptions options;
  options.payload_bytes = 1024;  // what stays behind breaks the cluster's memory bound
  Cluster cluster(options);
  std::size_t log_max = 0;
  cluster.on_output = [&](std::uint32_t replica, const Output&) {
    log_max = std::max(log_max, cluster.machine(replica).disk.size());
  };
  cluster.start_all();
  cluster.submit_many(400);
  REQUIRE(cluster.converge(Height(400), std::chrono::seconds(60)));
  // Three records a height and one per checkpoint, for at most two windows.
  REQUIRE(log_max <= 4 * 32);
}

TEST_CASE("a certified checkpoint of another state ends the life with a ledger to replace") {
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 8);
  solo.receive(0, solo.proof(8, Digest{}, {0, 2, 3}));
  REQUIRE(solo.all<Diverged>().size() == 1);
  REQUIRE(solo.all<Diverged>().front().height == Height(8));
  REQUIRE(solo.all<Diverged>().front().executed_to == Height(8));
  REQUIRE(solo.all<Halt>().empty());
  REQUIRE(solo.engine().status().observer);
  solo.outputs.clear();
  solo.receive(0, solo.pre_prepare(9, {9}));
  solo.settle();
  REQUIRE(solo.outputs.empty());
}

TEST_CASE("a lying minority does not stop a checkpoint from becoming stable") {
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 8);
  solo.receive(3, solo.checkpoint(3, 8, Digest{}));
  solo.receive(0, solo.checkpoint(0, 8, Solo::checkpoint_digest(Height(8))));
  solo.receive(2, solo.checkpoint(2, 8, Solo::checkpoint_digest(Height(8))));
  solo.settle();
  REQUIRE(solo.all<Halt>().empty());
  REQUIRE(solo.engine().status().low_watermark == Height(8));
}

TEST_CASE("two states with f+1 signatures each stop everybody") {
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 8);
  solo.receive(3, solo.checkpoint(3, 8, Digest{}));
  solo.receive(2, solo.checkpoint(2, 8, Digest{}));
  solo.receive(0, solo.checkpoint(0, 8, Solo::checkpoint_digest(Height(8))));
  REQUIRE(solo.all<Halt>().size() == 1);
}

TEST_CASE("a quorum of seals for another block is divergence; fewer are others' opinions") {
  Solo solo(1);
  solo.start_voting();
  solo.receive(0, solo.seal(0, 1, Digest{}));  // before this replica executed: kept
  order_to(solo, 1);
  solo.receive(2, solo.seal(2, 1, Digest{}));
  REQUIRE(solo.all<Diverged>().empty());
  solo.receive(3, solo.seal(3, 1, Digest{}));
  REQUIRE(solo.all<Diverged>().size() == 1);
  REQUIRE(solo.all<Halt>().empty());
  REQUIRE(solo.all<Sealed>().empty());
}

TEST_CASE("seals that come before the execution count after it") {
  Solo solo(1);
  solo.start_voting();
  solo.receive(0, solo.seal(0, 1, Solo::block_hash(Height(1))));
  solo.receive(2, solo.seal(2, 1, Solo::block_hash(Height(1))));
  REQUIRE(solo.all<Sealed>().empty());
  order_to(solo, 1);
  const auto sealed = solo.all<Sealed>();
  REQUIRE(sealed.size() == 1);
  REQUIRE(sealed.front().block_hash == Solo::block_hash(Height(1)));
  REQUIRE(sealed.front().seals.size() == 3);
  REQUIRE(solo.engine().status().sealed_to == Height(1));
}

TEST_CASE("two seals of one replica for a height are evidence") {
  Solo solo(1);
  solo.start_voting();
  solo.receive(3, solo.seal(3, 1, Solo::block_hash(Height(1))));
  solo.receive(3, solo.seal(3, 1, Digest{}));
  REQUIRE(solo.all<Evidence>().size() == 1);
  REQUIRE(solo.all<Evidence>().front().culprit == ReplicaId(3));
}

TEST_CASE("two commit certificates for one height halt the replica") {
  Solo solo(1);
  solo.start_voting();
  const auto one = solo.pre_prepare(1, {1});
  const auto other = solo.pre_prepare(1, {2});
  solo.receive(2, solo.certificate(one, {0, 1, 2}));
  REQUIRE(solo.all<Halt>().empty());
  solo.receive(2, solo.certificate(other, {0, 2, 3}));
  REQUIRE(solo.all<Halt>().size() == 1);
}

TEST_CASE("a ledger behind its vote log is filled again without a second seal or checkpoint") {
  Solo solo(1);
  solo.start_voting();
  std::vector<pbft::PrePrepare> proposals;
  for (std::uint64_t height = 1; height <= 10; ++height) {
    proposals.push_back(solo.pre_prepare(height, {static_cast<std::uint8_t>(height)}));
    solo.order(height, {static_cast<std::uint8_t>(height)});
  }
  solo.receive(0, solo.proof(8, Solo::checkpoint_digest(Height(8)), {0, 2, 3}));
  solo.settle();
  const auto seals = solo.sent<pbft::Seal>();
  REQUIRE(seals.size() == 10);

  Solo again(1);
  Started started;
  started.durable = solo.log;  // and an empty ledger
  again.start_voting(started);
  REQUIRE(again.engine().status().low_watermark == Height(8));
  REQUIRE(again.engine().status().highest_evidence >= Height(8));
  again.advance_time(std::chrono::seconds(1));
  REQUIRE(again.all<RequestSync>().size() == 1);
  REQUIRE(again.all<RequestSync>().front().above == Height(0));
  for (std::uint64_t height = 1; height <= 10; ++height) {
    const auto& proposal = proposals[height - 1];
    const Bytes certificate =
        pbft::encode_certificate(Epoch(0), again.certificate(proposal, {0, 2, 3}));
    auto message = again.verifier().verify_committed(certificate, *proposal.body.payload);
    REQUIRE(message);
    again.input(MessageReceived{ReplicaId(2), *message});
    again.settle();
  }
  REQUIRE(again.engine().status().last_executed == Height(10));
  REQUIRE(again.sent<pbft::CheckpointVote>().empty());
  REQUIRE(again.sent<pbft::Seal>().empty());
  // Asked for its seals, it sends the very bytes of its former life.
  auto report = again.status_report();
  report.last_committed = report.last_executed = Height(10);
  report.sealed_to = Height(8);
  report.low_watermark = Height(8);
  report.seals.assign(2, pbft::ReplicaSet(4));
  again.receive(2, report);
  const auto resent = again.sent<pbft::Seal>();
  REQUIRE(resent.size() == 2);
  REQUIRE(resent[0].signature == seals[8].signature);
  REQUIRE(resent[1].signature == seals[9].signature);
}

TEST_CASE("a head that was executed but neither sealed nor signed before a crash is now") {
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 7);
  const auto proposal = solo.pre_prepare(8, {8});
  Solo again(1);
  Started started;
  started.durable = solo.log;
  started.applied = Height(8);
  started.applied_id = proposal.core.ballot.id;
  started.block_hash = Solo::block_hash(Height(8));
  started.checkpoint_digest = Solo::checkpoint_digest(Height(8));
  again.start(started);
  REQUIRE(again.sent<pbft::Seal>().empty());
  again.receive(0, again.answer_to_start());
  again.receive(2, again.answer_to_start());
  REQUIRE(again.sent<pbft::Seal>().size() == 1);
  REQUIRE(again.sent<pbft::Seal>().front().height == Height(8));
  REQUIRE(again.sent<pbft::CheckpointVote>().size() == 1);
}

TEST_CASE("a ledger whose head is not what this replica or a quorum signed is replaced") {
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 8);
  Started started = restart_at(solo, 8);
  SECTION("another block than the one sealed") { started.block_hash = {}; }
  SECTION("another state than the one signed") { started.checkpoint_digest = {}; }
  SECTION("another state than the one certified") {
    solo.receive(0, solo.proof(8, Solo::checkpoint_digest(Height(8)), {0, 2, 3}));
    solo.settle();
    started.durable = solo.log;
    started.checkpoint_digest = {};
  }
  Solo again(1);
  again.start(started);
  REQUIRE(again.all<Diverged>().size() == 1);
  REQUIRE(again.all<Diverged>().front().executed_to == Height(8));
  REQUIRE(again.sent<pbft::Seal>().empty());
}

// Blocks that come as certificates may reach further than one window above the own checkpoint.
TEST_CASE("a restart remembers no more of its votes than the life before it did") {
  // The window is 16. A block above it has one seal too many, or a checkpoint as well.
  const std::uint64_t head = GENERATE(20U, 40U);
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 16);
  fetch_to(solo, head);
  REQUIRE(solo.engine().status().last_executed == Height(head));
  REQUIRE(solo.engine().status().low_watermark == Height(0));

  Started started = restart_at(solo, head);
  Solo again(1);
  again.start(started);  // each step asserts the bounds
  again.persist_all();
  for (const std::uint32_t other : {0U, 2U}) {
    again.receive(other, again.seal(other, head, Solo::block_hash(Height(head))));
  }
  REQUIRE(again.all<Sealed>().size() == 1);
}

TEST_CASE("a restart with a lost ledger takes no SEALs from out of its reach") {
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 16);
  fetch_to(solo, 60);
  Started started;
  started.durable = solo.log;
  Solo again(1);
  again.start(started);  // each step asserts the bounds
  again.persist_all();
  REQUIRE(again.all<Halt>().empty());
}

// Votes of an earlier view, a NEW-VIEW far above, and a liar who votes for whatever is taken.
TEST_CASE("a restart keeps no slots of views that are over") {
  Solo solo(2);
  solo.start_voting();
  order_to(solo, 16);
  std::vector<pbft::PreparedCertificate> prepared;
  for (std::uint64_t height = 105; height <= 120; ++height) {
    prepared.push_back(
        solo.prepared(solo.pre_prepare(height, {static_cast<std::uint8_t>(height)}), {1, 3}));
  }
  const auto proof = solo.proof(104, Solo::checkpoint_digest(Height(104)), {0, 1, 3});
  std::vector<pbft::ViewChangePtr> set;
  for (const std::uint32_t replica : {0U, 1U, 3U}) {
    set.push_back(solo.view_change(replica, 1, prepared, proof));
  }
  REQUIRE(solo.receive(1, solo.new_view(1, set)));
  solo.settle();
  solo.persist_all();
  solo.receive(0, solo.view_change(0, 3));
  solo.receive(3, solo.view_change(3, 3));
  solo.persist_all();
  REQUIRE(solo.engine().status().promise_view == View(3));

  Started started = restart_at(solo, 16);
  Solo again(2);
  again.start(started);
  again.persist_all();
  for (std::uint64_t view = 1; view <= 3; ++view) {
    for (std::uint64_t height = 1; height <= 32; ++height) {
      const pbft::Ballot ballot{View(view), Height(height), Digest{}};
      again.receive(3, again.vote(3, pbft::VoteKind::commit, ballot));
    }
  }
  REQUIRE(again.all<Halt>().empty());
}

TEST_CASE("two blocks of one height with f+1 seals each stop everybody") {
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 1);
  solo.receive(3, solo.seal(3, 1, Digest{}));
  solo.receive(2, solo.seal(2, 1, Digest{}));
  REQUIRE(solo.all<Halt>().empty());  // the fourth decides
  solo.receive(0, solo.seal(0, 1, Solo::block_hash(Height(1))));
  REQUIRE(solo.all<Halt>().size() == 1);
  REQUIRE_THAT(solo.all<Halt>().front().reason, Catch::Matchers::Contains("not deterministic"));
}

namespace {

// A replica that executed and sealed heights 1 and 2 wrongly, and its proposals.
struct Wrong {
  Solo solo{1};
  std::vector<pbft::PrePrepare> proposals;
  Started next;  // what the next life begins with: the log, an empty ledger

  Wrong() {
    solo.start_voting();
    for (std::uint64_t height = 1; height <= 3; ++height) {
      proposals.push_back(solo.pre_prepare(height, {static_cast<std::uint8_t>(height)}));
    }
    order_to(solo, 2);
    solo.outputs.clear();
    for (const std::uint32_t other : {0U, 2U, 3U}) {
      solo.receive(other, solo.seal(other, 2, right(2)));
    }
    const auto diverged = solo.all<Diverged>();
    REQUIRE(diverged.size() == 1);
    next.durable = solo.log;
    next.executed_before = diverged.front().executed_to;
    next.life = 2;
  }
  static Digest right(std::uint64_t height) {
    return crypto::hash("quorate/right/1", {as_bytes(std::to_string(height))});
  }
  // The chain of the others arrives, is executed to `result`, and everything is synced.
  void execute(Solo& again, std::uint64_t height, const Digest& result) {
    again.outputs.clear();
    again.hash_of = again.state_of = [result](Height) { return result; };
    again.receive(2, again.certificate(proposals[height - 1], {0, 2, 3}));
    again.receive(2, pbft::Data{proposals[height - 1].body});
    again.settle();
    REQUIRE(again.engine().status().last_executed == Height(height));
  }
};

}  // namespace

TEST_CASE("a replaced ledger is filled again without votes and seals, and then votes go on") {
  Wrong wrong;
  const auto answer = [](Solo& solo, std::uint32_t from) {
    auto report = solo.answer_to_start();
    report.life = 2;
    solo.receive(from, report);
  };
  Solo again(1);
  again.start(wrong.next);
  again.persist_all();
  answer(again, 0);
  answer(again, 2);
  REQUIRE(again.engine().status().executing_again_to == Height(2));
  REQUIRE_FALSE(again.engine().status().starting);
  wrong.execute(again, 1, Wrong::right(1));
  // It may not vote yet, although nothing but the ledger is missing.
  again.receive(0, wrong.proposals[2]);
  again.settle();
  REQUIRE(again.sent<pbft::Vote>().empty());
  wrong.execute(again, 2, Wrong::right(2));
  REQUIRE(again.engine().status().executing_again_to == Height(0));
  REQUIRE(again.sent<pbft::Seal>().empty());
  REQUIRE(again.votes_sent(pbft::VoteKind::prepare) == 1);  // for height 3
  // What it sealed before stays as it was, byte for byte.
  std::vector<Bytes> records = wrong.next.durable;
  records.insert(records.end(), again.log.begin(), again.log.end());
  const auto durable = pbft::replay(records, again.membership(), 4096);
  REQUIRE(durable);
  REQUIRE(durable->executed_before == Height(2));
  REQUIRE(durable->seals.at(Height(2)).block_hash == Solo::block_hash(Height(2)));
  // The quorum's seals are no divergence any more, and height 3 is sealed as ever.
  for (const std::uint32_t other : {0U, 2U, 3U}) {
    again.receive(other, again.seal(other, 2, Wrong::right(2)));
  }
  REQUIRE(again.all<Diverged>().empty());
  wrong.execute(again, 3, Wrong::right(3));
  REQUIRE(again.sent<pbft::Seal>().size() == 1);
  REQUIRE(again.sent<pbft::Seal>().front().height == Height(3));
}

TEST_CASE(
    "a crash while a replaced ledger is filled loses nothing, with or without the host's word") {
  Wrong wrong;
  if (GENERATE(true, false)) wrong.next.executed_before = Height(0);
  Solo again(1);
  again.start_voting(wrong.next);
  wrong.execute(again, 1, Wrong::right(1));
  Started next = wrong.next;
  next.durable.insert(next.durable.end(), again.log.begin(), again.log.end());
  next.applied = Height(1);
  next.applied_id = wrong.proposals[0].core.ballot.id;
  next.block_hash = next.checkpoint_digest = Wrong::right(1);
  next.executed_before = Height(0);
  Solo third(1);
  third.start_voting(next);
  REQUIRE(third.all<Diverged>().empty());
  REQUIRE(third.engine().status().executing_again_to == Height(2));
  wrong.execute(third, 2, Wrong::right(2));
  REQUIRE(third.sent<pbft::Seal>().empty());
}

TEST_CASE("executing again to the same wrong block halts for good: the program is at fault") {
  Wrong wrong;
  Solo again(1);
  again.start_voting(wrong.next);
  wrong.execute(again, 1, Solo::block_hash(Height(1)));
  wrong.execute(again, 2, Solo::block_hash(Height(2)));
  SECTION("as seals say") {
    for (const std::uint32_t other : {0U, 2U, 3U}) {
      again.receive(other, again.seal(other, 2, Wrong::right(2)));
    }
  }
  SECTION("as the host found with a served certificate") {
    again.input(DivergenceFound{Height(2)});
  }
  REQUIRE(again.all<Diverged>().empty());
  REQUIRE(again.all<Halt>().size() == 1);
  REQUIRE_THAT(again.all<Halt>().front().reason, Catch::Matchers::Contains("run the release"));
}

}  // namespace quorate::consensus::test
