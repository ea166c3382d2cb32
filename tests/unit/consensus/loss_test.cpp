#include <catch2/catch.hpp>

#include "tests/unit/consensus/cluster.hpp"

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

}  // namespace quorate::consensus::test
