// Monotonic time as the protocol sees it: nanoseconds since an origin that only the host knows.
// No clock is read here; the host or the simulator makes every Instant.
#pragma once

#include <chrono>
#include <compare>

namespace quorate {

using Duration = std::chrono::nanoseconds;

struct Instant {
  Duration since_origin{0};

  auto operator<=>(const Instant&) const = default;
  friend constexpr Instant operator+(Instant at, Duration delta) {
    return Instant{at.since_origin + delta};
  }
  friend constexpr Duration operator-(Instant a, Instant b) {
    return a.since_origin - b.since_origin;
  }
};

}  // namespace quorate
