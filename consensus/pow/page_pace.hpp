// How fast the headers of branches that the tree does not hold are read from a peer (deep_forks,
// long_branches).
#pragma once

#include <cstdint>
#include <optional>

#include "crypto/base/instant.hpp"

namespace quorate::consensus::pow {

inline constexpr Duration kPageTime = std::chrono::seconds(2);
// Between two pages: a long branch passes at 12,800 headers a second.
inline constexpr Duration kPagePause = std::chrono::milliseconds(20);
// How often a branch whose end is known is looked at again.
inline constexpr Duration kFollowEvery = std::chrono::seconds(10);
// A peer that led nowhere.
inline constexpr Duration kLeftAlone = std::chrono::minutes(1);

// When one peer is asked for its next page.
struct PageTurn {
  std::optional<Instant> until;  // so long its answer is waited for
  Instant next;
  std::uint32_t unanswered = 0;  // questions, one after the other

  void wait(Instant now) { until = now + kPageTime; }
  void rest(Instant now, Duration time) {
    until.reset();
    next = now + time;
  }
  void answered() {
    until.reset();
    unanswered = 0;
  }
  bool is_late(Instant now) const { return until && now >= *until; }
  bool may_ask(Instant now) const { return !until && now >= next; }
  Instant deadline() const { return until.value_or(next); }
};

}  // namespace quorate::consensus::pow
