#include "ledger/memory_store.hpp"

#include <catch2/catch.hpp>

namespace quorate::ledger {
namespace {

Result<void> put(MemoryStore& store, std::uint8_t key, std::uint8_t value, bool sync) {
  WriteBatch batch;
  batch.put(Family::state, {key}, {value});
  batch.put(Family::index, {key}, {value});
  return store.write(batch, sync);
}

// The value of a key, 0 where it is absent. Both families always agree: batches are atomic.
int value(const MemoryStore& store, std::uint8_t key) {
  const auto state = store.get(Family::state, Bytes{key});
  const auto index = store.get(Family::index, Bytes{key});
  REQUIRE(state.has_value() == index.has_value());
  if (!state) return 0;
  REQUIRE(*state == *index);
  return state->front();
}

}  // namespace

TEST_CASE("a crash keeps synced batches and the oldest survivors") {
  for (std::size_t survivors = 0; survivors <= 3; ++survivors) {
    MemoryStore store;
    REQUIRE(put(store, 1, 1, true));
    REQUIRE(put(store, 1, 2, false));
    REQUIRE(put(store, 2, 7, false));
    REQUIRE(put(store, 1, 3, false));
    CHECK(value(store, 1) == 3);
    CHECK(store.unsynced_batches() == 3);
    store.drop_unsynced(survivors);
    CHECK(store.unsynced_batches() == 0);
    CHECK(value(store, 1) == (survivors == 0 ? 1 : survivors == 3 ? 3 : 2));
    CHECK(value(store, 2) == (survivors >= 2 ? 7 : 0));
  }
}

TEST_CASE("a sync makes everything before it durable") {
  MemoryStore store;
  REQUIRE(put(store, 1, 1, false));
  REQUIRE(put(store, 2, 2, true));
  store.drop_unsynced();
  CHECK(value(store, 1) == 1);
  CHECK(value(store, 2) == 2);
}

TEST_CASE("deletions come back by a crash too") {
  MemoryStore store;
  REQUIRE(put(store, 1, 1, true));
  WriteBatch erase;
  erase.puts.push_back({Family::state, {1}, std::nullopt});
  erase.puts.push_back({Family::index, {1}, std::nullopt});
  REQUIRE(store.write(erase, false));
  CHECK(value(store, 1) == 0);
  CHECK(store.size_bytes() == 0);
  store.drop_unsynced();
  CHECK(value(store, 1) == 1);
  CHECK(store.size_bytes() == 4);
}

TEST_CASE("a batch that sets a key twice is undone to what was before") {
  MemoryStore store;
  WriteBatch batch;
  batch.put(Family::state, {1}, {5});
  batch.put(Family::state, {1}, {6});
  REQUIRE(store.write(batch, false));
  CHECK(*store.get(Family::state, Bytes{1}) == Bytes{6});
  store.drop_unsynced();
  CHECK(store.get(Family::state, Bytes{1}).error().code == Errc::not_found);
}

TEST_CASE("a copy holds what a crash would leave, or everything") {
  MemoryStore store;
  REQUIRE(put(store, 1, 1, true));
  REQUIRE(put(store, 1, 2, false));
  CHECK(value(*store.copy(false), 1) == 1);
  CHECK(value(*store.copy(true), 1) == 2);
  CHECK(value(store, 1) == 2);
  CHECK(store.unsynced_batches() == 1);
}

TEST_CASE("a write that was told to fail changes nothing") {
  MemoryStore store;
  store.fail_after(1);
  REQUIRE(put(store, 1, 1, true));
  const auto failed = put(store, 1, 2, true);
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().code == Errc::io);
  CHECK(value(store, 1) == 1);
  store.heal();
  REQUIRE(put(store, 1, 3, true));
  CHECK(value(store, 1) == 3);
}

TEST_CASE("a scan visits one family in byte order from a key on, within a prefix") {
  MemoryStore store;
  WriteBatch batch;
  for (const std::uint8_t last : Bytes{4, 200, 9}) batch.put(Family::blocks, {1, last}, {last});
  batch.put(Family::blocks, {2}, {2});
  batch.put(Family::blocks, {0, 255}, {0});
  batch.put(Family::meta, {1, 5}, {5});
  REQUIRE(store.write(batch, true));
  const auto scanned = [&store](const Bytes& prefix, const Bytes& from, std::size_t at_most) {
    Bytes seen;
    REQUIRE(store.scan(Family::blocks, prefix, from, [&](ByteView, ByteView value) {
      seen.push_back(value.front());
      return seen.size() < at_most;
    }));
    return seen;
  };
  CHECK(scanned({}, {}, 99) == Bytes{0, 4, 9, 200, 2});
  CHECK(scanned({1}, {}, 99) == Bytes{4, 9, 200});
  CHECK(scanned({1}, {1, 5}, 99) == Bytes{9, 200});
  CHECK(scanned({1}, {1, 5}, 1) == Bytes{9});
  CHECK(scanned({1}, {2}, 99).empty());
}

}  // namespace quorate::ledger
