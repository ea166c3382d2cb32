#include "node/block_builder.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/node/core_fixture.hpp"

using namespace quorate;
using namespace quorate::node;
using namespace quorate::node::testing;

namespace block_builder_test {
namespace {

struct Bench {
  Bench() : mempool({}, test_genesis()), builder(limits(), mempool) {}
  static BatchLimits limits() { return {4, 64U << 10U, std::chrono::milliseconds(2)}; }

  void admit(std::uint8_t account, std::uint64_t nonce, Instant now = {}) {
    REQUIRE_FALSE(mempool.admit(transaction({account, nonce}), *state, now));
  }
  void request(std::uint64_t height, Instant now = {}, bool allow_empty = false) {
    builder.request({Height(height), View(0), allow_empty, {}}, {}, now);
  }

  std::shared_ptr<FakeState> state = std::make_shared<FakeState>();
  Mempool mempool;
  BlockBuilder builder;
};

}  // namespace

TEST_CASE("an idle chain proposes nothing") {
  Bench bench;
  bench.request(1);
  CHECK_FALSE(bench.builder.poll(at_ms(60'000)));
  CHECK_FALSE(bench.builder.next_deadline());
}

TEST_CASE("a lone transaction is proposed after the batch delay") {
  Bench bench;
  bench.request(1);
  bench.admit(1, 1, at_ms(10));
  CHECK_FALSE(bench.builder.poll(at_ms(10)));
  REQUIRE(bench.builder.next_deadline() == at_ms(12));
  CHECK_FALSE(bench.builder.poll(at_ms(11)));
  const auto built = bench.builder.poll(at_ms(12));
  REQUIRE(built);
  CHECK(built->height == Height(1));
  CHECK(built->transactions.size() == 1);
  CHECK_FALSE(bench.builder.poll(at_ms(20)));  // one answer per request
}

TEST_CASE("a full batch does not wait") {
  Bench bench;
  for (std::uint64_t nonce = 1; nonce <= 6; ++nonce) bench.admit(1, nonce);
  bench.request(1);
  const auto built = bench.builder.poll(at_ms(0));
  REQUIRE(built);
  CHECK(built->transactions.size() == 4);
}

TEST_CASE("an empty payload is built only where it is allowed, and at once") {
  Bench bench;
  bench.request(1, at_ms(0), true);
  const auto built = bench.builder.poll(at_ms(0));
  REQUIRE(built);
  CHECK(built->transactions.empty());
}

TEST_CASE("consecutive proposals do not repeat transactions") {
  Bench bench;
  for (std::uint64_t nonce = 1; nonce <= 6; ++nonce) bench.admit(1, nonce);
  bench.request(1);
  REQUIRE(bench.builder.poll(at_ms(0))->transactions.size() == 4);
  bench.request(2);
  CHECK_FALSE(bench.builder.poll(at_ms(0)));
  CHECK_FALSE(bench.builder.poll(at_ms(49)));
  const auto second = bench.builder.poll(at_ms(50));
  REQUIRE(second);
  REQUIRE(second->transactions.size() == 2);
  CHECK(second->transactions[0]->signed_transaction.transaction.nonce == 5);
}

TEST_CASE("a batch gathers while proposals are in flight") {
  Bench bench;
  bench.admit(1, 1);
  bench.request(1, at_ms(0));
  REQUIRE(bench.builder.poll(at_ms(2)));
  bench.admit(2, 1);
  bench.request(2, at_ms(10));
  CHECK_FALSE(bench.builder.poll(at_ms(15)));
  SECTION("until it is full") {
    for (std::uint64_t nonce = 2; nonce <= 4; ++nonce) bench.admit(2, nonce);
    CHECK(bench.builder.poll(at_ms(15)));
  }
  SECTION("until they are executed") {
    bench.builder.executed(Height(1));
    CHECK(bench.builder.poll(at_ms(15)));
  }
  SECTION("and not for ever") {
    CHECK_FALSE(bench.builder.poll(at_ms(59)));
    CHECK(bench.builder.poll(at_ms(60)));
  }
}

TEST_CASE("a cancelled request is not answered") {
  Bench bench;
  bench.admit(1, 1);
  bench.request(1);
  bench.builder.cancel(Height(1), View(0));
  CHECK_FALSE(bench.builder.poll(at_ms(100)));
}

TEST_CASE("payloads of others above the head are not repeated") {
  Bench bench;
  bench.admit(1, 1);
  bench.admit(2, 1);
  bench.builder.request({Height(2), View(1), false, {}}, {{Height(1), {transaction({1, 1})}}},
                        at_ms(0));
  const auto built = bench.builder.poll(at_ms(50));
  REQUIRE(built);
  REQUIRE(built->transactions.size() == 1);
  CHECK(built->transactions[0]->sender == address_of(2));
}

TEST_CASE("what was proposed in an earlier view is proposed again") {
  Bench bench;
  bench.admit(1, 1);
  bench.request(1);
  REQUIRE_FALSE(bench.builder.poll(at_ms(1)));
  REQUIRE(bench.builder.poll(at_ms(5)));
  CHECK(bench.builder.own_proposal(Height(1)) != nullptr);
  bench.builder.request({Height(1), View(4), false, {}}, {}, at_ms(10));
  CHECK(bench.builder.own_proposal(Height(1)) == nullptr);
  const auto built = bench.builder.poll(at_ms(15));
  REQUIRE(built);
  CHECK(built->transactions.size() == 1);
}

TEST_CASE("a proposal is forgotten once its height is executed") {
  Bench bench;
  bench.admit(1, 1);
  bench.request(1);
  REQUIRE_FALSE(bench.builder.poll(at_ms(1)));
  const auto built = bench.builder.poll(at_ms(5));
  REQUIRE(built);
  bench.mempool.executed(executed_block(bench.state, Height(1), built->transactions), Instant{});
  bench.builder.executed(Height(1));
  CHECK(bench.builder.own_proposal(Height(1)) == nullptr);
  CHECK(bench.mempool.status().accounts == 0);
}

}  // namespace block_builder_test
