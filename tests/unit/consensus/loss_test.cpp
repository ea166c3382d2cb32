#include <catch2/catch.hpp>

#include "tests/unit/consensus/cluster.hpp"
#include "tests/unit/consensus/solo.hpp"

namespace quorate::consensus::test {

TEST_CASE("lost, doubled and reordered messages are repaired by STATUS") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    ClusterOptions options;
    options.seed = seed;
    options.loss_percent = 30;
    options.duplicate_percent = 10;
    options.network_jitter = std::chrono::milliseconds(50);
    Cluster cluster(options);
    cluster.start_all();
    cluster.submit_many(40);
    INFO("seed " << seed);
    REQUIRE(cluster.converge(Height(40), std::chrono::seconds(120)));
    for (std::uint32_t i = 0; i < 4; ++i) REQUIRE(cluster.machine(i).halts.empty());
  }
}

TEST_CASE("each kind of message is repaired when all its first copies are lost") {
  const auto lose_first = [](auto matches) {
    ClusterOptions options;
    Cluster cluster(options);
    std::set<std::pair<std::uint32_t, Bytes>> seen;
    cluster.filter = [&](std::uint32_t, std::uint32_t to, const pbft::Message& message) {
      return !matches(message) || !seen.emplace(to, pbft::encode(Epoch(0), message)).second;
    };
    cluster.start_all();
    cluster.run_for(std::chrono::seconds(3));
    cluster.submit_many(8);
    REQUIRE(cluster.converge(Height(8), std::chrono::milliseconds(2'500)));
    REQUIRE_FALSE(seen.empty());
    REQUIRE(cluster.run_until(
        [&] {
          for (std::uint32_t i = 0; i < 4; ++i) {
            if (cluster.engine(i).status().low_watermark != Height(8)) return false;
          }
          return true;
        },
        std::chrono::seconds(1)));
  };
  using pbft::VoteKind;
  SECTION("PRE-PREPARE") {
    lose_first([](const auto& m) { return std::holds_alternative<pbft::PrePrepare>(m); });
  }
  SECTION("PREPARE") {
    lose_first([](const auto& m) {
      const auto* vote = std::get_if<pbft::Vote>(&m);
      return vote != nullptr && vote->kind == VoteKind::prepare;
    });
  }
  SECTION("COMMIT") {
    lose_first([](const auto& m) {
      const auto* vote = std::get_if<pbft::Vote>(&m);
      return vote != nullptr && vote->kind == VoteKind::commit;
    });
  }
  SECTION("SEAL") {
    lose_first([](const auto& m) { return std::holds_alternative<pbft::Seal>(m); });
  }
  SECTION("CHECKPOINT") {
    lose_first([](const auto& m) { return std::holds_alternative<pbft::CheckpointVote>(m); });
  }
}

TEST_CASE("seals lost before the last checkpoint are completed on an idle chain") {
  ClusterOptions options;
  Cluster cluster(options);
  bool lossy = true;
  cluster.filter = [&](std::uint32_t, std::uint32_t to, const pbft::Message& message) {
    return !(lossy && to == 3 && std::holds_alternative<pbft::Seal>(message));
  };
  cluster.start_all();
  cluster.submit_many(8);  // the checkpoint at 8 becomes stable and nothing follows
  cluster.run_for(std::chrono::seconds(5));
  REQUIRE(cluster.engine(3).status().low_watermark == Height(8));
  REQUIRE(cluster.machine(3).sealed.empty());
  lossy = false;
  REQUIRE(cluster.converge(Height(8), std::chrono::seconds(5)));
  REQUIRE(cluster.machine(3).sealed.contains(Height(8)));
}

TEST_CASE("a body that reached a quorum only is fetched from whoever has it") {
  ClusterOptions options;
  Cluster cluster(options);
  cluster.filter = [&](std::uint32_t from, std::uint32_t to, const pbft::Message& message) {
    if (to != 3) return true;
    // Replica 3 hears neither proposals nor anything else from the primary.
    return from != 0 && !std::holds_alternative<pbft::PrePrepare>(message);
  };
  cluster.start_all();
  cluster.submit_many(12);
  REQUIRE(cluster.converge(Height(12), std::chrono::seconds(10)));
}

TEST_CASE("backups pass on a proposal that the primary keeps from one of them") {
  ClusterOptions options;
  Cluster cluster(options);
  cluster.filter = [](std::uint32_t from, std::uint32_t to, const pbft::Message& message) {
    const auto* vote = std::get_if<pbft::Vote>(&message);
    const bool commit = vote != nullptr && vote->kind == pbft::VoteKind::commit;
    // Without replica 3 and the primary's COMMIT nothing commits.
    return from != 0 || !(commit || (to == 3 && std::holds_alternative<pbft::PrePrepare>(message)));
  };
  cluster.start_all();
  cluster.submit_many(8);
  REQUIRE(cluster.converge(Height(8), std::chrono::seconds(5)));
  for (std::uint32_t i = 0; i < 4; ++i) CHECK(cluster.engine(i).status().view == View(0));
}

TEST_CASE("a proposal is passed on by few at first, and only after the primary had its turn") {
  const auto lacking_is_sent = [](std::uint32_t self, std::chrono::milliseconds after) {
    Solo solo(self);
    solo.start_voting();
    solo.receive(0, solo.pre_prepare(1, {1}));
    solo.settle();
    solo.advance_time(after);
    solo.outputs.clear();
    solo.receive(3, solo.status_report());
    const auto proposals = solo.sent<pbft::PrePrepare>();
    if (!proposals.empty()) CHECK(solo.all<Send>().front().to == ReplicaId(3));
    return proposals.size();
  };
  using std::chrono::milliseconds;
  CHECK(lacking_is_sent(1, milliseconds(390)) == 0);
  CHECK(lacking_is_sent(1, milliseconds(410)) == 1);  // the second behind replica 3
  CHECK(lacking_is_sent(2, milliseconds(410)) == 0);  // the third
  CHECK(lacking_is_sent(2, milliseconds(610)) == 1);
}

TEST_CASE("nobody is sent a proposal that it has") {
  Solo solo(1);
  solo.start_voting();
  solo.receive(0, solo.pre_prepare(1, {1}));
  solo.settle();
  solo.advance_time(std::chrono::seconds(1));
  solo.outputs.clear();
  pbft::StatusReport report = solo.status_report();
  report.slots.push_back({true, false, false, pbft::ReplicaSet(4), pbft::ReplicaSet(4)});
  solo.receive(3, report);
  CHECK(solo.sent<pbft::PrePrepare>().empty());
  CHECK(solo.votes_sent(pbft::VoteKind::prepare) == 1);
}

TEST_CASE("answers to STATUS are limited per peer") {
  Cluster cluster{ClusterOptions{}};
  cluster.start_all();
  cluster.submit_many(8);
  REQUIRE(cluster.converge(Height(8)));
  cluster.run_for(std::chrono::seconds(5));
  std::uint64_t to_greedy = 0;
  cluster.on_send = [&](std::uint32_t from, std::optional<ReplicaId> to, const Bytes&) {
    if (from == 1 && to == ReplicaId(3)) ++to_greedy;
  };
  pbft::StatusReport report;
  report.view_changes = report.suspects = pbft::ReplicaSet(4);
  report.heard.resize(4);
  const Bytes bytes = pbft::encode(Epoch(0), report);
  for (int i = 0; i < 5'000; ++i) REQUIRE(cluster.deliver(3, 1, bytes));
  REQUIRE(to_greedy > 100);
  REQUIRE(to_greedy <= 2'048 + 100);
}

TEST_CASE("replicas that wait for a quorum to start do not chatter") {
  Cluster cluster{ClusterOptions{}};
  cluster.start(0);
  cluster.start(1);
  cluster.run_for(std::chrono::seconds(10));
  REQUIRE(cluster.messages_sent < 500);  // a question to three every 200 ms, and its answer
}

TEST_CASE("an idle chain makes no blocks and says little") {
  Cluster cluster{ClusterOptions{}};
  cluster.start_all();
  cluster.run_for(std::chrono::seconds(5));
  const std::uint64_t before = cluster.messages_sent;
  cluster.run_for(std::chrono::seconds(20));
  REQUIRE(cluster.machine(0).head() == Height(0));
  REQUIRE(cluster.messages_sent - before <= 12 * 13);  // about one STATUS each in two seconds
}

TEST_CASE("a replica away for more than ten windows catches up and votes again") {
  ClusterOptions options;  // K = 8: the window is 16 heights
  Cluster cluster(options);
  cluster.start_all();
  cluster.submit_many(5);
  REQUIRE(cluster.converge(Height(5)));
  cluster.crash(3);
  cluster.submit_many(200);
  REQUIRE(cluster.converge(Height(205), std::chrono::seconds(60)));
  cluster.start(3);
  REQUIRE(cluster.converge(Height(205), std::chrono::seconds(60)));
  REQUIRE_FALSE(cluster.machine(3).syncs.empty());
  REQUIRE(cluster.run_until([&] { return cluster.engine(3).status().low_watermark == Height(200); },
                            std::chrono::seconds(5)));
  // Without replica 2 the returned one is needed for every quorum.
  cluster.crash(2);
  cluster.submit_many(40);
  REQUIRE(cluster.converge(Height(245), std::chrono::seconds(60)));
}

TEST_CASE("the newest certificate alone shows a laggard the way, also after the others restarted") {
  ClusterOptions options;
  options.checkpoint_interval = 64;  // no checkpoint helps
  Cluster cluster(options);
  cluster.start_all();
  cluster.crash(3);
  cluster.submit_many(40);
  REQUIRE(cluster.converge(Height(40)));
  SECTION("others still up") {}
  SECTION("others restarted") {
    for (std::uint32_t i = 0; i < 3; ++i) cluster.crash(i);
    for (std::uint32_t i = 0; i < 3; ++i) cluster.start(i);
  }
  cluster.start(3);
  REQUIRE(cluster.run_until([&] { return cluster.machine(3).head() == Height(40); },
                            std::chrono::seconds(10)));
  REQUIRE(cluster.machine(3).syncs.front().evidence == Height(40));
}

TEST_CASE("blocks are asked for once at a time, and again only after a pause if none came") {
  Solo solo(1);
  solo.start_voting();
  const auto far = solo.pre_prepare(1'000, {1});
  solo.receive(2, solo.certificate(far, {0, 2, 3}));
  REQUIRE(solo.all<RequestSync>().size() == 1);
  REQUIRE(solo.all<RequestSync>().front().above == Height(0));
  REQUIRE(solo.all<RequestSync>().front().evidence == Height(1'000));
  for (int i = 0; i < 10; ++i) solo.advance_time(std::chrono::seconds(1));
  REQUIRE(solo.all<RequestSync>().size() == 1);
  solo.input(SyncFinished{Height(0)});
  REQUIRE(solo.all<RequestSync>().size() == 1);
  REQUIRE(solo.engine().next_deadline());
  solo.advance_time(std::chrono::seconds(1));
  REQUIRE(solo.all<RequestSync>().size() == 2);
}

TEST_CASE("a peer that only claims to be ahead causes no catch-up") {
  Cluster cluster{ClusterOptions{}};
  cluster.start_all();
  cluster.submit_many(3);
  REQUIRE(cluster.converge(Height(3)));
  pbft::StatusReport report;
  report.view_changes = report.suspects = pbft::ReplicaSet(4);
  report.heard.resize(4);
  report.low_watermark = report.last_executed = report.last_committed = report.sealed_to =
      Height::max();
  const Bytes bytes = pbft::encode(Epoch(0), report);
  for (int i = 0; i < 50; ++i) {
    REQUIRE(cluster.deliver(3, 1, bytes));
    cluster.run_for(std::chrono::milliseconds(100));
  }
  REQUIRE(cluster.machine(1).syncs.empty());
  REQUIRE(cluster.engine(1).status().highest_evidence == Height(3));
}

TEST_CASE("with two of four replicas down nothing commits, and one that returns is enough") {
  Cluster cluster{ClusterOptions{}};
  cluster.start_all();
  cluster.submit_many(20);
  REQUIRE(cluster.converge(Height(20)));
  cluster.crash(2);
  cluster.submit_many(100);
  REQUIRE(cluster.converge(Height(120), std::chrono::seconds(60)));
  cluster.crash(3);
  cluster.submit_many(10);
  cluster.run_for(std::chrono::seconds(10));
  REQUIRE(cluster.machine(0).head() == Height(120));
  cluster.start(2);
  REQUIRE(cluster.converge(Height(130), std::chrono::seconds(60)));
}

TEST_CASE("a peer that asks for bodies without end keeps nobody else from theirs") {
  Solo solo(1);
  solo.start_voting();
  const auto body = [](const std::string& name) {
    return crypto::hash("test/body/1", {as_bytes(name)});
  };
  // The ledger is busy: none of the loads is answered.
  for (int i = 0; i < 500; ++i) solo.receive(3, pbft::Fetch{body(std::to_string(i))});
  REQUIRE(solo.all<LoadPayload>().size() < 50);
  solo.outputs.clear();
  for (const std::uint32_t from : {0U, 2U}) solo.receive(from, pbft::Fetch{body("wanted")});
  REQUIRE(solo.all<LoadPayload>().size() == 1);  // for both of them
}

}  // namespace quorate::consensus::test
