// What stays known of transactions that were taken back and are not executed again.
#include "ledger/withdrawn_transactions.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/ledger/branches.hpp"

namespace quorate::ledger {
namespace {

using namespace test;

std::unique_ptr<Chain> opened(MemoryStore& store) {
  return std::move(*Chain::open(store, small_genesis(), {.seals = false}));
}

WithdrawnBlock block_of(Height height, const std::vector<TransactionPtr>& transactions) {
  WithdrawnBlock out;
  out.header.height = height;
  for (const TransactionPtr& each : transactions) {
    out.transactions.push_back(each);
    out.receipts.push_back({each->id, Outcome::succeeded, Reason::none, 0});
  }
  return out;
}

}  // namespace

TEST_CASE("a chain remembers what it took back, also after a restart") {
  MemoryStore store;
  auto chain = opened(store);
  const Digest id = chain->chain_id();
  const auto stays = transfer(id, "anna", 1, "ben", 25);
  const auto paid = transfer(id, "anna", 2, "ben", 5, TransactionOptions{90, {}});
  const auto poor = transfer(id, "ben", 1, "anna", 5000);
  const auto early = transfer(id, "cleo", 9, "anna", 1);  // skipped: never executed
  execute_one(*chain, ordered(Height(1), {stays}));
  execute_one(*chain, ordered(Height(2), {paid}));
  execute_one(*chain, ordered(Height(3), {poor, early}));
  CHECK_FALSE(chain->withdrawn(paid->id));
  REQUIRE(chain->rewind(Height(1)));
  for (const char* life : {"this life", "the next one", "the one after"}) {
    INFO(life);
    const auto known = chain->withdrawn(paid->id);
    REQUIRE(known);
    CHECK(known->height == Height(2));
    CHECK(known->sender == address("anna"));
    CHECK(known->nonce == 2);
    CHECK(known->valid_until == Height(90));
    CHECK(chain->withdrawn(poor->id)->height == Height(3));
    CHECK_FALSE(chain->withdrawn(stays->id));
    CHECK_FALSE(chain->withdrawn(early->id));
    chain.reset();
    store.drop_unsynced();
    chain = opened(store);
  }
  // Taken back a second time, from another height.
  execute_one(*chain, ordered(Height(2), {}));
  execute_one(*chain, ordered(Height(3), {paid}));
  REQUIRE(chain->rewind(Height(2)));
  CHECK(chain->withdrawn(paid->id)->height == Height(3));
  CHECK(chain->withdrawn(poor->id)->height == Height(3));
}

TEST_CASE("a list of withdrawn transactions that is damaged is not opened") {
  MemoryStore store;
  auto chain = opened(store);
  execute_one(*chain, ordered(Height(1), {transfer(chain->chain_id(), "anna", 1, "ben", 25)}));
  REQUIRE(chain->rewind(Height(0)));
  chain.reset();
  WriteBatch damage;
  damage.put(Family::meta, to_bytes(as_bytes("withdrawn")), Bytes{1, 0, 0, 0, 7});
  REQUIRE(store.write(damage, true));
  const auto again = Chain::open(store, small_genesis(), {.seals = false});
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == Errc::corrupt);
  CHECK(again.error().detail.find("withdrawn transactions") != std::string::npos);
}

TEST_CASE("the oldest withdrawals are forgotten first") {
  const Digest chain = chain_id(small_genesis());
  const auto first = transfer(chain, "anna", 1, "ben", 1);
  const auto again = transfer(chain, "anna", 2, "ben", 1);
  WithdrawnTransactions list;
  list.add(block_of(Height(1), {first, again}));
  WithdrawnBlock many;
  many.header.height = Height(2);
  for (std::size_t i = 0; i + 1 < WithdrawnTransactions::kMax; ++i) {
    Digest id;
    id.bytes[0] = static_cast<std::uint8_t>(i);
    id.bytes[1] = static_cast<std::uint8_t>(i >> 8U);
    id.bytes[2] = 1;
    many.transactions.push_back(first);
    many.receipts.push_back({id, Outcome::succeeded, Reason::none, 0});
  }
  list.add(many);
  CHECK_FALSE(list.find(first->id));
  CHECK(list.find(again->id)->height == Height(1));
  // What is taken back again counts as new.
  list.add(block_of(Height(3), {again}));
  list.add(block_of(Height(4), {first}));
  CHECK(list.find(again->id)->height == Height(3));
  CHECK(list.find(first->id)->height == Height(4));
  CHECK_FALSE(list.find(many.receipts[0].transaction_id));
  const auto read = WithdrawnTransactions::decode(list.encode());
  REQUIRE(read.has_value());
  CHECK(read->encode() == list.encode());
  CHECK(list.encode().size() == 4 + WithdrawnTransactions::kMax * 77);
}

}  // namespace quorate::ledger
