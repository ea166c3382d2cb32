// Whole clusters that lose their primary, in every way and at every moment.
#include <catch2/catch.hpp>

#include "tests/unit/consensus/cluster.hpp"

namespace quorate::consensus::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

View view_of(Cluster& cluster, std::uint32_t replica) {
  return cluster.engine(replica).status().view;
}

bool executed_everything(Cluster& cluster, std::uint32_t replica) {
  return cluster.machine(replica).pool.empty();
}

bool all_done(Cluster& cluster, std::uint32_t members) {
  for (std::uint32_t i = 0; i < members; ++i) {
    if (cluster.machine(i).alive() && !executed_everything(cluster, i)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("commits resume within two timeouts of the primary's death") {
  for (const std::uint32_t members : {4U, 5U, 6U, 7U, 10U}) {
    ClusterOptions options;
    options.members = members;
    Cluster cluster(options);
    cluster.start_all();
    cluster.submit_many(5);
    REQUIRE(cluster.converge(Height(5)));
    cluster.crash(0);
    cluster.submit_many(10);
    REQUIRE(cluster.converge(Height(6), seconds(2)));
    REQUIRE(cluster.run_until([&] { return all_done(cluster, members); }, seconds(5)));
    for (std::uint32_t i = 1; i < members; ++i) REQUIRE(view_of(cluster, i) == View(1));
    // The old primary comes back as a backup, without another change.
    cluster.start(0);
    cluster.submit_many(5);
    REQUIRE(cluster.converge(Height(20)));
    REQUIRE(view_of(cluster, 0) == View(1));
    REQUIRE(cluster.machine(0).halts.empty());
  }
}

TEST_CASE("f primaries in a row may be dead") {
  for (const std::uint32_t members : {7U, 10U, 13U}) {
    ClusterOptions options;
    options.members = members;
    Cluster cluster(options);
    cluster.start_all();
    const std::uint32_t faults = (members - 1) / 3;
    cluster.submit_many(3);
    REQUIRE(cluster.converge(Height(3)));
    for (std::uint32_t i = 0; i < faults; ++i) cluster.crash(i);
    cluster.submit_many(3);
    REQUIRE(cluster.run_until([&] { return all_done(cluster, members); }, seconds(40)));
    REQUIRE(view_of(cluster, faults) == View(faults));
  }
}

TEST_CASE("the primary may die at any boundary, and what was committed stays") {
  for (std::uint64_t boundary = 1; boundary <= 60; ++boundary) {
    ClusterOptions options;
    options.seed = boundary;
    options.checkpoint_interval = 4;
    Cluster cluster(options);
    cluster.start_all();
    cluster.crash_at_boundary(0, boundary);
    cluster.submit_many(12);
    INFO("boundary " << boundary);
    REQUIRE(cluster.run_until([&] { return all_done(cluster, 4); }, seconds(20)));
    if (!cluster.machine(0).alive()) cluster.start(0);
    cluster.submit_many(2);
    REQUIRE(cluster.run_until([&] { return all_done(cluster, 4); }, seconds(20)));
    for (std::uint32_t i = 0; i < 4; ++i) REQUIRE(cluster.machine(i).halts.empty());
  }
}

TEST_CASE("the next primary may die at any boundary of the view change") {
  for (std::uint64_t boundary = 1; boundary <= 40; ++boundary) {
    ClusterOptions options;
    options.members = 7;
    options.seed = boundary;
    options.checkpoint_interval = 4;
    Cluster cluster(options);
    cluster.start_all();
    cluster.submit_many(6);
    REQUIRE(cluster.converge(Height(6)));
    cluster.crash(0);
    cluster.crash_at_boundary(1, cluster.machine(1).boundaries + boundary);
    cluster.submit_many(8);
    INFO("boundary " << boundary);
    REQUIRE(cluster.run_until([&] { return all_done(cluster, 7); }, seconds(30)));
    for (const std::uint32_t i : {0U, 1U}) {
      if (!cluster.machine(i).alive()) cluster.start(i);
    }
    cluster.submit_many(2);
    REQUIRE(cluster.run_until([&] { return all_done(cluster, 7); }, seconds(30)));
  }
}

TEST_CASE("what was prepared in view 0 survives a view 1 that prepares nothing") {
  Cluster cluster({});
  cluster.start_all();
  cluster.run_for(milliseconds(500));
  std::optional<Digest> prepared;
  // Nobody commits in view 0, nobody prepares in view 1, and its primary is hardly heard.
  cluster.filter = [&](std::uint32_t from, std::uint32_t, const pbft::Message& message) {
    if (const auto* vote = std::get_if<pbft::Vote>(&message)) {
      if (vote->ballot.height == Height(1) && vote->ballot.view == View(0)) {
        prepared = vote->ballot.id;
      }
      const bool commit = vote->kind == pbft::VoteKind::commit;
      if (vote->ballot.view == View(0)) return !commit;
      if (vote->ballot.view == View(1)) return false;
    }
    return !(from == 0 && cluster.now() > Instant(seconds(3)));
  };
  cluster.submit_many(3);
  REQUIRE(cluster.run_until([&] { return cluster.machine(3).head() >= Height(1); }, seconds(30)));
  REQUIRE(prepared);
  REQUIRE(cluster.machine(3).ledger.front().id == *prepared);
  REQUIRE(view_of(cluster, 3) >= View(2));
  cluster.filter = nullptr;
  REQUIRE(cluster.run_until([&] { return all_done(cluster, 4); }, seconds(60)));
}

TEST_CASE("a height that only the dead primary knew becomes an empty block") {
  Cluster cluster({});
  cluster.start_all();
  cluster.run_for(milliseconds(500));
  cluster.filter = [](std::uint32_t, std::uint32_t, const pbft::Message& message) {
    const auto* proposal = std::get_if<pbft::PrePrepare>(&message);
    return proposal == nullptr || proposal->core.ballot.height != Height(1) ||
           proposal->core.ballot.view != View(0);
  };
  cluster.submit_many(3);
  cluster.run_for(milliseconds(60));
  cluster.crash(0);
  REQUIRE(cluster.run_until([&] { return all_done(cluster, 4); }, seconds(10)));
  REQUIRE(cluster.machine(1).ledger.front().payload.empty());
  REQUIRE(cluster.machine(1).ledger.size() >= 4);
  cluster.filter = nullptr;
  cluster.start(0);
  cluster.submit_many(1);
  REQUIRE(cluster.converge(Height(5)));
}

TEST_CASE("an idle or slow but honest primary is not replaced") {
  ClusterOptions options;
  options.network_delay = milliseconds(120);
  options.network_jitter = milliseconds(30);
  Cluster cluster(options);
  cluster.start_all();
  cluster.run_for(seconds(120));
  for (int i = 0; i < 20; ++i) {
    cluster.submit_many(3);
    cluster.run_for(seconds(2));
  }
  REQUIRE(all_done(cluster, 4));
  for (std::uint32_t i = 0; i < 4; ++i) {
    REQUIRE(view_of(cluster, i) == View(0));
    REQUIRE(cluster.engine(i).status().promise_view == View(0));
  }
}

TEST_CASE("with two of four dead the views stand still, and their return ends it") {
  Cluster cluster({});
  cluster.start_all();
  cluster.submit_many(3);
  REQUIRE(cluster.converge(Height(3)));
  cluster.crash(0);
  cluster.crash(2);
  cluster.submit_many(3);
  cluster.run_for(seconds(600));
  for (const std::uint32_t i : {1U, 3U}) {
    REQUIRE(cluster.engine(i).status().promise_view <= View(1));
  }
  cluster.start(0);
  cluster.start(2);
  REQUIRE(cluster.run_until([&] { return all_done(cluster, 4); }, seconds(10)));
  for (std::uint32_t i = 0; i < 4; ++i) REQUIRE(view_of(cluster, i) <= View(2));
}

TEST_CASE("a two-two partition moves no view by more than one, and heals") {
  Cluster cluster({});
  cluster.start_all();
  cluster.submit_many(3);
  REQUIRE(cluster.converge(Height(3)));
  cluster.filter = [](std::uint32_t from, std::uint32_t to, const pbft::Message&) {
    return from / 2 == to / 2;
  };
  cluster.submit_many(3);
  cluster.run_for(std::chrono::minutes(60));
  for (std::uint32_t i = 0; i < 4; ++i) {
    REQUIRE(cluster.engine(i).status().promise_view <= View(1));
  }
  cluster.filter = nullptr;
  REQUIRE(cluster.run_until([&] { return all_done(cluster, 4); }, seconds(6)));
}

TEST_CASE("one isolated replica suspects alone and is useful when it returns") {
  Cluster cluster({});
  cluster.start_all();
  cluster.submit_many(3);
  REQUIRE(cluster.converge(Height(3)));
  cluster.filter = [](std::uint32_t from, std::uint32_t to, const pbft::Message&) {
    return from != 3 && to != 3;
  };
  cluster.submit_many(3);
  cluster.run_for(seconds(30));
  REQUIRE(cluster.engine(3).status().promise_view == View(0));
  cluster.filter = nullptr;
  cluster.crash(2);  // now the returned one is needed
  cluster.submit_many(3);
  REQUIRE(cluster.converge(Height(9)));
  REQUIRE(view_of(cluster, 3) == View(0));
}

TEST_CASE("all restart at once in the middle of a view change and go on by themselves") {
  for (const int pause : {0, 900, 1'010, 1'030, 1'060, 1'500}) {
    Cluster cluster({});
    cluster.start_all();
    cluster.submit_many(3);
    REQUIRE(cluster.converge(Height(3)));
    cluster.crash(0);
    cluster.submit_many(3);
    cluster.run_for(milliseconds(pause));
    for (std::uint32_t i = 1; i < 4; ++i) cluster.crash(i);
    cluster.start_all();
    INFO("after " << pause << " ms");
    REQUIRE(cluster.run_until([&] { return all_done(cluster, 4); }, seconds(20)));
  }
}

TEST_CASE("primaries fall one after the other under loss, and everything commits") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    ClusterOptions options;
    options.seed = seed;
    options.checkpoint_interval = 4;
    options.loss_percent = 10;
    options.duplicate_percent = 10;
    options.network_jitter = milliseconds(8);
    Cluster cluster(options);
    cluster.start_all();
    for (std::uint32_t round = 0; round < 6; ++round) {
      cluster.submit_many(4);
      cluster.run_for(milliseconds(100 * (seed + round) % 700));
      const auto victim = static_cast<std::uint32_t>(cluster.engine(0).status().view.value() % 4);
      cluster.crash(victim);
      INFO("seed " << seed << " round " << round);
      REQUIRE(cluster.run_until([&] { return all_done(cluster, 4); }, seconds(60)));
      cluster.start(victim);
      cluster.submit_many(1);
      REQUIRE(cluster.run_until([&] { return all_done(cluster, 4); }, seconds(60)));
    }
    for (std::uint32_t i = 0; i < 4; ++i) REQUIRE(cluster.machine(i).halts.empty());
  }
}

TEST_CASE("an equivocating primary is replaced at once") {
  Cluster cluster({});
  cluster.start_all();
  cluster.submit_many(2);
  REQUIRE(cluster.converge(Height(2)));
  cluster.crash(0);  // from here on the test speaks with its key
  for (const std::uint8_t half : {std::uint8_t{1}, std::uint8_t{2}}) {
    const Bytes payload{half};
    pbft::ProposalHeader header{Height(3), cluster.wall(), test_key(0), View(0),
                                pbft::payload_digest(payload)};
    const pbft::Ballot ballot{View(0), Height(3), pbft::proposal_id(cluster.membership(), header)};
    const pbft::Core core{
        ballot, cluster.signer(0).sign(pbft::core_signing_digest(cluster.membership(), ballot))};
    const Bytes message = pbft::encode(
        Epoch(0), pbft::PrePrepare{core, {header, std::make_shared<const Bytes>(payload)}});
    REQUIRE(cluster.deliver(0, 1, message));
    if (half == 2) {
      for (const std::uint32_t i : {2U, 3U}) REQUIRE(cluster.deliver(0, i, message));
    }
  }
  cluster.submit_many(2);
  REQUIRE(cluster.run_until([&] { return view_of(cluster, 3) == View(1); }, milliseconds(500)));
  REQUIRE(cluster.run_until([&] { return all_done(cluster, 4); }, seconds(3)));
  REQUIRE_FALSE(cluster.machine(1).evidence.empty());
}

}  // namespace quorate::consensus::test
