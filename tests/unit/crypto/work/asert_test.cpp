// The retarget against numbers from an independent implementation with unbounded integers, with the
// half-life and interval it was published with and with ours.
#include "crypto/work/asert.hpp"

#include <catch2/catch.hpp>

#include "crypto/work/bits.hpp"

namespace quorate::crypto::work {

namespace {

// 600 s blocks, two days of half-life, as where the algorithm comes from.
std::uint32_t two_days(std::uint32_t anchor_bits, std::int64_t seconds, std::int64_t heights) {
  const std::int64_t drift_ms = (seconds - 600 * (heights + 1)) * 1000;
  return bits_of_target(asert_target(*target_of_bits(anchor_bits), asert_exponent(drift_ms, 172800),
                                     *target_of_bits(0x1d00ffff)));
}

const Uint256 kAnchor = *target_of_bits(0x1e0fffff);
const Uint256 kLimit = *target_of_bits(0x1f00ffff);

std::string hex(const Uint256& value) {
  std::string out = hex_of(value);
  out.erase(0, std::min(out.find_first_not_of('0'), out.size() - 1));
  return out;
}

}  // namespace

TEST_CASE("retargets of 600 second blocks with a half-life of two days") {
  REQUIRE(two_days(0x1d00ffff, 1200, 1) == 0x1d00ffff);
  REQUIRE(two_days(0x1a2b3c4d, 600, 0) == 0x1a2b3c4d);
  REQUIRE(two_days(0x1a2b3c4d, 599, 0) == 0x1a2b3c4d);  // -0.38 units, truncated toward zero
  REQUIRE(two_days(0x1a2b3c4d, 601, 0) == 0x1a2b3c4d);
  REQUIRE(two_days(0x1a2b3c4d, 173400, 0) == 0x1a56789a);
  REQUIRE(two_days(0x1a2b3c4d, 0, 287) == 0x1a159e26);
  REQUIRE(two_days(0x1a2b3c4d, 0, 288) == 0x1a1590ef);
  REQUIRE(two_days(0x1a2b3c4d, 1, 0) == 0x1a2b21de);
  REQUIRE(two_days(0x1a2b3c4d, 87000, 0) == 0x1a3d239b);
  REQUIRE(two_days(0x1a2b3c4d, 259800, 0) == 0x1a7a4736);
  REQUIRE(two_days(0x1a2b3c4d, 1383000, 0) == 0x1b2b3c4d);
  REQUIRE(two_days(0x01010000, 44064600, 0) == 0x1d00ffff);
}

TEST_CASE("the exponent truncates toward zero on either side and bounds what it is given") {
  REQUIRE(asert_exponent(0, 120) == 0);
  REQUIRE(asert_exponent(1, 120) == 0);
  REQUIRE(asert_exponent(-1, 120) == 0);
  REQUIRE(asert_exponent(2, 120) == 1);
  REQUIRE(asert_exponent(-2, 120) == -1);  // -1.09; flooring would give -2
  REQUIRE(asert_exponent(-119999, 120) == -65535);
  REQUIRE(asert_exponent(120000, 120) == 65536);
  REQUIRE(asert_exponent(-120000, 120) == -65536);
  REQUIRE(asert_exponent(-2, 1) == -131);
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  REQUIRE(asert_exponent(kMost, 120) == asert_exponent(std::int64_t{1} << 46, 120));
  REQUIRE(asert_exponent(kLeast, 120) == -asert_exponent(kMost, 120));
  REQUIRE(asert_exponent(kMost, 1) > 256 * 65536);
}

TEST_CASE("targets around the anchor") {
  const auto target = [](std::int64_t exponent) {
    return hex(asert_target(kAnchor, exponent, kLimit));
  };
  const std::string zeros(49, '0');
  REQUIRE(target(0) == "fffff" + std::string(54, '0'));
  REQUIRE(target(1) == "10000effff" + std::string(50, '0'));
  REQUIRE(target(-1) == "ffff70000800" + std::string(47, '0'));
  REQUIRE(target(65535) == "1fffee0001" + std::string(50, '0'));
  REQUIRE(target(-65536) == "7ffff8" + std::string(53, '0'));
  REQUIRE(target(-65537) == "7fffb80004" + zeros);
  REQUIRE(target(32768) == "16a01e95fe" + std::string(50, '0'));
  REQUIRE(target(4 * 65536 + 1) == hex(kLimit));
}

TEST_CASE("targets at the ends of the range are clamped, never wrapped") {
  const Uint256 one = Uint256::of(1);
  const Uint256 max = Uint256::max();
  REQUIRE(hex(asert_target(one, 255 * 65536, max)) == "8" + std::string(63, '0'));
  REQUIRE(hex(asert_target(one, 255 * 65536 + 65535, max)) == "ffff8" + std::string(59, '0'));
  REQUIRE(asert_target(one, 256 * 65536, max) == max);
  REQUIRE(asert_target(one, std::numeric_limits<std::int64_t>::max(), kLimit) == kLimit);
  REQUIRE(asert_target(max, 1, max) == max);
  REQUIRE(asert_target(max, -255 * 65536, max) == one);
  REQUIRE(asert_target(max, -256 * 65536, max) == one);
  REQUIRE(asert_target(max, -273 * 65536, max) == one);
  REQUIRE(asert_target(max, std::numeric_limits<std::int64_t>::min(), max) == one);
  REQUIRE(asert_target(Uint256::of(3), -65536, max) == one);
  REQUIRE(hex(asert_target(max, -65536, max)) == "7" + std::string(63, 'f'));
}

TEST_CASE("every fraction of the power of two, weighted and summed") {
  // 65536 * 2^(r/65536) for all r, each times 2r + 1.
  std::uint64_t sum = 0;
  for (std::int64_t rest = 0; rest < 65536; ++rest) {
    const Uint256 target = asert_target(Uint256::of(65536), rest, Uint256::max());
    sum += target.words[0] * static_cast<std::uint64_t>(2 * rest + 1);
  }
  REQUIRE(sum == 452636287780033U);
}

TEST_CASE("a later block never gets a harder target, over four half-lives unit by unit") {
  Uint256 before = Uint256::of(1);
  for (std::int64_t exponent = -3 * 65536; exponent <= 65536; ++exponent) {
    const Uint256 target = asert_target(kAnchor, exponent, kLimit);
    if (target < before) FAIL("at exponent " << exponent);
    before = target;
  }
}

}  // namespace quorate::crypto::work
