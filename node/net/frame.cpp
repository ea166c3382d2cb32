#include "node/net/frame.hpp"

#include <algorithm>

namespace quorate::node {

namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20U;

std::optional<FrameType> frame_type_from(std::uint8_t value) {
  switch (static_cast<FrameType>(value)) {
    case FrameType::consensus:
    case FrameType::sync:
    case FrameType::transactions:
    case FrameType::hello:
    case FrameType::refusal:
    case FrameType::ping:
    case FrameType::welcome: return static_cast<FrameType>(value);
  }
  return std::nullopt;
}

}  // namespace

const char* to_string(FrameType type) {
  switch (type) {
    case FrameType::consensus: return "consensus";
    case FrameType::sync: return "sync";
    case FrameType::transactions: return "transactions";
    case FrameType::hello: return "hello";
    case FrameType::refusal: return "refusal";
    case FrameType::ping: return "ping";
    case FrameType::welcome: return "welcome";
  }
  return "unknown";
}

FrameType frame_type(TrafficClass traffic) { return static_cast<FrameType>(traffic); }

std::optional<TrafficClass> traffic_class(FrameType type) {
  switch (type) {
    case FrameType::consensus: return TrafficClass::consensus;
    case FrameType::sync: return TrafficClass::sync;
    case FrameType::transactions: return TrafficClass::transactions;
    case FrameType::hello:
    case FrameType::refusal:
    case FrameType::ping:
    case FrameType::welcome: break;
  }
  return std::nullopt;
}

FrameLimits frame_limits_for(std::uint32_t payload_bytes_max, std::size_t consensus_bytes_max) {
  return {.consensus_max = std::max(payload_bytes_max + 4 * kMebibyte, consensus_bytes_max),
          .sync_max = payload_bytes_max + 16 * kMebibyte,
          .transactions_max = payload_bytes_max + kMebibyte};
}

std::array<std::uint8_t, kFrameHeaderSize> frame_header(FrameType type, std::size_t body_size) {
  std::array<std::uint8_t, kFrameHeaderSize> out{};
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(body_size >> (8U * i));
  out[4] = static_cast<std::uint8_t>(type);
  return out;
}

void append_frame(Bytes& out, FrameType type, ByteView body) {
  const auto header = frame_header(type, body.size());
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), body.begin(), body.end());
}

std::size_t FrameParser::cap(FrameType type) const {
  switch (type) {
    case FrameType::consensus: return limits_.consensus_max;
    case FrameType::sync: return limits_.sync_max;
    case FrameType::transactions: return limits_.transactions_max;
    case FrameType::hello: return kHelloBytesMax;
    case FrameType::refusal: return kRefusalBytesMax;
    case FrameType::ping:
    case FrameType::welcome: return 0;
  }
  return 0;
}

Result<void> FrameParser::begin_body() {
  const auto type = frame_type_from(header_[4]);
  if (!type) {
    return fail(Errc::bad_encoding, "unknown frame type " + std::to_string(header_[4]));
  }
  const bool timely = established_ ? *type != FrameType::hello
                                   : *type == FrameType::hello || *type == FrameType::refusal;
  if (!timely) {
    return fail(Errc::bad_encoding, std::string("a ") + to_string(*type) + " frame " +
                                        (established_ ? "after" : "before") + " the handshake");
  }
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size |= std::size_t{header_[i]} << (8U * i);
  if (size > cap(*type)) {
    return fail(Errc::limit_exceeded, std::string("oversized ") + to_string(*type) +
                                          " frame: " + std::to_string(size) +
                                          " bytes, the limit is " + std::to_string(cap(*type)));
  }
  frame_.type = *type;
  body_size_ = size;
  frame_.body.clear();
  frame_.body.reserve(size);
  return {};
}

Result<std::optional<Frame>> FrameParser::next(ByteView& input) {
  if (header_filled_ < kFrameHeaderSize) {
    const std::size_t take = std::min(kFrameHeaderSize - header_filled_, input.size());
    std::copy_n(input.begin(), take, header_.begin() + static_cast<std::ptrdiff_t>(header_filled_));
    header_filled_ += take;
    input = input.subspan(take);
    if (header_filled_ < kFrameHeaderSize) return std::nullopt;
    QUORATE_CHECK(begin_body());
  }
  const std::size_t take = std::min(body_size_ - frame_.body.size(), input.size());
  frame_.body.insert(frame_.body.end(), input.begin(),
                     input.begin() + static_cast<std::ptrdiff_t>(take));
  input = input.subspan(take);
  if (frame_.body.size() < body_size_) return std::nullopt;
  header_filled_ = 0;
  return std::optional<Frame>(std::move(frame_));
}

}  // namespace quorate::node
