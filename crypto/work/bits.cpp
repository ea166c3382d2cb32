#include "crypto/work/bits.hpp"

#include "crypto/base/assert.hpp"

namespace quorate::crypto::work {
namespace {

constexpr std::uint32_t kSignBit = 0x00800000;
constexpr std::uint32_t kMantissaMask = 0x007fffff;

tl::unexpected<Error> refuse(std::uint32_t bits, const std::string& why) {
  return fail(Errc::bad_encoding, "bits " + bits_text(bits) + " " + why);
}

}  // namespace

Result<Uint256> target_of_bits(std::uint32_t bits) {
  const std::uint32_t exponent = bits >> 24U;
  const std::uint32_t mantissa = bits & kMantissaMask;
  if ((bits & kSignBit) != 0) return refuse(bits, "have the sign bit set");
  const Uint256 value = Uint256::of(mantissa);
  const int shift = 8 * (static_cast<int>(exponent) - 3);
  if (static_cast<int>(bit_length(value)) + shift > 256) {
    return refuse(bits, "stand for a target above 2^256");
  }
  const Uint256 target = scaled(value, 1, shift);
  if (target.is_zero()) return refuse(bits, "stand for the target zero");
  if (const std::uint32_t canonical = bits_of_target(target); canonical != bits) {
    return refuse(bits, "are not the canonical form " + bits_text(canonical));
  }
  return target;
}

std::uint32_t bits_of_target(const Uint256& target) {
  QUORATE_ASSERT(!target.is_zero());
  std::uint32_t exponent = (bit_length(target) + 7) / 8;
  const int shift = 8 * (3 - static_cast<int>(exponent));
  auto mantissa = static_cast<std::uint32_t>(scaled(target, 1, shift).words[0]);
  if ((mantissa & kSignBit) != 0) {
    mantissa >>= 8U;
    ++exponent;
  }
  return exponent << 24U | mantissa;
}

Uint256 work_of_target(const Uint256& target) {
  if (target == Uint256::max()) return Uint256::of(1);
  return inverse(saturating_add(target, Uint256::of(1)));
}

Uint256 work_of_bits(std::uint32_t bits) {
  const auto target = target_of_bits(bits);
  return target ? work_of_target(*target) : Uint256{};
}

std::uint64_t expected_hashes(std::uint32_t bits) { return saturating_u64(work_of_bits(bits)); }

std::uint32_t bits_for(std::uint64_t hashes) {
  QUORATE_ASSERT(hashes > 0);
  return bits_of_target(saturating_subtract(inverse(Uint256::of(hashes)), Uint256::of(1)));
}

std::string bits_text(std::uint32_t bits) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "0x";
  for (unsigned shift = 32; shift > 0; shift -= 4) out += kDigits[(bits >> (shift - 4)) & 0xfU];
  return out;
}

}  // namespace quorate::crypto::work
