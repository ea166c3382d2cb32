#include "node/net/send_queue.hpp"

#include <catch2/catch.hpp>

#include "node/net/frame.hpp"

namespace quorate::node {
namespace {

const SendQueue::Clock::time_point kNow{std::chrono::hours(1)};
const SendQueueLimits kSmall{.bytes_max = {1000, 1000, 1000}};

SendQueue::Body body(std::size_t size, std::uint8_t fill) {
  return std::make_shared<const Bytes>(size, fill);
}

std::vector<Frame> drain(SendQueue& queue, std::size_t step = 64 * 1024) {
  std::vector<Frame> out;
  FrameParser parser(frame_limits_for(1U << 20U));
  parser.set_established();
  while (!queue.empty()) {
    Bytes chunk;
    REQUIRE(queue.pop(chunk, step) > 0);
    ByteView input(chunk);
    while (true) {
      auto frame = parser.next(input);
      REQUIRE(frame.has_value());
      if (!*frame) break;
      out.push_back(std::move(**frame));
    }
  }
  return out;
}

TEST_CASE("A full consensus queue drops its oldest frames") {
  SendQueue queue(kSmall);
  std::size_t dropped = 0;
  for (std::uint8_t i = 0; i < 10; ++i) {
    dropped += queue.push(TrafficClass::consensus, body(300, i), kNow);
  }
  CHECK(dropped == 7);
  const auto frames = drain(queue);
  REQUIRE(frames.size() == 3);
  CHECK(frames[0].body[0] == 7);
  CHECK(frames[2].body[0] == 9);
}

TEST_CASE("Full sync and transaction queues drop the new frame") {
  for (const TrafficClass traffic : {TrafficClass::sync, TrafficClass::transactions}) {
    SendQueue queue(kSmall);
    std::size_t dropped = 0;
    for (std::uint8_t i = 0; i < 10; ++i) dropped += queue.push(traffic, body(300, i), kNow);
    CHECK(dropped == 7);
    const auto frames = drain(queue);
    REQUIRE(frames.size() == 3);
    CHECK(frames[0].body[0] == 0);
    CHECK(frames[2].body[0] == 2);
  }
}

TEST_CASE("A frame larger than its bound still passes an empty queue") {
  SendQueue queue(kSmall);
  CHECK(queue.push(TrafficClass::sync, body(5000, 1), kNow) == 0);
  CHECK(queue.push(TrafficClass::sync, body(1, 1), kNow) == 1);
  CHECK(queue.bytes(TrafficClass::sync) == 5000);
}

TEST_CASE("Consensus goes first, and bulk traffic is never starved by it") {
  SendQueue queue;
  for (int i = 0; i < 100; ++i) {
    queue.push(TrafficClass::transactions, body(16 * 1024, 3), kNow);
    queue.push(TrafficClass::sync, body(16 * 1024, 2), kNow);
  }
  for (int i = 0; i < 1000; ++i) queue.push(TrafficClass::consensus, body(16 * 1024, 1), kNow);
  const auto frames = drain(queue);
  REQUIRE(frames.size() == 1200);
  CHECK(frames.front().type == FrameType::consensus);
  // Of the first megabyte and a half, each bulk class has its share and consensus the most.
  std::size_t consensus = 0;
  std::size_t sync = 0;
  std::size_t transactions = 0;
  for (std::size_t i = 0; i < 96; ++i) {
    consensus += frames[i].type == FrameType::consensus;
    sync += frames[i].type == FrameType::sync;
    transactions += frames[i].type == FrameType::transactions;
  }
  CHECK(consensus >= 60);
  CHECK(sync >= 12);
  CHECK(transactions >= 12);
}

TEST_CASE("A vote that arrives while bulk waits leaves with the next write") {
  SendQueue queue;
  for (int i = 0; i < 64; ++i) queue.push(TrafficClass::sync, body(64 * 1024, 2), kNow);
  Bytes first;
  queue.pop(first, 64 * 1024);
  queue.push(TrafficClass::consensus, body(100, 1), kNow);
  Bytes second;
  queue.pop(second, 64 * 1024);
  REQUIRE(second.size() > kFrameHeaderSize);
  CHECK(second[4] == static_cast<std::uint8_t>(FrameType::consensus));
}

TEST_CASE("Consensus frames that waited too long are dropped, what is asked for again is not") {
  SendQueue queue;
  for (std::uint8_t i = 0; i < 4; ++i) {
    queue.push(TrafficClass::consensus, body(100, i), kNow + std::chrono::seconds(2 * i));
    queue.push(TrafficClass::sync, body(100, i), kNow + std::chrono::seconds(2 * i));
  }
  CHECK(queue.expire(kNow + kConsensusWaitMax) == 0);
  CHECK(queue.expire(kNow + kConsensusWaitMax + std::chrono::seconds(3)) == 2);
  CHECK(queue.bytes(TrafficClass::consensus) == 200);
  CHECK(queue.bytes(TrafficClass::sync) == 400);
  const auto frames = drain(queue);
  REQUIRE(frames.size() == 6);
  CHECK(frames.front().body[0] == 2);
  CHECK(queue.expire(kNow + std::chrono::hours(1)) == 0);
}

}  // namespace
}  // namespace quorate::node
