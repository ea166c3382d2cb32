#include "node/net/frame.hpp"

#include <catch2/catch.hpp>

namespace quorate::node {
namespace {

const FrameLimits kLimits{.consensus_max = 1000, .sync_max = 4000, .transactions_max = 2000};

std::vector<Frame> parse_in_pieces(FrameParser& parser, const Bytes& stream, std::size_t piece) {
  std::vector<Frame> out;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    ByteView input(stream.data() + at, std::min(piece, stream.size() - at));
    while (true) {
      auto frame = parser.next(input);
      REQUIRE(frame.has_value());
      if (!*frame) break;
      out.push_back(std::move(**frame));
    }
    REQUIRE(input.empty());
  }
  return out;
}

TEST_CASE("Frames come out whole however the stream is cut") {
  Bytes stream;
  append_frame(stream, FrameType::consensus, Bytes(900, 1));
  append_frame(stream, FrameType::ping, {});
  append_frame(stream, FrameType::sync, Bytes(4000, 2));
  append_frame(stream, FrameType::transactions, Bytes{7});
  for (const std::size_t piece : {1U, 2U, 5U, 6U, 1000U, 100000U}) {
    FrameParser parser(kLimits);
    parser.set_established();
    const auto frames = parse_in_pieces(parser, stream, piece);
    REQUIRE(frames.size() == 4);
    CHECK(frames[0].type == FrameType::consensus);
    CHECK(frames[0].body == Bytes(900, 1));
    CHECK(frames[1].type == FrameType::ping);
    CHECK(frames[1].body.empty());
    CHECK(frames[2].body == Bytes(4000, 2));
    CHECK(frames[3].body == Bytes{7});
  }
}

TEST_CASE("A frame above the cap of its class is refused on its header alone") {
  FrameParser parser(kLimits);
  parser.set_established();
  const auto header = frame_header(FrameType::consensus, 1001);
  ByteView input(header);
  const auto frame = parser.next(input);
  REQUIRE(!frame.has_value());
  CHECK(frame.error().code == Errc::limit_exceeded);
  CHECK(frame.error().detail == "oversized consensus frame: 1001 bytes, the limit is 1000");

  FrameParser other(kLimits);
  other.set_established();
  const auto huge = frame_header(FrameType::sync, 0xffffffff);
  input = huge;
  CHECK(other.next(input).error().code == Errc::limit_exceeded);
}

TEST_CASE("Before the handshake only a small hello or a refusal passes") {
  for (const FrameType type :
       {FrameType::consensus, FrameType::sync, FrameType::transactions, FrameType::ping}) {
    FrameParser parser(kLimits);
    const auto header = frame_header(type, 0);
    ByteView input(header);
    CHECK(parser.next(input).error().code == Errc::bad_encoding);
  }
  FrameParser parser(kLimits);
  const auto header = frame_header(FrameType::hello, kHelloBytesMax + 1);
  ByteView input(header);
  CHECK(parser.next(input).error().code == Errc::limit_exceeded);
}

TEST_CASE("A second hello and an unknown type are refused") {
  FrameParser parser(kLimits);
  parser.set_established();
  const auto header = frame_header(FrameType::hello, 1);
  ByteView input(header);
  CHECK(parser.next(input).error().code == Errc::bad_encoding);

  FrameParser other(kLimits);
  other.set_established();
  auto unknown = frame_header(FrameType::ping, 0);
  unknown[4] = 99;
  input = unknown;
  CHECK(other.next(input).error().detail == "unknown frame type 99");
}

}  // namespace
}  // namespace quorate::node
