#include "node/catch_up.hpp"

#include <catch2/catch.hpp>

#include "crypto/codec/reader.hpp"
#include "tests/unit/node/core_fixture.hpp"

using namespace quorate;
using namespace quorate::node;
using namespace quorate::node::testing;

namespace catch_up_test {
namespace {

struct Requests final : Transport {
  struct Request {
    std::uint32_t peer;
    std::uint64_t from;
    bool operator==(const Request&) const = default;
  };
  void send(std::optional<ReplicaId> to, TrafficClass traffic, Bytes body) override {
    REQUIRE(traffic == TrafficClass::sync);
    REQUIRE(to);
    REQUIRE(body.at(0) == 1);
    crypto::Reader in(ByteView(body).subspan(1));
    sent.push_back({to->value(), in.u64()});
  }
  void disconnect(ReplicaId, const std::string&) override { FAIL("no reason to disconnect"); }
  std::vector<Request> sent;
};

struct Bench {
  Bench() {
    for (std::uint32_t peer = 1; peer < 4; ++peer) catch_up.peer_connected(ReplicaId(peer));
  }
  static BlocksResponse blocks(std::uint64_t from, std::uint64_t to, std::size_t bytes = 100) {
    BlocksResponse out;
    for (std::uint64_t height = from; height <= to; ++height) {
      CommittedBlock block{};
      block.height = Height(height);
      block.bytes = bytes;
      out.blocks.push_back(block);
    }
    return out;
  }
  // Heights handed over now, executed at once.
  std::vector<std::uint64_t> deliver(Instant now) {
    std::vector<std::uint64_t> out;
    while (const auto delivery = catch_up.next_delivery()) {
      out.push_back(delivery->block.height.value());
      catch_up.executed(delivery->block.height, now);
    }
    return out;
  }
  Requests transport;
  CatchUp catch_up{ReplicaId(0), 4, transport};
};

using Request = Requests::Request;

}  // namespace

TEST_CASE("a round asks one peer, delivers in order and ends at the evidence") {
  Bench bench;
  bench.catch_up.start(Height(3), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  REQUIRE(bench.transport.sent == std::vector<Request>{{1, 1}});
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 3));
  CHECK(bench.deliver(at_ms(1)) == std::vector<std::uint64_t>{1, 2, 3});
  bench.catch_up.poll(at_ms(1));
  CHECK(bench.catch_up.take_finished() == 1);
  CHECK_FALSE(bench.catch_up.active());
  CHECK(bench.transport.sent.size() == 1);
}

TEST_CASE("a peer that answers well is asked again, for what follows") {
  Bench bench;
  bench.catch_up.start(Height(20), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 8));
  bench.catch_up.poll(at_ms(1));
  CHECK(bench.transport.sent == std::vector<Request>{{1, 1}, {1, 9}});
}

TEST_CASE("an empty answer and a silent peer hand over to the next") {
  Bench bench;
  bench.catch_up.start(Height(5), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.on_blocks(ReplicaId(1), {});
  bench.catch_up.poll(at_ms(1));
  REQUIRE(bench.transport.sent.back() == Request{2, 1});
  CHECK(bench.catch_up.next_deadline() == at_ms(501));  // a second request elsewhere
  bench.catch_up.poll(at_ms(2'001));
  CHECK(bench.transport.sent.back() == Request{3, 1});
  bench.catch_up.peer_disconnected(ReplicaId(3));
  bench.catch_up.poll(at_ms(2'002));
  CHECK(bench.catch_up.take_finished() == 1);  // everybody had a turn
}

TEST_CASE("blocks that nobody needs are an empty answer") {
  Bench bench;
  bench.catch_up.executed(Height(10), at_ms(0));
  bench.catch_up.start(Height(20), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(3, 9));
  CHECK(bench.catch_up.memory_bytes() == 0);
  bench.catch_up.poll(at_ms(1));
  CHECK(bench.transport.sent.back() == Request{2, 11});
}

TEST_CASE("a peer that answers with genuine later blocks does not keep the round to itself") {
  Bench bench;
  bench.catch_up.start(Height(20), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  REQUIRE(bench.transport.sent.back() == Request{1, 1});
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(7, 7));
  CHECK(bench.catch_up.memory_bytes() == 0);
  bench.catch_up.poll(at_ms(1));
  REQUIRE(bench.transport.sent.back() == Request{2, 1});
  bench.catch_up.on_blocks(ReplicaId(2), Bench::blocks(1, 20));
  CHECK(bench.deliver(at_ms(2)).size() == 20);
  bench.catch_up.poll(at_ms(2));
  CHECK(bench.catch_up.take_finished() == 1);
}

TEST_CASE("an answer that nobody asked for is ignored, and so is a second one") {
  Bench bench;
  bench.catch_up.start(Height(20), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.on_blocks(ReplicaId(3), Bench::blocks(1, 3));
  bench.catch_up.on_blocks(ReplicaId(3), Bench::blocks(2, 9, 8U << 20U));
  CHECK(bench.catch_up.memory_bytes() == 0);
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 3));
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(4, 6));
  CHECK(bench.deliver(at_ms(1)) == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("far blocks that fill the bound do not keep out the block that is needed") {
  Bench bench;
  bench.catch_up.start(Height(40), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(20, 30, 1U << 20U));
  bench.catch_up.poll(at_ms(1));
  REQUIRE(bench.transport.sent.back() == Request{2, 1});
  bench.catch_up.on_blocks(ReplicaId(2), Bench::blocks(1, 2));
  CHECK(bench.deliver(at_ms(1)) == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("a late answer is taken as far as it continues what is there") {
  Bench bench;
  bench.catch_up.start(Height(20), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.poll(at_ms(2'000));
  REQUIRE(bench.transport.sent.back() == Request{2, 1});
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 8));  // too late to be asked again for it
  bench.catch_up.on_blocks(ReplicaId(2), Bench::blocks(1, 12));
  CHECK(bench.deliver(at_ms(2'001)).size() == 12);
  bench.catch_up.poll(at_ms(2'001));
  CHECK(bench.transport.sent.back() == Request{2, 13});
}

TEST_CASE("ranges are fetched from several peers at once, and wait for what comes before them") {
  Bench bench;
  bench.catch_up.start(Height(150), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  REQUIRE(bench.transport.sent == std::vector<Request>{{1, 1}, {2, 65}, {3, 129}});
  bench.catch_up.poll(at_ms(1));
  REQUIRE(bench.transport.sent.size() == 3);  // one request per peer
  bench.catch_up.on_blocks(ReplicaId(3), Bench::blocks(129, 150));
  bench.catch_up.on_blocks(ReplicaId(2), Bench::blocks(65, 100));
  CHECK(bench.deliver(at_ms(2)).empty());
  bench.catch_up.poll(at_ms(2));
  // Peer 2 answered with less than a range, and is asked for what is missing of it.
  CHECK(bench.transport.sent.back() == Request{2, 101});
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 64));
  CHECK(bench.deliver(at_ms(3)).size() == 100);
  bench.catch_up.on_blocks(ReplicaId(2), Bench::blocks(101, 140));  // the last ones are here
  CHECK(bench.deliver(at_ms(4)).size() == 50);
  bench.catch_up.poll(at_ms(4));
  CHECK(bench.catch_up.take_finished() == 1);
  CHECK(bench.catch_up.memory_bytes() == 0);
}

TEST_CASE("the block that all wait for is asked for twice when its answer is slow") {
  Bench bench;
  bench.catch_up.start(Height(5), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.poll(at_ms(499));
  REQUIRE(bench.transport.sent == std::vector<Request>{{1, 1}});
  REQUIRE(bench.catch_up.next_deadline() == at_ms(500));
  bench.catch_up.poll(at_ms(500));
  REQUIRE(bench.transport.sent == std::vector<Request>{{1, 1}, {2, 1}});
  CHECK(bench.catch_up.next_deadline() == at_ms(2'000));  // and not a third time
  bench.catch_up.on_blocks(ReplicaId(2), Bench::blocks(1, 5));
  CHECK(bench.deliver(at_ms(510)).size() == 5);
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 5));
  bench.catch_up.poll(at_ms(510));
  CHECK(bench.catch_up.take_finished() == 1);
  CHECK(bench.catch_up.memory_bytes() == 0);
}

// Simulator seed 4, n 8: the deadline of a second request that nobody would send.
TEST_CASE("what is not wanted any more is not asked for twice") {
  Bench bench;
  bench.catch_up.start(Height(5), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.poll(at_ms(500));
  REQUIRE(bench.transport.sent == std::vector<Request>{{1, 1}, {2, 1}});
  bench.catch_up.on_blocks(ReplicaId(2), Bench::blocks(1, 5));
  while (bench.catch_up.next_delivery()) continue;  // executed later
  bench.catch_up.poll(at_ms(600));
  CHECK(bench.transport.sent.size() == 2);
  CHECK(bench.catch_up.next_deadline() == at_ms(2'000));
}

TEST_CASE("peers that never answer do not hold up the one that does") {
  Bench bench;
  bench.catch_up.start(Height(1'000), at_ms(0));
  std::size_t answered = 0;
  std::uint64_t delivered = 0;
  std::int64_t time = 0;
  for (; bench.catch_up.active() && time < 20'000; time += 10) {
    bench.catch_up.poll(at_ms(time));
    for (; answered < bench.transport.sent.size(); ++answered) {
      const Request request = bench.transport.sent[answered];
      if (request.peer != 3) continue;  // 1 and 2 are silent
      bench.catch_up.on_blocks(ReplicaId(3), Bench::blocks(request.from, request.from + 63));
    }
    for (const std::uint64_t height : bench.deliver(at_ms(time))) delivered = height;
  }
  CHECK(delivered >= 1'000);
  CHECK(time < 12'000);
}

TEST_CASE("blocks from far ahead give way to the one that is needed") {
  Bench bench;
  bench.catch_up.start(Height(150), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.on_blocks(ReplicaId(3), Bench::blocks(129, 140, 1U << 20U));
  CHECK(bench.catch_up.memory_bytes() == 8U << 20U);
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 3, 1U << 20U));
  CHECK(bench.catch_up.memory_bytes() == 8U << 20U);
  CHECK(bench.deliver(at_ms(1)) == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("after a round that stalled another peer comes first") {
  Bench bench;
  bench.catch_up.start(Height(5), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  REQUIRE(bench.transport.sent.back() == Request{1, 1});
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 5));
  while (bench.catch_up.next_delivery()) continue;  // and the engine makes nothing of it
  bench.catch_up.poll(at_ms(10'000));
  REQUIRE(bench.catch_up.take_finished() == 1);
  bench.catch_up.start(Height(5), at_ms(10'000));
  bench.catch_up.poll(at_ms(10'000));
  CHECK(bench.transport.sent.back() == Request{2, 1});
}

TEST_CASE("delivery waits for execution") {
  Bench bench;
  bench.catch_up.start(Height(200), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 200));
  std::uint64_t delivered = 0;
  while (bench.catch_up.next_delivery()) ++delivered;
  CHECK(delivered == 64);
  bench.catch_up.executed(Height(10), at_ms(1));
  while (bench.catch_up.next_delivery()) ++delivered;
  CHECK(delivered == 74);
}

TEST_CASE("what is fetched and what is delivered are bounded in bytes") {
  Bench bench;
  bench.catch_up.start(Height(100), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 100, 1U << 20U));
  CHECK(bench.catch_up.memory_bytes() == 8U << 20U);
  std::uint64_t delivered = 0;
  while (bench.catch_up.next_delivery()) ++delivered;
  CHECK(delivered == 8);
}

TEST_CASE("a round that leads nowhere ends") {
  Bench bench;
  bench.catch_up.start(Height(5), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 5));
  while (bench.catch_up.next_delivery()) continue;  // and the engine makes nothing of it
  bench.catch_up.poll(at_ms(9'999));
  CHECK(bench.catch_up.active());
  bench.catch_up.poll(at_ms(10'000));
  CHECK(bench.catch_up.take_finished() == 1);
  // The next round starts from the head again.
  bench.catch_up.start(Height(5), at_ms(10'000));
  bench.catch_up.poll(at_ms(10'000));
  CHECK(bench.transport.sent.back().from == 1);
}

TEST_CASE("a request during a round extends it and both are answered") {
  Bench bench;
  bench.catch_up.start(Height(2), at_ms(0));
  bench.catch_up.start(Height(4), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 4));
  bench.deliver(at_ms(1));
  bench.catch_up.poll(at_ms(1));
  CHECK(bench.catch_up.take_finished() == 2);
}

TEST_CASE("without a peer a round ends at once") {
  Requests transport;
  CatchUp catch_up(ReplicaId(0), 4, transport);
  catch_up.start(Height(2), at_ms(0));
  catch_up.poll(at_ms(0));
  CHECK(catch_up.take_finished() == 1);
}

TEST_CASE("answers outside a round are ignored") {
  Bench bench;
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(1, 4));
  CHECK(bench.catch_up.memory_bytes() == 0);
}

TEST_CASE("after the ledger went back everything above it is fetched anew") {
  Bench bench;
  bench.catch_up.executed(Height(10), at_ms(0));
  bench.catch_up.start(Height(100), at_ms(0));
  bench.catch_up.poll(at_ms(0));
  REQUIRE(bench.transport.sent.front() == Request{1, 11});
  bench.catch_up.on_blocks(ReplicaId(1), Bench::blocks(11, 30));
  REQUIRE(bench.catch_up.next_delivery()->block.height == Height(11));
  CHECK(bench.catch_up.memory_bytes() > 0);
  bench.catch_up.rewound(Height(7), at_ms(1));
  CHECK(bench.catch_up.memory_bytes() == 0);
  CHECK_FALSE(bench.catch_up.next_delivery());
  bench.transport.sent.clear();
  bench.catch_up.poll(at_ms(1));
  REQUIRE_FALSE(bench.transport.sent.empty());
  const Request next = bench.transport.sent.front();
  CHECK(next.from == 8);
  bench.catch_up.on_blocks(ReplicaId(next.peer), Bench::blocks(8, 12));
  CHECK(bench.deliver(at_ms(2)) == std::vector<std::uint64_t>{8, 9, 10, 11, 12});
}

}  // namespace catch_up_test
