#include <catch2/catch.hpp>

#include "tests/unit/consensus/cluster.hpp"

namespace quorate::consensus::test {

namespace {

// Crashes `replica` after its k-th synced record or released message, starts it again and demands
// that everything converges. Returns false once k is beyond what one run has.
bool survives_boundary(std::uint32_t replica, std::uint64_t boundary) {
  ClusterOptions options;
  options.checkpoint_interval = 4;
  Cluster cluster(options);
  for (std::uint32_t i = 0; i < 4; ++i) {
    cluster.start(i);
    if (i == replica && cluster.machine(i).alive()) cluster.crash_at_boundary(i, boundary);
  }
  cluster.submit_many(10);
  const bool crashed =
      cluster.run_until([&] { return !cluster.machine(replica).alive(); }, std::chrono::seconds(1));
  if (!crashed) return false;
  cluster.run_for(std::chrono::milliseconds(boundary % 3 == 0 ? 500 : 3));
  cluster.start(replica);
  INFO("replica " << replica << " crashed at boundary " << boundary);
  REQUIRE(cluster.converge(Height(10), std::chrono::seconds(30)));
  cluster.submit_many(6);
  REQUIRE(cluster.converge(Height(16), std::chrono::seconds(30)));
  for (std::uint32_t i = 0; i < 4; ++i) REQUIRE(cluster.machine(i).halts.empty());
  return true;
}

}  // namespace

TEST_CASE("a backup may crash at every record and every message") {
  std::uint64_t boundary = 1;
  while (survives_boundary(1, boundary)) ++boundary;
  REQUIRE(boundary > 60);
}

TEST_CASE("the primary may crash at every record and every message") {
  std::uint64_t boundary = 1;
  while (survives_boundary(0, boundary)) ++boundary;
  REQUIRE(boundary > 60);
}

TEST_CASE("all replicas may crash at once, again and again") {
  Cluster cluster{ClusterOptions{}};
  cluster.start_all();
  std::uint32_t submitted = 0;
  for (int round = 0; round < 25; ++round) {
    cluster.submit_many(7);
    submitted += 7;
    cluster.run_for(std::chrono::milliseconds(270 + 13 * round));
    for (std::uint32_t i = 0; i < 4; ++i) cluster.crash(i);
    cluster.run_for(std::chrono::milliseconds(20));
    cluster.start_all();
  }
  cluster.submit_many(1);
  // Seals of blocks that were executed but whose SEAL was not logged may be missing for good; the
  // head's is not, and it proves its ancestors.
  REQUIRE(cluster.run_until(
      [&] {
        for (std::uint32_t i = 0; i < 4; ++i) {
          if (cluster.machine(i).head() != Height(submitted + 1)) return false;
          if (!cluster.machine(i).sealed.contains(Height(submitted + 1))) return false;
        }
        return true;
      },
      std::chrono::seconds(60)));
}

}  // namespace quorate::consensus::test
