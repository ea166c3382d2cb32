// Proof-of-work engines among faults: losses, partitions and crashes at random, and at every
// boundary of the log and the network.
#include <catch2/catch.hpp>

#include "tests/unit/consensus/pow_cluster.hpp"

using namespace quorate;
using namespace quorate::consensus;
using namespace quorate::consensus::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Crashes, restarts, partitions and slow networks for a while, as the seed has it.
void disturb(PowCluster& cluster, std::uint32_t members) {
  for (int i = 0; i < 30; ++i) {
    const auto victim = static_cast<std::uint32_t>(cluster.random(members));
    switch (cluster.random(6)) {
      case 0:
        if (cluster.machine(victim).alive()) cluster.crash(victim);
        break;
      case 1:
        if (cluster.machine(victim).alive()) {
          cluster.machine(victim).crash_at =
              cluster.machine(victim).boundaries + cluster.random(20);
        }
        break;
      case 2:
        cluster.filter = [victim](std::uint32_t from, std::uint32_t to, const pow::Message&) {
          return (from == victim) == (to == victim);
        };
        break;
      case 3:
        cluster.filter = [](std::uint32_t from, std::uint32_t to, const pow::Message&) {
          return from % 2 == to % 2;
        };
        break;
      case 4: cluster.filter = nullptr; break;
      default:
        for (std::uint32_t machine = 0; machine < members; ++machine) {
          if (!cluster.machine(machine).alive()) cluster.start(machine);
        }
    }
    cluster.submit(2);
    cluster.run_for(milliseconds(static_cast<std::int64_t>(cluster.random(15'000))));
  }
}

void heal(PowCluster& cluster, std::uint32_t members) {
  cluster.filter = nullptr;
  for (std::uint32_t machine = 0; machine < members; ++machine) {
    cluster.machine(machine).crash_at.reset();
    if (!cluster.machine(machine).alive()) cluster.start(machine);
  }
}

}  // namespace

TEST_CASE("whatever fails, all ledgers end at the same branch, and no transaction is lost") {
  const auto seed = static_cast<std::uint64_t>(GENERATE(range(1, 31)));
  CAPTURE(seed);
  PowOptions options;
  options.seed = seed;
  options.members = 3 + static_cast<std::uint32_t>(seed % 3);
  options.depth = 1 + seed % 4;
  options.loss_percent = seed % 2 == 0 ? 10 : 0;
  if (seed % 3 == 0) options.disk_delay = milliseconds(400);
  if (seed % 5 == 0) options.execute_delay = milliseconds(1'500);
  PowCluster cluster(options);
  cluster.start_all();
  disturb(cluster, options.members);
  heal(cluster, options.members);
  cluster.run_for(seconds(60));
  const bool settled = cluster.settle(seconds(200));
  INFO(cluster.describe());
  REQUIRE(settled);
  // And the network is alive: what waits now commits.
  cluster.submit(5);
  const auto committed = [&] {
    for (std::uint32_t i = 0; i < options.members; ++i) {
      if (!cluster.machine(i).pool.empty()) return false;
    }
    return true;
  };
  REQUIRE(cluster.run_until(committed, seconds(300)));
  for (std::uint32_t i = 0; i < options.members; ++i) {
    CHECK(cluster.machine(i).halts.empty());
    CHECK(cluster.machine(i).rejected.empty());
  }
}

TEST_CASE("a crash at any boundary of log and network loses nothing that others rely on") {
  for (std::uint64_t boundary = 0; boundary < 40; ++boundary) {
    CAPTURE(boundary);
    PowOptions options;
    options.members = 3;
    options.depth = 2;
    PowCluster cluster(options);
    cluster.start_all();
    cluster.submit(10);
    cluster.machine(1).crash_at = boundary;
    cluster.run_for(seconds(60));
    if (!cluster.machine(1).alive()) cluster.start(1);
    cluster.run_for(seconds(20));
    const bool settled = cluster.settle(seconds(200));
    INFO(cluster.describe());
    REQUIRE(settled);
    CHECK(cluster.machine(0).rewinds.empty());
    CHECK(cluster.machine(2).rewinds.empty());
  }
}

TEST_CASE(
    "the log is written anew before it grows without end, and a restart finds what it needs") {
  PowOptions options;
  options.members = 3;
  options.padding = 60'000;
  PowCluster cluster(options);
  cluster.start_all();
  std::size_t largest = 0;
  for (int round = 0; round < 12; ++round) {
    cluster.submit(3);
    cluster.run_for(seconds(60));
    std::size_t bytes = 0;
    for (const Bytes& record : cluster.machine(0).disk) bytes += record.size();
    largest = std::max(largest, bytes);
    cluster.crash(0);
    cluster.start(0);
  }
  CHECK(cluster.machine(0).head() > Height(200));
  CHECK(largest < 8U << 20U);
  const bool settled = cluster.settle(seconds(200));
  INFO(cluster.describe());
  REQUIRE(settled);
  CHECK(cluster.machine(0).halts.empty());
}
