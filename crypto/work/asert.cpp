#include "crypto/work/asert.hpp"

#include <algorithm>

#include "crypto/base/assert.hpp"

namespace quorate::crypto::work {
namespace {

constexpr int kUnitBits = 16;  // 65536 units are a half-life

// 65536 * 2^(rest / 65536) for rest < 65536. The sum reaches 18446563080438344768, which fits an
// unsigned 64-bit number and no signed one.
std::uint64_t power_of_two(std::uint64_t rest) {
  return 65536 + ((195766423245049U * rest + 971821376U * rest * rest + 5127U * rest * rest * rest +
                   (1ULL << 47U)) >>
                  48U);
}

}  // namespace

std::int64_t asert_exponent(std::int64_t drift_ms, std::uint64_t half_life_s) {
  QUORATE_ASSERT(half_life_s >= 1 && half_life_s <= 1ULL << 32U);
  constexpr std::int64_t kDriftMax = std::int64_t{1} << 46;
  const std::int64_t drift = std::clamp(drift_ms, -kDriftMax, kDriftMax);
  return drift * 65536 / (static_cast<std::int64_t>(half_life_s) * 1000);
}

Uint256 asert_target(const Uint256& anchor_target, std::int64_t exponent, const Uint256& limit) {
  QUORATE_ASSERT(!anchor_target.is_zero() && !limit.is_zero());
  // An arithmetic shift: the rest is never negative.
  const std::int64_t whole = exponent >> kUnitBits;
  const std::uint64_t factor = power_of_two(static_cast<std::uint64_t>(exponent & 0xffff));
  // Beyond these the answer is known, and the shift would not be.
  if (whole >= 256) return limit;
  if (whole < -272) return Uint256::of(1);
  const Uint256 target = scaled(anchor_target, factor, static_cast<int>(whole) - kUnitBits);
  return std::clamp(target, Uint256::of(1), limit);
}

}  // namespace quorate::crypto::work
