// Orphans: only with work, within every bound whatever is thrown at the pool, and back for their
// parents.
#include "consensus/pow/orphans.hpp"

#include <catch2/catch.hpp>

#include <set>

#include "crypto/work/bits.hpp"
#include "tests/unit/consensus/pow/tree_fixture.hpp"

namespace quorate::consensus::pow::test {

namespace {

using Outcome = OrphanPool::Outcome;

struct PoolFixture : TreeFixture {
  FullBlock block(std::size_t payload_bytes = 10, std::uint8_t parent = 9) {
    work::Header out = header(tree.root().context, 2);
    out.parent.bytes[0] = parent;
    return {{out, id_of(out)}, std::make_shared<const Bytes>(payload_bytes)};
  }
  Outcome add(std::uint32_t from, const FullBlock& block, Instant now = {}) {
    return pool.add(ReplicaId(from), block, tree.tip(), now);
  }
  // From as many peers as it takes.
  void fill(std::size_t count, std::size_t payload_bytes = 10) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto peer = static_cast<std::uint32_t>(100 + i / kOrphansPerPeer);
      REQUIRE(add(peer, block(payload_bytes)) == Outcome::kept);
    }
  }

  OrphanPool pool;
};

}  // namespace

TEST_CASE("orphans wait for their parent and for no other block") {
  PoolFixture f;
  const FullBlock a = f.block(10, 1);
  const FullBlock b = f.block(20, 2);
  const FullBlock c = f.block(30, 1);
  for (const FullBlock& block : {a, b, c}) REQUIRE(f.add(7, block) == Outcome::kept);
  REQUIRE(f.add(8, a) == Outcome::known);
  REQUIRE(f.pool.size() == 3);
  const std::size_t full = f.pool.memory_bytes();
  const std::vector<Orphan> children = f.pool.take_children(a.header.header.parent);
  REQUIRE(children.size() == 2);
  REQUIRE(std::set<Digest>{children[0].block.header.id, children[1].block.header.id} ==
          std::set<Digest>{a.header.id, c.header.id});
  REQUIRE(children[0].from == ReplicaId(7));
  REQUIRE(f.pool.size() == 1);
  REQUIRE(f.pool.memory_bytes() < full);
  REQUIRE(f.pool.take_children(a.header.header.parent).empty());
  REQUIRE(f.pool.take_children(b.header.header.parent).size() == 1);
  REQUIRE(f.pool.memory_bytes() == 0);
}

TEST_CASE("an orphan must carry a sixteenth of the tip's work") {
  PoolFixture f;
  REQUIRE(f.tree.tip().context.bits == 0x1e0fffff);
  FullBlock block = f.block();
  block.header.header.bits = 0x1f00ffff;  // sixteen times easier, rounded
  REQUIRE(f.add(1, block) == Outcome::kept);
  block = f.block();
  block.header.header.bits = 0x1f010000;
  REQUIRE(f.add(1, block) == Outcome::too_light);
  block.header.header.bits = 0x1d00ffff;
  REQUIRE(f.add(1, block) == Outcome::kept);
}

TEST_CASE("a peer that floods the pool keeps ten places") {
  PoolFixture f;
  for (std::size_t i = 0; i < kOrphansPerPeer; ++i) REQUIRE(f.add(1, f.block()) == Outcome::kept);
  for (int i = 0; i < 1000; ++i) REQUIRE(f.add(1, f.block()) == Outcome::peer_full);
  REQUIRE(f.pool.size() == kOrphansPerPeer);
  REQUIRE(f.add(2, f.block()) == Outcome::kept);
  // Its places come back as its orphans leave.
  f.pool.take_children(f.block().header.header.parent);
  REQUIRE(f.pool.size() == 0);
  REQUIRE(f.add(1, f.block()) == Outcome::kept);
}

TEST_CASE("a full pool gives up one for each newcomer, and none that could be told before") {
  PoolFixture f;
  f.fill(kOrphansMax);
  REQUIRE(f.pool.size() == kOrphansMax);
  std::vector<Digest> newcomers;
  for (std::uint32_t i = 0; i < 200; ++i) {
    const FullBlock newcomer = f.block(10, 77);
    newcomers.push_back(newcomer.header.id);
    REQUIRE(f.add(1000 + i, newcomer) == Outcome::kept);
    REQUIRE(f.pool.size() == kOrphansMax);
    REQUIRE(f.add(5000, newcomer) == Outcome::known);  // the newcomer itself is kept
  }
  std::set<Digest> left;
  for (const Orphan& orphan : f.pool.take_children(f.block(10, 77).header.header.parent)) {
    left.insert(orphan.block.header.id);
  }
  // Had the oldest or the newest always gone, all or one of the newcomers would be left.
  REQUIRE(left.size() > 60);
  REQUIRE(left.size() < 100);
  // Had the lowest or the highest id always gone, those left would be on one side of the others.
  std::sort(newcomers.begin(), newcomers.end());
  const auto of_the_left = [&](std::size_t from, std::size_t to) {
    return std::count_if(newcomers.begin() + static_cast<std::ptrdiff_t>(from),
                         newcomers.begin() + static_cast<std::ptrdiff_t>(to),
                         [&](const Digest& id) { return left.contains(id); });
  };
  REQUIRE(of_the_left(0, 100) > 20);
  REQUIRE(of_the_left(100, 200) > 20);
}

TEST_CASE("the pool is bounded in bytes too") {
  PoolFixture f;
  f.fill(60, 1U << 20U);
  REQUIRE(f.pool.memory_bytes() <= kOrphanBytesMax);
  REQUIRE(f.pool.memory_bytes() > kOrphanBytesMax - (2U << 20U));
  REQUIRE(f.add(1, f.block(kOrphanBytesMax)) == Outcome::too_large);
  REQUIRE(f.add(1, f.block(kOrphanBytesMax - 4096)) == Outcome::kept);
  REQUIRE(f.pool.size() == 1);
}

TEST_CASE("orphans are forgotten after ten minutes") {
  PoolFixture f;
  const Instant start{};
  REQUIRE(f.add(1, f.block(), start) == Outcome::kept);
  REQUIRE(f.add(1, f.block(), start + std::chrono::minutes(1)) == Outcome::kept);
  f.pool.expire(start + (kOrphanLife - Duration(1)));
  REQUIRE(f.pool.size() == 2);
  f.pool.expire(start + kOrphanLife);
  REQUIRE(f.pool.size() == 1);
  f.pool.expire(start + kOrphanLife + std::chrono::minutes(1));
  REQUIRE(f.pool.size() == 0);
  REQUIRE(f.pool.memory_bytes() == 0);
}

}  // namespace quorate::consensus::pow::test
