// How old what a line brings is.
#include "consensus/pbft/echoes.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/consensus/cluster.hpp"
#include "tests/unit/consensus/solo.hpp"

namespace quorate::consensus::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kLife = ~std::uint64_t{0} - 2;  // numbers wrap

Instant at(Duration time) { return Instant(time); }

pbft::StatusReport answer(std::uint64_t number, std::uint64_t heard) {
  pbft::StatusReport out;
  out.number = number;
  out.heard = {0, heard, 0, 0};
  return out;
}

}  // namespace

TEST_CASE("a line is as old as the oldest STATUS that has no answer") {
  pbft::Echoes echoes(4);
  echoes.begin(kLife);
  CHECK_FALSE(echoes.unanswered_since(ReplicaId(2)));
  for (int i = 1; i <= 4; ++i) echoes.send(at(seconds(i)));
  CHECK(echoes.newest() == kLife + 4);
  CHECK(echoes.unanswered_since(ReplicaId(2)) == at(seconds(1)));
  echoes.receive(ReplicaId(2), ReplicaId(1), answer(7, kLife + 3));
  CHECK(echoes.heard() == std::vector<std::uint64_t>{0, 0, 7, 0});
  CHECK(echoes.unanswered_since(ReplicaId(2)) == at(seconds(4)));
  CHECK(echoes.unanswered_since(ReplicaId(3)) == at(seconds(1)));
  echoes.receive(ReplicaId(2), ReplicaId(1), answer(8, kLife + 1));  // overtaken by the newer one
  CHECK(echoes.unanswered_since(ReplicaId(2)) == at(seconds(4)));
  echoes.receive(ReplicaId(2), ReplicaId(1), answer(9, kLife + 4));
  CHECK_FALSE(echoes.unanswered_since(ReplicaId(2)));
}

TEST_CASE("what was never said has no answer, and neither has what an earlier life said") {
  pbft::Echoes echoes(4);
  echoes.begin(kLife);
  echoes.send(at(seconds(1)));
  for (const std::uint64_t heard : {kLife + 2, std::uint64_t{5}, kLife - 1}) {
    echoes.receive(ReplicaId(2), ReplicaId(1), answer(1, heard));
    CHECK(echoes.unanswered_since(ReplicaId(2)) == at(seconds(1)));
  }
}

TEST_CASE("what so many say they have executed that one of them is correct is believed") {
  pbft::Echoes echoes(4);
  CHECK(echoes.claimed(2) == Height(0));
  for (const auto& [replica, height] : std::map<std::uint32_t, std::uint64_t>{{0, 9}, {2, 70}}) {
    pbft::StatusReport report = answer(1, 0);
    report.last_executed = Height(height);
    echoes.receive(ReplicaId(replica), ReplicaId(1), report);
  }
  CHECK(echoes.claimed(1) == Height(70));
  CHECK(echoes.claimed(2) == Height(9));
}

TEST_CASE("of one that never answers a bounded number is remembered, the oldest of them counts") {
  pbft::Echoes echoes(4);
  echoes.begin(kLife);
  for (int i = 0; i < 10'000; ++i) echoes.send(at(milliseconds(i)));
  CHECK(echoes.unanswered_since(ReplicaId(2)) == at(milliseconds(10'000 - 64)));
  CHECK(echoes.memory_bytes() < 1'000);
}

TEST_CASE("STATUS is answered by STATUS: at work within half a second, on an idle chain in five") {
  Cluster cluster{ClusterOptions{}};
  cluster.start_all();
  cluster.submit_many(3);
  REQUIRE(cluster.converge(Height(3)));
  const auto oldest = [&](std::uint32_t replica) {
    Duration most(0);
    const auto unanswered = cluster.engine(replica).status().unanswered;
    for (std::uint32_t i = 0; i < unanswered.size(); ++i) {
      if (unanswered[i]) most = std::max(most, cluster.now() - *unanswered[i]);
    }
    return most;
  };
  Duration most(0);
  for (int i = 0; i < 300; ++i) {
    cluster.run_for(milliseconds(100));
    for (std::uint32_t replica = 0; replica < 4; ++replica) most = std::max(most, oldest(replica));
  }
  CHECK(most > milliseconds(500));
  CHECK(most < seconds(5));
  CHECK_FALSE(cluster.engine(1).status().unanswered.at(1));  // of itself it asks nothing
}

}  // namespace quorate::consensus::test
