// What subscribers read when blocks that were final are withdrawn.
#include "rpc/subscriptions/subscription_set.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/rpc/fake_backend.hpp"

using namespace quorate;
using namespace quorate::rpc;
using quorate::rpc::test::FakeBackend;

namespace subscription_test {
namespace {

struct Fixture {
  FakeBackend backend{{.threaded = false, .commit_at_once = false}};
  BlockFeed feed{backend};
  SubscriptionSet set{feed};

  Fixture() { backend.set_event_sink(&feed); }
  ~Fixture() { backend.set_event_sink(nullptr); }

  std::string subscribe(Topic topic, std::optional<std::uint32_t> account = {}) {
    SubscriptionRequest request;
    request.topic = topic;
    request.from_height = Height(1);
    if (account) request.address = crypto::dev_account_address(*account);
    std::string id = set.add(request).value();
    set.activate(id);
    return id;
  }
  // Everything that is due, as results.
  std::vector<Json> read() {
    std::vector<Json> out;
    while (true) {
      const auto step = set.next(SubscriptionSet::Which::all).value();
      if (step.message) out.push_back(Json::parse(*step.message)["params"]["result"]);
      if (!step.more) return out;
    }
  }
  // As if the branch from `from` on had been outweighed; the backend's blocks stay what they are.
  void withdraw(Height from, std::vector<Bytes> transactions = {}) {
    auto blocks = std::make_shared<WithdrawnBlocks>();
    blocks->from = from;
    blocks->to = backend.chain_status().height;
    for (const Bytes& each : transactions) {
      blocks->transactions.push_back(
          {backend.id_of(each), from, ledger::decode_signed_transaction(each).value()});
    }
    feed.on_blocks_withdrawn(blocks);
  }
  void final_again(Height to) {
    for (Height at = feed.final_height().next(); at <= to; at = at.next()) {
      feed.on_block_final(at);
    }
  }
};

std::vector<int> heights(const std::vector<Json>& results) {
  std::vector<int> out;
  for (const Json& each : results) out.push_back(each.value("height", -1));
  return out;
}

}  // namespace

TEST_CASE("who was told of a block hears that it was withdrawn, and then of what replaced it") {
  Fixture fixture;
  fixture.subscribe(Topic::new_blocks);
  const Bytes paid = fixture.backend.transfer(0, 1, 1, 25);
  fixture.backend.submit({paid}, [](const auto&) {});
  fixture.backend.make_blocks(4);
  CHECK(heights(fixture.read()) == std::vector<int>{1, 2, 3, 4});
  fixture.withdraw(Height(3), {paid});
  const auto told = fixture.read();
  REQUIRE(told.size() == 1);
  CHECK(told[0]["reversed"]["from_height"] == 3);
  CHECK(told[0]["reversed"]["to_height"] == 4);
  REQUIRE(told[0]["reversed"]["items"].size() == 1);
  CHECK(told[0]["reversed"]["items"][0]["transaction_id"] == to_0x(fixture.backend.id_of(paid)));
  CHECK(told[0]["reversed"]["items"][0]["height"] == 3);
  CHECK(told[0]["reversed"]["complete"] == true);
  fixture.final_again(Height(4));
  CHECK(heights(fixture.read()) == std::vector<int>{3, 4});
}

TEST_CASE("who has not been told of the withdrawn blocks has nothing to take back") {
  Fixture fixture;
  fixture.subscribe(Topic::new_blocks);
  fixture.backend.make_blocks(3);
  fixture.withdraw(Height(2));
  CHECK(heights(fixture.read()) == std::vector<int>{1});
  fixture.final_again(Height(3));
  CHECK(heights(fixture.read()) == std::vector<int>{2, 3});
  // Nor has who subscribes afterwards.
  fixture.subscribe(Topic::new_blocks);
  CHECK(heights(fixture.read()) == std::vector<int>{1, 2, 3});
}

TEST_CASE("an account's subscriber hears of its own withdrawn transactions only") {
  Fixture fixture;
  fixture.subscribe(Topic::transactions, 1);
  const Bytes to_bob = fixture.backend.transfer(0, 1, 1, 25);
  const Bytes to_carol = fixture.backend.transfer(3, 1, 2, 7);
  fixture.backend.submit({to_bob, to_carol}, [](const auto&) {});
  fixture.backend.make_blocks(2);
  REQUIRE(fixture.read().size() == 1);
  fixture.withdraw(Height(1), {to_bob, to_carol});
  const auto told = fixture.read();
  REQUIRE(told.size() == 1);
  REQUIRE(told[0]["reversed"]["items"].size() == 1);
  CHECK(told[0]["reversed"]["items"][0]["transaction_id"] == to_0x(fixture.backend.id_of(to_bob)));
  fixture.final_again(Height(2));
  CHECK(heights(fixture.read()) == std::vector<int>{1});
  fixture.withdraw(Height(1), {to_carol});
  CHECK(fixture.read().empty());
  fixture.final_again(Height(2));
  CHECK(heights(fixture.read()) == std::vector<int>{1});
}

TEST_CASE("a notification tells of so many withdrawn transactions only, and says so") {
  Fixture fixture;
  const std::uint32_t account = GENERATE(0U, 3U);
  fixture.subscribe(Topic::transactions, account);
  const Bytes paid = fixture.backend.transfer(account, 1, 1, 25);
  fixture.backend.submit({paid}, [](const auto&) {});
  fixture.backend.make_blocks(1);
  fixture.read();
  fixture.withdraw(Height(1), std::vector<Bytes>(4'096, paid));
  auto told = fixture.read();
  REQUIRE(told.size() == 1);
  CHECK(told[0]["reversed"]["items"].size() == 4'096);
  CHECK(told[0]["reversed"]["complete"] == true);
  fixture.final_again(Height(1));
  fixture.read();
  fixture.withdraw(Height(1), std::vector<Bytes>(4'097, paid));
  told = fixture.read();
  REQUIRE(told.size() == 1);
  CHECK(told[0]["reversed"]["items"].size() == 4'096);
  CHECK(told[0]["reversed"]["complete"] == false);
}

TEST_CASE("of many withdrawn transactions the newest withdrawals are kept, and late readers told") {
  Fixture fixture;
  fixture.subscribe(Topic::new_blocks);
  const Bytes paid = fixture.backend.transfer(0, 1, 1, 25);
  fixture.backend.make_blocks(3);
  fixture.read();
  fixture.withdraw(Height(3), std::vector<Bytes>(60'000, paid));
  fixture.withdraw(Height(2), std::vector<Bytes>(60'000, paid));
  CHECK(fixture.feed.withdrawal_after(0).error().code == Errc::limit_exceeded);
  CHECK(fixture.feed.withdrawal_after(1).has_value());
}

TEST_CASE("several withdrawals in a row are told one by one") {
  Fixture fixture;
  fixture.subscribe(Topic::new_blocks);
  fixture.backend.make_blocks(5);
  CHECK(fixture.read().size() == 5);
  fixture.withdraw(Height(4));
  fixture.final_again(Height(5));
  fixture.withdraw(Height(2));
  const auto told = fixture.read();
  REQUIRE(told.size() == 2);  // the blocks that were final in between are not sent
  CHECK(told[0]["reversed"]["from_height"] == 4);
  CHECK(told[1]["reversed"]["from_height"] == 2);
}

TEST_CASE("a subscriber that missed too many withdrawals is told to start over") {
  Fixture fixture;
  fixture.subscribe(Topic::new_blocks);
  fixture.backend.make_blocks(2);
  CHECK(fixture.read().size() == 2);
  for (int i = 0; i < 17; ++i) {
    fixture.withdraw(Height(2));
    fixture.final_again(Height(2));
  }
  const auto step = fixture.set.next(SubscriptionSet::Which::all);
  REQUIRE_FALSE(step.has_value());
  CHECK(step.error().code == Errc::limit_exceeded);
}

}  // namespace subscription_test
