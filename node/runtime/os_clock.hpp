// The clocks of the operating system in the units of the protocol. The only place of the node that
// reads them for the replica. Any thread.
#pragma once

#include <chrono>

#include "crypto/base/instant.hpp"
#include "crypto/base/strong_int.hpp"

namespace quorate::node {

inline Instant monotonic_now() {
  return Instant{
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

inline std::chrono::steady_clock::time_point to_time_point(Instant instant) {
  return std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(instant.since_origin));
}

inline WallMs wall_now() {
  return WallMs(static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                               std::chrono::system_clock::now().time_since_epoch())
                                               .count()));
}

}  // namespace quorate::node
