// The difficulty schedule ASERT (aserti3-2d): the target doubles for every half-life that a chain
// is behind its schedule and halves for every one that it is ahead, so errors never add up.
// Integers only: every replica and every wallet computes the same. Pure; any thread.
#pragma once

#include <cstdint>

#include "crypto/work/uint256.hpp"

namespace quorate::crypto::work {

// How far a chain is behind its schedule (negative: ahead of it), in half-lives of 65536 units,
// truncated toward zero: drift * 65536 / half_life. A drift beyond 2^46 ms counts as that much.
// `half_life_s` is 1 .. 2^32.
std::int64_t asert_exponent(std::int64_t drift_ms, std::uint64_t half_life_s);

// clamp(anchor_target * 2^(exponent / 65536), 1, limit), with the fraction of the power by a cubic
// polynomial that is off by less than 0.013 %. `anchor_target` and `limit` are above zero.
Uint256 asert_target(const Uint256& anchor_target, std::int64_t exponent, const Uint256& limit);

}  // namespace quorate::crypto::work
