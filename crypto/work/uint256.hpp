// A 256-bit unsigned number: targets, ids read as numbers, sums of work. A plain value; its
// arithmetic saturates instead of wrapping, because its operands come from strangers. Any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "crypto/base/bytes.hpp"

namespace quorate::crypto::work {

struct Uint256 {
  std::array<std::uint64_t, 4> words{};  // the least significant first

  static constexpr Uint256 of(std::uint64_t value) { return {{value, 0, 0, 0}}; }
  static constexpr Uint256 max() { return {{~0ULL, ~0ULL, ~0ULL, ~0ULL}}; }

  constexpr bool is_zero() const { return *this == Uint256{}; }
  constexpr bool operator==(const Uint256&) const = default;
  friend constexpr std::strong_ordering operator<=>(const Uint256& a, const Uint256& b) {
    for (std::size_t i = 4; i-- > 0;) {
      if (a.words[i] != b.words[i]) return a.words[i] <=> b.words[i];
    }
    return std::strong_ordering::equal;
  }
};

// The 32 bytes as a number, the first byte the least significant.
Uint256 from_little_endian(const Digest& bytes);
Digest to_little_endian(const Uint256& value);
// 64 digits, the most significant first, without a prefix.
std::string hex_of(const Uint256& value);

unsigned bit_length(const Uint256& value);  // 0 for zero
std::uint64_t saturating_u64(const Uint256& value);
Uint256 saturating_add(const Uint256& a, const Uint256& b);
// Never below zero.
Uint256 saturating_subtract(const Uint256& a, const Uint256& b);
// floor(value * factor * 2^shift), at most max(). `shift` may be negative.
Uint256 scaled(const Uint256& value, std::uint64_t factor, int shift);
// floor(2^256 / divisor), at most max(). The divisor must be above zero.
Uint256 inverse(const Uint256& divisor);

}  // namespace quorate::crypto::work
