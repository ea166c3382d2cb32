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

TEST_CASE("a certified checkpoint of another state halts the replica") {
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 8);
  solo.receive(0, solo.proof(8, Digest{}, {0, 2, 3}));
  REQUIRE(solo.all<Halt>().size() == 1);
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

TEST_CASE("a quorum of seals for another block halts; fewer are only other replicas' opinions") {
  Solo solo(1);
  solo.start_voting();
  solo.receive(0, solo.seal(0, 1, Digest{}));  // before this replica executed: kept
  order_to(solo, 1);
  solo.receive(2, solo.seal(2, 1, Digest{}));
  REQUIRE(solo.all<Halt>().empty());
  solo.receive(3, solo.seal(3, 1, Digest{}));
  REQUIRE(solo.all<Halt>().size() == 1);
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

TEST_CASE("a ledger whose head is not what this replica or a quorum signed halts at the start") {
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 8);
  Started started;
  started.durable = solo.log;
  started.applied = Height(8);
  started.applied_id = solo.pre_prepare(8, {8}).core.ballot.id;
  started.block_hash = Solo::block_hash(Height(8));
  started.checkpoint_digest = Solo::checkpoint_digest(Height(8));
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
  REQUIRE(again.all<Halt>().size() == 1);
  REQUIRE(again.sent<pbft::Seal>().empty());
}

TEST_CASE("executing again to another block than the one sealed before halts") {
  Solo solo(1);
  solo.start_voting();
  order_to(solo, 2);
  Solo again(1);
  Started started;
  started.durable = solo.log;
  again.start_voting(started);
  const auto proposal = again.pre_prepare(1, {1});
  again.receive(2, again.certificate(proposal, {0, 2, 3}));
  again.receive(2, pbft::Data{proposal.body});
  const auto commits = again.all<Commit>();
  REQUIRE(commits.size() == 1);
  again.input(Executed{Height(1), commits[0].id, Digest{}, Digest{}});
  REQUIRE(again.all<Halt>().size() == 1);
}

}  // namespace quorate::consensus::test
