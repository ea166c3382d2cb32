#include <catch2/catch.hpp>

#include "tests/unit/consensus/cluster.hpp"

namespace quorate::consensus::test {

TEST_CASE("clusters of every shape order, execute and seal what is submitted") {
  for (const std::uint32_t members : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 10U, 16U}) {
    ClusterOptions options;
    options.members = members;
    Cluster cluster(options);
    cluster.start_all();
    cluster.submit_many(30);
    INFO("members " << members);
    REQUIRE(cluster.converge(Height(30)));
    REQUIRE(cluster.machine(0).head() == Height(30));
  }
}

}  // namespace quorate::consensus::test
