// The unit of the wire between nodes, inside TLS:
//   u32 length of the body, little-endian | type u8 | body
// The cap of a type is checked as soon as the five header bytes are there, before anything is
// allocated. Until the peer's hello is accepted only hello and refusal pass, and they are small.
// FrameParser is not thread-safe; one session owns one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "crypto/base/bytes.hpp"
#include "node/ports.hpp"

namespace quorate::node {

enum class FrameType : std::uint8_t {
  consensus = 1,  // the first three are the traffic classes of ports.hpp
  sync = 2,
  transactions = 3,
  hello = 16,
  refusal = 17,
  ping = 18,
  welcome = 19,  // the hello was accepted; traffic may follow
};
const char* to_string(FrameType type);
FrameType frame_type(TrafficClass traffic);
// Nothing for the types that are not traffic.
std::optional<TrafficClass> traffic_class(FrameType type);

// The longest body of each traffic class, in bytes.
struct FrameLimits {
  std::size_t consensus_max = 0;
  std::size_t sync_max = 0;
  std::size_t transactions_max = 0;
};

// `consensus_bytes_max` is what the engine's longest message takes: a NEW-VIEW that carries a
// quorum of VIEW-CHANGEs, in a large network.
FrameLimits frame_limits_for(std::uint32_t payload_bytes_max, std::size_t consensus_bytes_max = 0);

inline constexpr std::size_t kFrameHeaderSize = 5;
inline constexpr std::size_t kHelloBytesMax = 512;
inline constexpr std::size_t kRefusalBytesMax = 1024;

struct Frame {
  FrameType type = FrameType::ping;
  Bytes body;
};

std::array<std::uint8_t, kFrameHeaderSize> frame_header(FrameType type, std::size_t body_size);
void append_frame(Bytes& out, FrameType type, ByteView body);

class FrameParser {
 public:
  explicit FrameParser(FrameLimits limits) : limits_(limits) {}

  // The peer's hello was accepted: from now on everything but hello passes.
  void set_established() { established_ = true; }
  // Takes bytes from the front of `input` and returns the next whole frame; nothing once `input` is
  // used up. Errors: limit_exceeded for a body above its cap, bad_encoding for an unknown or
  // untimely type. After an error the stream is lost: close it.
  Result<std::optional<Frame>> next(ByteView& input);

 private:
  Result<void> begin_body();
  std::size_t cap(FrameType type) const;

  FrameLimits limits_;
  bool established_ = false;
  std::array<std::uint8_t, kFrameHeaderSize> header_{};
  std::size_t header_filled_ = 0;
  std::size_t body_size_ = 0;
  Frame frame_;
};

}  // namespace quorate::node
