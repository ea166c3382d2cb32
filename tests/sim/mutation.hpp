// Changes one field of a message. Which one and to what is drawn; the signature is made anew where
// the villain has the key, or left as it is, so that both the verifier and the engine are tried.
#pragma once

#include <optional>

#include "consensus/pbft/messages.hpp"
#include "tests/sim/villain.hpp"

namespace quorate::sim {

// The changed message's bytes. Never equal to the original's.
Bytes mutated(Villain& villain, const consensus::pbft::Message& message);

}  // namespace quorate::sim
