#include "ledger/snapshots.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>

#include "ledger/memory_snapshots.hpp"
#include "ledger/state_tree.hpp"
#include "tests/unit/ledger/fixture.hpp"

namespace quorate::ledger {
namespace {

using namespace test;

}  // namespace

TEST_CASE("a few snapshots are kept, and a rewind executes little more than it takes back") {
  std::set<Height> kept;
  for (std::uint64_t head = 1; head <= 100'000; ++head) {
    if (head % kSnapshotInterval == 0) kept.insert(Height(head));
    if (kept.empty()) continue;
    const Height newest = *kept.rbegin();
    std::erase_if(kept, [newest](Height each) { return !keeps_snapshot(each, newest); });
    REQUIRE(kept.size() <= 11);
    // Every height of some, some of the others.
    if (head > 5'000 && head % 97 != 0) continue;
    for (std::uint64_t depth = 1; depth <= std::min<std::uint64_t>(32'768, head); depth += 37) {
      const Height target(head - depth);
      const auto above = kept.upper_bound(target);
      const std::uint64_t from = above == kept.begin() ? 0 : std::prev(above)->value();
      REQUIRE(target.value() - from <= std::max(2 * kSnapshotInterval, 3 * depth));
    }
  }
}

TEST_CASE("a snapshot in memory stays as it was taken") {
  MemoryStore store;
  MemorySnapshots snapshots(store);
  auto chain = *Chain::open(store, small_genesis());
  REQUIRE(snapshots.take(Height(1)));
  const Digest id = chain->chain_id();
  REQUIRE(chain->execute({ordered(Height(1), {transfer(id, "anna", 1, "ben", 7)})}));
  REQUIRE(snapshots.take(Height(2)));
  const Bytes key = to_bytes(state_key(address("anna")));
  CHECK(*(*snapshots.open(Height(2)))->get(Family::state, key) == *store.get(Family::state, key));
  CHECK(*(*snapshots.open(Height(1)))->get(Family::state, key) != *store.get(Family::state, key));
  CHECK(*snapshots.list() == std::vector<Height>{Height(1), Height(2)});
  REQUIRE(snapshots.remove(Height(1)));
  REQUIRE(snapshots.remove(Height(1)));
  CHECK(snapshots.open(Height(1)).error().code == Errc::not_found);
}

TEST_CASE("what changes between two trees is what differs, and nothing else") {
  std::mt19937_64 random(11);
  const auto tree_of = [](const std::map<Digest, StateLeaf>& accounts) {
    std::vector<StateEntry> entries;
    for (const auto& [key, leaf] : accounts) entries.push_back({key, leaf});
    return StateTree().with(entries);
  };
  for (int run = 0; run < 200; ++run) {
    std::map<Digest, StateLeaf> before;
    std::map<Digest, StateLeaf> after;
    const std::uint64_t accounts = random() % 60;
    for (std::uint64_t i = 0; i < accounts; ++i) {
      crypto::Address who = address("anna");
      who.bytes[1] = static_cast<std::uint8_t>(i);
      const StateLeaf leaf{who, {random() % 5, 0}};
      if (random() % 4 != 0) before[state_key(who)] = leaf;
      if (random() % 4 == 0) continue;
      after[state_key(who)] = random() % 3 == 0 ? StateLeaf{who, {random() % 5, 0}} : leaf;
    }
    std::map<Digest, StateLeaf> changed = before;
    const auto changes = tree_of(after).changes_from(tree_of(before));
    std::size_t different = 0;
    for (const auto& [key, leaf] : before) different += after.count(key) == 0 ? 1U : 0U;
    for (const auto& [key, leaf] : after) {
      different += before.count(key) == 0 || before[key] != leaf ? 1U : 0U;
    }
    for (std::size_t i = 0; i < changes.size(); ++i) {
      if (i > 0) REQUIRE(changes[i - 1].key < changes[i].key);
      if (changes[i].leaf) {
        changed[changes[i].key] = *changes[i].leaf;
      } else {
        REQUIRE(changed.erase(changes[i].key) == 1);
      }
    }
    REQUIRE(changed == after);
    REQUIRE(changes.size() == different);
  }
}

}  // namespace quorate::ledger
