#include "node/mempool.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/node/core_fixture.hpp"

using namespace quorate;
using namespace quorate::node;
using namespace quorate::node::testing;
using ledger::Reason;
using ledger::TransactionPtr;

namespace {

struct Pool {
  explicit Pool(MempoolLimits limits = {}) : mempool(limits, test_genesis()) {}

  std::optional<Reason> admit(const Spec& spec, Instant now = {}) {
    const auto refusal = mempool.admit(transaction(spec), *state, now);
    if (!refusal) return std::nullopt;
    return refusal->reason;
  }
  // Accounts and nonces in order of proposal, as "1.1 2.1 1.2".
  std::string take(std::size_t count = 100) {
    std::string out;
    for (const auto& taken : mempool.take(count, 1U << 20U)) {
      for (std::uint8_t account = 1; account <= 6; ++account) {
        if (taken->sender == address_of(account)) out += std::to_string(account);
      }
      out += "." + std::to_string(taken->signed_transaction.transaction.nonce) + " ";
    }
    return out;
  }
  void execute(Height height, const std::vector<Spec>& specs) {
    std::vector<TransactionPtr> content;
    for (const Spec& spec : specs) content.push_back(transaction(spec));
    mempool.executed(executed_block(state, height, content), Instant{});
  }

  std::shared_ptr<FakeState> state = std::make_shared<FakeState>();
  Mempool mempool;
};

}  // namespace

TEST_CASE("accounts take turns and each account's transactions follow by nonce") {
  Pool pool;
  for (std::uint64_t nonce = 1; nonce <= 3; ++nonce) REQUIRE_FALSE(pool.admit({1, nonce}));
  REQUIRE_FALSE(pool.admit({2, 1}));
  REQUIRE_FALSE(pool.admit({3, 1}));
  CHECK(pool.take() == "1.1 2.1 3.1 1.2 1.3 ");
}

TEST_CASE("an account that floods does not delay another by more than one turn") {
  Pool pool;
  for (std::uint64_t nonce = 1; nonce <= 50; ++nonce) REQUIRE_FALSE(pool.admit({1, nonce}));
  REQUIRE_FALSE(pool.admit({2, 1}));
  CHECK(pool.take(2) == "1.1 2.1 ");
}

TEST_CASE("what was taken stays in the pool and is not taken twice") {
  Pool pool;
  REQUIRE_FALSE(pool.admit({1, 1}));
  REQUIRE_FALSE(pool.admit({1, 2}));
  CHECK(pool.take(1) == "1.1 ");
  CHECK(pool.mempool.find(transaction({1, 1})->id) != nullptr);
  CHECK(pool.mempool.status().ready == 2);
  CHECK(pool.mempool.proposable().transactions == 1);
  CHECK(pool.take() == "1.2 ");
  CHECK(pool.take().empty());
}

TEST_CASE("released transactions are proposed again") {
  Pool pool;
  REQUIRE_FALSE(pool.admit({1, 1}));
  REQUIRE_FALSE(pool.admit({1, 2}));
  const auto taken = pool.mempool.take(2, 1U << 20U);
  CHECK(pool.take().empty());
  pool.mempool.release(taken);
  CHECK(pool.take() == "1.1 1.2 ");
}

TEST_CASE("a payload of somebody else is skipped, its nonces included") {
  Pool pool;
  REQUIRE_FALSE(pool.admit({1, 1}));
  REQUIRE_FALSE(pool.admit({1, 2}));
  REQUIRE_FALSE(pool.admit({1, 4}));
  // Nonce 3 waits nowhere here, but is in flight: 4 follows it without a gap.
  pool.mempool.reserve({transaction({1, 1}), transaction({1, 2}), transaction({1, 3})});
  CHECK(pool.take() == "1.4 ");
}

TEST_CASE("a gap holds back what follows until it closes") {
  Pool pool;
  REQUIRE_FALSE(pool.admit({1, 2}));
  REQUIRE_FALSE(pool.admit({1, 3}));
  CHECK(pool.mempool.status().ready == 0);
  CHECK(pool.mempool.next_nonce(address_of(1), *pool.state) == 1);
  CHECK(pool.take().empty());
  REQUIRE_FALSE(pool.admit({1, 1}));
  CHECK(pool.mempool.status().ready == 3);
  CHECK(pool.mempool.next_nonce(address_of(1), *pool.state) == 4);
  CHECK(pool.take() == "1.1 1.2 1.3 ");
}

TEST_CASE("execution closes gaps too, and drops what its nonces overtook") {
  Pool pool;
  REQUIRE_FALSE(pool.admit({1, 1, 1, 0, {7}}));
  REQUIRE_FALSE(pool.admit({1, 3}));
  pool.execute(Height(1), {{1, 1}, {1, 2}});
  CHECK(pool.mempool.find(transaction({1, 1, 1, 0, {7}})->id) == nullptr);
  CHECK(pool.mempool.status().transactions == 1);
  CHECK(pool.take() == "1.3 ");
}

TEST_CASE("executed transactions leave the pool, those in flight after them stay") {
  Pool pool;
  for (std::uint64_t nonce = 1; nonce <= 3; ++nonce) REQUIRE_FALSE(pool.admit({1, nonce}));
  const auto first = pool.mempool.take(2, 1U << 20U);
  pool.execute(Height(1), {{1, 1}});
  CHECK(pool.mempool.status().transactions == 2);
  CHECK(pool.take() == "1.3 ");
  pool.mempool.release(first);
  CHECK(pool.take() == "1.2 ");
}

TEST_CASE("a transaction whose sender can no longer pay leaves when its turn has come") {
  Pool pool;
  REQUIRE_FALSE(pool.admit({1, 1, 600}));
  REQUIRE_FALSE(pool.admit({1, 2, 600}));
  REQUIRE_FALSE(pool.admit({1, 3, 5}));
  const auto first = pool.mempool.take(1, 1U << 20U);
  pool.state->accounts[address_of(1)].balance = 400;
  pool.mempool.executed(executed_block(pool.state, Height(1), first), Instant{});
  pool.mempool.release(first);
  CHECK(pool.mempool.find(transaction({1, 2, 600})->id) == nullptr);
  CHECK(pool.mempool.status().transactions == 1);
  CHECK(pool.mempool.status().ready == 0);
  CHECK(pool.mempool.next_nonce(address_of(1), *pool.state) == 2);
}

// Small-scope seed 940: the old primary kept such a transaction for ever, suspected whoever did not
// propose it, and everybody else refused it.
TEST_CASE("a transaction that can no longer be paid leaves even while it is in flight") {
  Pool pool;
  REQUIRE_FALSE(pool.admit({1, 1, 600}));
  REQUIRE_FALSE(pool.admit({1, 2, 600}));
  const auto first = pool.mempool.take(1, 1U << 20U);
  const auto second = pool.mempool.take(1, 1U << 20U);
  pool.state->accounts[address_of(1)].balance = 400;
  pool.mempool.executed(executed_block(pool.state, Height(1), first), Instant{});
  pool.mempool.release(first);
  pool.mempool.release(second);
  CHECK(pool.mempool.status().transactions == 0);
  CHECK(pool.mempool.status().ready == 0);
  CHECK(pool.take().empty());
}

TEST_CASE("every refusal has its reason") {
  Pool pool;
  CHECK(pool.admit({9, 1}) == Reason::unknown_sender);
  CHECK(pool.admit({1, 1, 1'001}) == Reason::insufficient_funds);
  CHECK(pool.admit({1, 0}) == Reason::nonce_too_low);
  CHECK(pool.admit({1, 4'097}) == Reason::nonce_too_high);
  CHECK_FALSE(pool.admit({1, 4'096}));
  pool.state->at = Height(5);
  CHECK(pool.admit({2, 1, 1, 5}) == Reason::expired);
  CHECK_FALSE(pool.admit({2, 1, 1, 6}));
}

TEST_CASE("submitting again is fine, another transaction at a waiting nonce is not") {
  Pool pool;
  REQUIRE_FALSE(pool.admit({1, 1}));
  CHECK_FALSE(pool.admit({1, 1}));
  CHECK(pool.mempool.status().transactions == 1);
  const auto refusal = pool.mempool.admit(transaction({1, 1, 2}), *pool.state, {});
  REQUIRE(refusal);
  CHECK(refusal->reason == Reason::nonce_too_low);
  CHECK(refusal->expected == 2U);
  CHECK(refusal->got == 1U);
}

TEST_CASE("only listed accounts may submit where the genesis lists them") {
  ledger::Genesis genesis = test_genesis();
  genesis.submit_any = false;
  genesis.submitters = {address_of(2)};
  Mempool mempool({}, genesis);
  const FakeState state;
  CHECK(mempool.admit(transaction({1, 1}), state, {})->reason == Reason::not_permitted);
  CHECK_FALSE(mempool.admit(transaction({2, 1}), state, {}));
}

TEST_CASE("a full pool refuses, but lets a transaction that can execute displace one that cannot") {
  MempoolLimits limits;
  limits.transactions_max = 3;
  Pool pool(limits);
  REQUIRE_FALSE(pool.admit({1, 1}));
  REQUIRE_FALSE(pool.admit({2, 5}));
  REQUIRE_FALSE(pool.admit({2, 7}));
  CHECK(pool.admit({3, 2}) == Reason::mempool_full);
  CHECK_FALSE(pool.admit({3, 1}));
  CHECK(pool.mempool.find(transaction({2, 7})->id) == nullptr);
  CHECK_FALSE(pool.admit({4, 1}));
  CHECK(pool.admit({5, 1}) == Reason::mempool_full);
  CHECK(pool.mempool.status().transactions == 3);
  CHECK(pool.take() == "1.1 3.1 4.1 ");
}

TEST_CASE("the cap on bytes counts encoded transactions") {
  MempoolLimits limits;
  limits.bytes_max = transaction({1, 1})->encoded.size() * 2;
  Pool pool(limits);
  CHECK_FALSE(pool.admit({1, 1}));
  CHECK_FALSE(pool.admit({2, 1}));
  CHECK(pool.admit({3, 1}) == Reason::mempool_full);
}

TEST_CASE("a transaction leaves when its last height has passed") {
  Pool pool;
  REQUIRE_FALSE(pool.admit({1, 1, 1, 3}));
  REQUIRE_FALSE(pool.admit({1, 2}));
  pool.execute(Height(2), {});
  CHECK(pool.mempool.status().transactions == 2);
  pool.execute(Height(3), {});
  CHECK(pool.mempool.status().transactions == 1);
  CHECK(pool.mempool.status().ready == 0);  // its successor waits behind the gap now
}

TEST_CASE("a transaction leaves when it has waited for its lifetime") {
  MempoolLimits limits;
  limits.lifetime_max = std::chrono::seconds(10);
  Pool pool(limits);
  REQUIRE_FALSE(pool.admit({1, 1}, at_ms(0)));
  REQUIRE_FALSE(pool.admit({2, 1}, at_ms(4'000)));
  CHECK(pool.mempool.next_expiry() == at_ms(10'000));
  pool.mempool.expire(at_ms(9'999));
  CHECK(pool.mempool.status().transactions == 2);
  pool.mempool.expire(at_ms(10'000));
  CHECK(pool.mempool.status().transactions == 1);
  CHECK(pool.mempool.next_expiry() == at_ms(14'000));
}

TEST_CASE("a batch stays within its bytes") {
  Pool pool;
  for (std::uint64_t nonce = 1; nonce <= 4; ++nonce) REQUIRE_FALSE(pool.admit({1, nonce}));
  const std::size_t each = transaction({1, 1})->encoded.size() + 4;
  CHECK(pool.mempool.proposable().bytes == 4 * each);
  CHECK(pool.mempool.take(100, 2 * each + 1).size() == 2);
  CHECK(pool.mempool.proposable().bytes == 2 * each);
}

TEST_CASE("sums stay right through random use") {
  MempoolLimits limits;
  limits.transactions_max = 40;
  limits.lifetime_max = std::chrono::milliseconds(300);
  Pool pool(limits);
  std::uint64_t random = 1;
  const auto below = [&random](std::uint64_t bound) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    return (random >> 33U) % bound;
  };
  std::vector<std::vector<TransactionPtr>> taken;
  Height height;
  for (int step = 0; step < 4'000; ++step) {
    const auto account = static_cast<std::uint8_t>(1 + below(5));
    const std::uint64_t used = pool.state->accounts[address_of(account)].nonce;
    switch (below(6)) {
      case 0: taken.push_back(pool.mempool.take(1 + below(5), 1U << 20U)); break;
      case 1:
        if (taken.empty()) break;
        if (below(2) == 0) {  // executed in order, or given up
          height = height.next();
          pool.mempool.executed(executed_block(pool.state, height, taken.front()), Instant{});
        }
        pool.mempool.release(taken.front());
        taken.erase(taken.begin());
        break;
      case 2: pool.mempool.expire(at_ms(step)); break;
      default:
        pool.admit({account, used + 1 + below(6), 1, below(4) == 0 ? height.value() + 2 : 0},
                   at_ms(step));
    }
    REQUIRE(pool.mempool.status().transactions <= 40);
    REQUIRE(pool.mempool.status().ready <= pool.mempool.status().transactions);
    REQUIRE(pool.mempool.proposable().transactions <= pool.mempool.status().ready);
  }
  // With nothing in flight, exactly what is proposable can be taken.
  for (const auto& batch : taken) pool.mempool.release(batch);
  const Proposable expected = pool.mempool.proposable();
  CHECK(expected.transactions == pool.mempool.status().ready);
  CHECK(pool.mempool.take(1'000, 1U << 20U).size() == expected.transactions);
  pool.mempool.expire(at_ms(100'000));
  CHECK(pool.mempool.status().transactions == 0);
  CHECK(pool.mempool.status().bytes == 0);
  CHECK(pool.mempool.proposable().bytes == 0);
}

TEST_CASE("the oldest is the one that could have been proposed for longest, whenever it arrived") {
  Pool pool;
  REQUIRE_FALSE(pool.mempool.oldest_ready());
  REQUIRE_FALSE(pool.admit({1, 2}));  // behind a gap
  REQUIRE_FALSE(pool.mempool.oldest_ready());
  REQUIRE_FALSE(pool.admit({2, 1}));
  REQUIRE_FALSE(pool.admit({3, 1}));
  const auto oldest = [&] { return pool.mempool.oldest_ready()->transaction; };
  CHECK(oldest()->sender == address_of(2));
  REQUIRE_FALSE(pool.admit({1, 1}));  // closes the gap: 1.2 is younger than the others all the same
  CHECK(oldest()->sender == address_of(2));
  const auto taken = pool.mempool.take(2, 1U << 20U);
  CHECK(oldest()->sender == address_of(2));  // in flight is not done
  pool.mempool.release(taken);
  CHECK(oldest()->sender == address_of(2));  // and it keeps its place
  pool.execute(Height(1), {{2, 1}});
  CHECK(oldest()->sender == address_of(3));
  pool.execute(Height(2), {{3, 1}});
  CHECK(oldest()->signed_transaction.transaction.nonce == 1);
  pool.execute(Height(3), {{1, 1}, {1, 2}});
  CHECK_FALSE(pool.mempool.oldest_ready());
}

TEST_CASE("what leaves with a block says since when it could have been proposed") {
  Pool pool;
  REQUIRE_FALSE(pool.admit({1, 1}, at_ms(10)));
  REQUIRE_FALSE(pool.admit({2, 2}, at_ms(20)));
  REQUIRE_FALSE(pool.admit({2, 1}, at_ms(30)));
  const auto left = pool.mempool.executed(
      executed_block(pool.state, Height(1), {transaction({2, 1}), transaction({1, 1})}), at_ms(50));
  CHECK(left.ready_since == std::vector<Instant>{at_ms(30), at_ms(10)});
  CHECK(left.newest_order == 2);
  const auto nothing = pool.mempool.executed(executed_block(pool.state, Height(2), {}), at_ms(60));
  CHECK(nothing.ready_since.empty());
  CHECK(nothing.newest_order == 0);
}
