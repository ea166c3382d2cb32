#include <catch2/catch.hpp>

#include "tests/unit/consensus/cluster.hpp"
#include "tests/unit/consensus/solo.hpp"

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

TEST_CASE("a commit says which view agreed on it, whatever view this replica is in") {
  Solo solo(1);
  solo.start_voting();
  const auto proposal = solo.pre_prepare(1, {1}, std::nullopt, 2);
  REQUIRE(solo.receive(3, solo.certificate(proposal, {0, 2, 3})));
  REQUIRE(solo.receive(3, pbft::Data{proposal.body}));
  const auto commits = solo.all<Commit>();
  REQUIRE(commits.size() == 1);
  CHECK(commits.front().view == View(2));
  CHECK(solo.engine().status().view == View(0));
}

}  // namespace quorate::consensus::test
