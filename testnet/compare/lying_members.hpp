// Members of PBFT that lie together, in the simulator: as many as the protocol tolerates, and one
// more. They tell two halves of the others, which do not hear each other meanwhile, different
// things. Whether the chain forks, and whom the signatures name. Deterministic; any thread.
#pragma once

#include <cstdint>

#include "crypto/base/result.hpp"

namespace quorate::testnet::comparison {

struct LyingMembers {
  bool forked = false;        // two honest members executed different blocks at one height
  std::uint64_t blocks = 0;   // that an honest member executed meanwhile
  std::uint32_t named = 0;    // liars whose own signatures contradict each other
  std::uint32_t wronged = 0;  // honest members of whom that could be said: never any
  // Afterwards everybody hears everybody, and payments are executed by all honest members. Asked
  // only of as many liars as the protocol tolerates.
  bool goes_on = false;
};

// Error corrupt: an invariant of the simulator was broken that should hold, which is a bug.
Result<LyingMembers> try_liars(std::uint32_t nodes, std::uint32_t liars, std::uint64_t seed);

}  // namespace quorate::testnet::comparison
