// The signatures in a consensus message, read from its bytes and from what they sign with code of
// the simulator's own: the invariants must not believe the decoder that they judge.
// Plain functions.
#pragma once

#include <vector>

#include "tests/sim/letter.hpp"

namespace quorate::sim {

struct WireSignature {
  MessageKind kind = MessageKind::other;  // what was signed: pre_prepare .. new_view
  View view;                              // zero for SEAL and CHECKPOINT
  Height height;                          // zero for SUSPECT, VIEW-CHANGE and NEW-VIEW
  ReplicaId signer;
  Digest digest;  // of all that is signed: two contents of one slot have different ones
  Digest id;      // of PRE-PREPARE, PREPARE and COMMIT
};

// The outermost signature first (none for STATUS, FETCH and DATA), then those inside. Empty for
// what cannot be read.
std::vector<WireSignature> signatures_in(const World& world, ByteView message);

}  // namespace quorate::sim
