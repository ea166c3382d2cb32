// A frame as the network sees it, with the few fields that rules choose by, read from fixed places
// in the bytes by a reader of the simulator's own.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "node/ports.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

enum class MessageKind : std::uint8_t {
  other = 0,  // not a message at all
  pre_prepare = 1,
  prepare = 2,
  commit = 3,
  seal = 4,
  checkpoint = 5,
  suspect = 6,
  view_change = 7,
  new_view = 8,
  status = 9,
  fetch = 10,
  data = 11,
  commit_certificate = 12,
  checkpoint_proof = 13,
  transactions,    // relayed
  blocks_request,  // of catch-up
  blocks_response,
};
inline constexpr std::size_t kMessageKinds = 17;
const char* to_string(MessageKind kind);

// What stands at the front of a frame; zero where a kind has no such field.
struct Peek {
  MessageKind kind = MessageKind::other;
  View view;
  Height height;
  Digest id;  // of PRE-PREPARE, PREPARE and COMMIT
};
Peek peek(node::TrafficClass traffic, ByteView body);

struct Frame {
  ReplicaId from;  // whose key the connection proved
  Machine source;
  node::TrafficClass traffic;
  std::shared_ptr<const Bytes> body;
  bool tampered = false;  // a rule changed it on its way
};

// A frame on one link.
struct Letter {
  Machine from, to;
  const Frame& frame;
  Peek peek;
};

// What becomes of a letter.
struct Fate {
  bool lost = false;
  Duration delay{0};               // on top of the link's own
  std::optional<Bytes> instead{};  // other bytes arrive
};

// Nothing = this rule does not concern the letter.
using Rule = std::function<std::optional<Fate>(const Letter&)>;

}  // namespace quorate::sim
