#include "node/relay.hpp"

#include <catch2/catch.hpp>

#include "node/peer_messages.hpp"
#include "tests/unit/node/core_fixture.hpp"

using namespace quorate;
using namespace quorate::node;
using namespace quorate::node::testing;

namespace relay_test {
namespace {

struct SentFrames final : Transport {
  struct Sent {
    std::optional<ReplicaId> to;
    std::size_t transactions;
  };
  void send(std::optional<ReplicaId> to, TrafficClass traffic, Bytes body) override {
    REQUIRE(traffic == TrafficClass::transactions);
    sent.push_back({to, static_cast<std::size_t>(body.at(0))});
  }
  void disconnect(ReplicaId, const std::string&) override { FAIL("no reason to disconnect"); }
  std::vector<Sent> sent;
};

struct Bench {
  void take_in(std::uint8_t account, std::uint64_t nonce, Instant now) {
    const auto admitted = transaction({account, nonce});
    REQUIRE_FALSE(mempool.admit(admitted, *state, now));
    relay.add(admitted, now);
  }
  std::shared_ptr<FakeState> state = std::make_shared<FakeState>();
  Mempool mempool{{}, test_genesis()};
  SentFrames transport;
  Relay relay{mempool, transport};
};

}  // namespace

TEST_CASE("the first transaction leaves at once, those right behind it share a frame") {
  Bench bench;
  bench.take_in(1, 1, at_ms(0));
  bench.relay.poll(at_ms(0));
  REQUIRE(bench.transport.sent.size() == 1);
  CHECK_FALSE(bench.transport.sent[0].to);
  bench.take_in(1, 2, at_ms(0));
  bench.take_in(1, 3, at_ms(0));
  bench.relay.poll(at_ms(0));
  CHECK(bench.transport.sent.size() == 1);
  CHECK(bench.relay.next_deadline() == at_ms(1));
  bench.relay.poll(at_ms(1));
  REQUIRE(bench.transport.sent.size() == 2);
  CHECK(bench.transport.sent[1].transactions == 2);
}

TEST_CASE("what still waits is sent again, ever more rarely") {
  Bench bench;
  bench.take_in(1, 1, at_ms(0));
  bench.relay.poll(at_ms(0));
  CHECK(bench.relay.next_deadline() == at_ms(1'000));
  bench.relay.poll(at_ms(1'000));
  CHECK(bench.transport.sent.size() == 2);
  CHECK(bench.relay.next_deadline() == at_ms(3'000));
  bench.relay.poll(at_ms(3'000));
  CHECK(bench.transport.sent.size() == 3);
  CHECK(bench.relay.next_deadline() == at_ms(7'000));
}

TEST_CASE("what another node relayed is sent on only when it has waited long") {
  Bench bench;
  REQUIRE_FALSE(bench.mempool.admit(transaction({1, 1}), *bench.state, at_ms(0)));
  bench.relay.add_relayed(transaction({1, 1}), at_ms(0));
  bench.relay.greet(ReplicaId(2));
  bench.relay.poll(at_ms(4'999));
  CHECK(bench.transport.sent.empty());
  bench.relay.poll(at_ms(5'000));
  CHECK(bench.transport.sent.size() == 1);
}

TEST_CASE("custody ends with execution") {
  Bench bench;
  bench.take_in(1, 1, at_ms(0));
  bench.relay.poll(at_ms(0));
  bench.mempool.executed(executed_block(bench.state, Height(1), {transaction({1, 1})}), Instant{});
  bench.relay.poll(at_ms(1'000));
  CHECK(bench.transport.sent.size() == 1);
  CHECK(bench.relay.in_custody() == 0);
}

TEST_CASE("a peer that connects hears what is in custody, within one frame") {
  Bench bench;
  for (std::uint64_t nonce = 1; nonce <= 3; ++nonce) bench.take_in(1, nonce, at_ms(0));
  bench.relay.poll(at_ms(0));
  bench.relay.greet(ReplicaId(2));
  REQUIRE(bench.transport.sent.size() == 2);
  CHECK(bench.transport.sent[1].to == ReplicaId(2));
  CHECK(bench.transport.sent[1].transactions == 3);
}

TEST_CASE("a peer that connects to an idle node is sent nothing") {
  Bench bench;
  bench.relay.greet(ReplicaId(2));
  CHECK(bench.transport.sent.empty());
}

}  // namespace relay_test
