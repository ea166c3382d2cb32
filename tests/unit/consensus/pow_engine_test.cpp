// Whole networks of proof-of-work engines: they mine, exchange blocks, commit, and come back.
#include <catch2/catch.hpp>

#include "tests/unit/consensus/pow_cluster.hpp"

using namespace quorate;
using namespace quorate::consensus;
using namespace quorate::consensus::test;
using std::chrono::seconds;

TEST_CASE("four miners commit one order") {
  PowCluster cluster({});
  cluster.start_all();
  cluster.submit(50);
  REQUIRE(cluster.run_until([&] { return cluster.reached(Height(40)); }, seconds(400)));
  const bool settled = cluster.settle();
  INFO(cluster.describe());
  REQUIRE(settled);
  for (std::uint32_t i = 0; i < 4; ++i) {
    CHECK(cluster.machine(i).halts.empty());
    CHECK(cluster.machine(i).rejected.empty());
    CHECK(cluster.machine(i).pool.empty());
    CHECK(cluster.machine(i).rewinds.empty());
  }
}

TEST_CASE("a single miner commits alone") {
  PowOptions options;
  options.members = 1;
  options.hashes_per_second = 524'288;
  PowCluster cluster(options);
  cluster.start_all();
  REQUIRE(cluster.run_until([&] { return cluster.reached(Height(20)); }, seconds(200)));
}

TEST_CASE("two halves that were apart agree again, and the lighter one takes its blocks back") {
  PowCluster cluster({});
  cluster.machine(0).hashes_per_second = 300'000;
  cluster.start_all();
  REQUIRE(cluster.run_until([&] { return cluster.reached(Height(10)); }, seconds(200)));
  cluster.filter = [](std::uint32_t from, std::uint32_t to, const pow::Message&) {
    return from / 2 == to / 2;
  };
  cluster.submit(20);
  cluster.run_for(seconds(120));
  cluster.filter = nullptr;
  cluster.run_for(seconds(60));
  const bool settled = cluster.settle();
  INFO(cluster.describe());
  REQUIRE(settled);
  CHECK(cluster.machine(0).rewinds.empty());
  CHECK(cluster.machine(1).rewinds.empty());
  CHECK(cluster.machine(2).rewinds.size() == 1);
  CHECK(cluster.machine(3).rewinds.size() == 1);
  CHECK(cluster.machine(2).rejected.empty());
}

TEST_CASE("a machine that was away downloads headers and then blocks") {
  PowCluster cluster({});
  for (std::uint32_t i = 0; i < 3; ++i) cluster.start(i);
  cluster.submit(10);
  REQUIRE(cluster.run_until([&] { return cluster.reached(Height(150)); }, seconds(1500)));
  cluster.start(3);
  REQUIRE(cluster.run_until([&] { return cluster.machine(3).head() >= Height(150); }, seconds(30)));
  const bool settled = cluster.settle();
  INFO(cluster.describe());
  REQUIRE(settled);
}

TEST_CASE("a block costs a copy for each peer and a few short messages") {
  PowOptions options;
  options.members = 16;
  options.hashes_per_second = 32'000;
  PowCluster cluster(options);
  cluster.start_all();
  REQUIRE(cluster.run_until([&] { return cluster.reached(Height(50)); }, seconds(600)));
  std::uint64_t mined = 0;
  for (std::uint32_t i = 0; i < options.members; ++i) mined += cluster.branch(i).blocks_mined;
  CHECK(cluster.sent["block"] <= mined * 16);
  CHECK(cluster.sent["ask_blocks"] == 0);
  CHECK(cluster.sent["announce"] <= mined * 16 * 8);
}

TEST_CASE("a heavier branch whose payloads do not fit into memory wins all the same") {
  PowOptions options;
  options.members = 2;
  options.padding = 65'000;
  options.memory_max = 160U << 20U;
  PowCluster cluster(options);
  cluster.machine(1).hashes_per_second = 500'000;
  cluster.filter = [](std::uint32_t, std::uint32_t, const pow::Message&) { return false; };
  cluster.start_all();
  REQUIRE(cluster.run_until([&] { return cluster.machine(1).head() >= Height(2600); },
                            seconds(10'000)));
  cluster.machine(0).hashes_per_second = 0;
  cluster.filter = nullptr;
  cluster.run_for(seconds(120));
  const bool settled = cluster.settle();
  INFO(cluster.describe());
  REQUIRE(settled);
  CHECK(cluster.machine(0).rewinds == std::vector<Height>{Height(0)});
  CHECK(cluster.machine(1).rewinds.empty());
}

TEST_CASE("a branch wins although its payloads fill the memory before it is the heavier one") {
  PowOptions options;
  options.members = 2;
  options.padding = 65'000;
  options.memory_max = 224U << 20U;
  PowCluster cluster(options);
  cluster.filter = [](std::uint32_t, std::uint32_t, const pow::Message&) { return false; };
  cluster.start_all();
  const auto both_have = [&](std::uint64_t height) {
    return cluster.machine(0).head() >= Height(height) &&
           cluster.machine(1).head() >= Height(height);
  };
  REQUIRE(cluster.run_until([&] { return both_have(3'500); }, seconds(20'000)));
  cluster.filter = nullptr;
  cluster.run_for(seconds(240));
  const bool settled = cluster.settle();
  INFO(cluster.describe());
  REQUIRE(settled);
  CHECK(cluster.machine(0).rewinds.size() + cluster.machine(1).rewinds.size() == 1);
}

TEST_CASE("a new machine reads headers that others remember only in their ledgers") {
  PowOptions options;
  options.members = 2;
  options.depth = 1;
  options.network_delay = std::chrono::milliseconds(1);
  options.hashes_per_second = 400'000;
  PowCluster cluster(options);
  cluster.start(0);
  REQUIRE(cluster.run_until([&] { return cluster.reached(Height(4600)); }, seconds(20'000)));
  cluster.machine(0).hashes_per_second = 0;
  cluster.machine(0).working.reset();
  cluster.machine(1).hashes_per_second = 0;
  cluster.start(1);
  const bool caught_up =
      cluster.run_until([&] { return cluster.machine(1).head() >= Height(4600); }, seconds(25));
  INFO(cluster.describe());
  REQUIRE(caught_up);
  CHECK(cluster.sent["headers"] > 15);
  // And a restart finds its way with the newest headers alone.
  cluster.crash(0);
  cluster.start(0);
  cluster.run_for(seconds(30));
  const bool settled = cluster.settle();
  INFO(cluster.describe());
  REQUIRE(settled);
  CHECK(cluster.machine(0).rewinds.empty());
}
