#include "crypto/work/uint256.hpp"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

#include "crypto/base/assert.hpp"

namespace quorate::crypto::work {
namespace {

using Wide = boost::multiprecision::cpp_int;

// Beyond it every product with a 64-bit factor saturates or vanishes, whatever the operands.
constexpr int kShiftMax = 512;

Wide widen(const Uint256& value) {
  Wide out = 0;
  for (std::size_t i = 4; i-- > 0;) out = (out << 64) | value.words[i];
  return out;
}

Uint256 narrow(Wide value) {
  if ((value >> 256) != 0) return Uint256::max();
  const Wide mask = ~0ULL;
  Uint256 out;
  for (std::uint64_t& word : out.words) {
    word = static_cast<std::uint64_t>(value & mask);
    value >>= 64;
  }
  return out;
}

}  // namespace

Uint256 from_little_endian(const Digest& bytes) {
  Uint256 out;
  for (std::size_t i = 0; i < Digest::kSize; ++i) {
    out.words[i / 8] |= static_cast<std::uint64_t>(bytes.bytes[i]) << (8U * (i % 8));
  }
  return out;
}

Digest to_little_endian(const Uint256& value) {
  Digest out;
  for (std::size_t i = 0; i < Digest::kSize; ++i) {
    out.bytes[i] = static_cast<std::uint8_t>(value.words[i / 8] >> (8U * (i % 8)));
  }
  return out;
}

std::string hex_of(const Uint256& value) {
  Digest bytes = to_little_endian(value);
  std::reverse(bytes.bytes.begin(), bytes.bytes.end());
  return quorate::to_hex(bytes);
}

unsigned bit_length(const Uint256& value) {
  for (std::size_t i = 4; i-- > 0;) {
    if (value.words[i] == 0) continue;
    unsigned bits = 0;
    for (std::uint64_t rest = value.words[i]; rest != 0; rest >>= 1U) ++bits;
    return static_cast<unsigned>(64 * i) + bits;
  }
  return 0;
}

std::uint64_t saturating_u64(const Uint256& value) {
  return bit_length(value) > 64 ? ~0ULL : value.words[0];
}

Uint256 saturating_add(const Uint256& a, const Uint256& b) { return narrow(widen(a) + widen(b)); }

Uint256 saturating_subtract(const Uint256& a, const Uint256& b) {
  return a <= b ? Uint256{} : narrow(widen(a) - widen(b));
}

Uint256 scaled(const Uint256& value, std::uint64_t factor, int shift) {
  const int bounded = std::clamp(shift, -kShiftMax, kShiftMax);
  const Wide product = widen(value) * factor;
  return narrow(bounded >= 0 ? Wide(product << bounded) : Wide(product >> -bounded));
}

Uint256 inverse(const Uint256& divisor) {
  QUORATE_ASSERT(!divisor.is_zero());
  return narrow((Wide(1) << 256) / widen(divisor));
}

}  // namespace quorate::crypto::work
