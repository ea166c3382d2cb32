// How fast the headers of branches that the tree does not hold are read from a peer (deep_forks,
// long_branches).
#pragma once

#include "crypto/base/instant.hpp"

namespace quorate::consensus::pow {

inline constexpr Duration kPageTime = std::chrono::seconds(2);
// Between two pages: a long branch passes at 12,800 headers a second.
inline constexpr Duration kPagePause = std::chrono::milliseconds(20);
// How often a branch whose end is known is looked at again.
inline constexpr Duration kFollowEvery = std::chrono::seconds(10);
// A peer that led nowhere.
inline constexpr Duration kLeftAlone = std::chrono::minutes(1);

}  // namespace quorate::consensus::pow
