// 256-bit arithmetic at its edges, and the compact form of targets.
#include "crypto/work/uint256.hpp"

#include <catch2/catch.hpp>

#include "crypto/work/bits.hpp"

namespace quorate::crypto::work {

namespace {

Uint256 power_of_two(unsigned exponent) {
  return scaled(Uint256::of(1), 1, static_cast<int>(exponent));
}

}  // namespace

TEST_CASE("numbers compare by their most significant word and convert both ways") {
  REQUIRE(Uint256{{0, 0, 0, 1}} > Uint256{{~0ULL, ~0ULL, ~0ULL, 0}});
  REQUIRE(Uint256{{1, 0, 0, 0}} < Uint256{{0, 1, 0, 0}});
  Digest bytes;
  bytes.bytes[0] = 0x34;
  bytes.bytes[1] = 0x12;
  bytes.bytes[31] = 0x80;
  const Uint256 value = from_little_endian(bytes);
  REQUIRE(value.words == std::array<std::uint64_t, 4>{0x1234, 0, 0, 0x8000000000000000});
  REQUIRE(to_little_endian(value) == bytes);
  REQUIRE(hex_of(value) == "80" + std::string(58, '0') + "1234");
}

TEST_CASE("sums, differences and products saturate instead of wrapping") {
  REQUIRE(saturating_add(Uint256::max(), Uint256::of(1)) == Uint256::max());
  REQUIRE(saturating_add(Uint256{{~0ULL, 0, 0, 0}}, Uint256::of(1)) == Uint256{{0, 1, 0, 0}});
  REQUIRE(saturating_subtract(Uint256::of(1), Uint256::of(2)).is_zero());
  REQUIRE(saturating_subtract(Uint256{{0, 1, 0, 0}}, Uint256::of(1)) == Uint256::of(~0ULL));
  REQUIRE(scaled(Uint256::of(3), 5, 0) == Uint256::of(15));
  REQUIRE(scaled(Uint256::of(3), 5, -1) == Uint256::of(7));
  REQUIRE(scaled(Uint256::max(), 2, 0) == Uint256::max());
  REQUIRE(scaled(Uint256::max(), 2, -1) == Uint256::max());
  REQUIRE(scaled(Uint256::of(1), 1, 256) == Uint256::max());
  REQUIRE(scaled(Uint256::of(1), 1, 2'000'000'000) == Uint256::max());
  REQUIRE(scaled(Uint256::max(), ~0ULL, -2'000'000'000).is_zero());
  REQUIRE(scaled(Uint256{}, ~0ULL, 2'000'000'000).is_zero());
  REQUIRE(saturating_u64(Uint256{{5, 1, 0, 0}}) == ~0ULL);
  REQUIRE(saturating_u64(Uint256::of(5)) == 5);
  REQUIRE(inverse(Uint256::of(1)) == Uint256::max());
  REQUIRE(inverse(Uint256::of(2)) == power_of_two(255));
  REQUIRE(inverse(Uint256::max()) == Uint256::of(1));
  REQUIRE(bit_length(Uint256{}) == 0);
  REQUIRE(bit_length(Uint256::max()) == 256);
  REQUIRE(bit_length(power_of_two(64)) == 65);
}

TEST_CASE("the published work of two targets") {
  REQUIRE(work_of_bits(0x1d00ffff) == Uint256::of(0x100010001));
  REQUIRE(work_of_bits(0x207fffff) == Uint256::of(2));
  REQUIRE(expected_hashes(0x1d00ffff) == 0x100010001);
  REQUIRE(hex_of(*target_of_bits(0x1d00ffff)) ==
          "00000000ffff0000000000000000000000000000000000000000000000000000");
}

TEST_CASE("the extremes of targets have work too") {
  REQUIRE(work_of_target(Uint256::max()) == Uint256::of(1));
  REQUIRE(work_of_target(Uint256::of(1)) == power_of_two(255));
  REQUIRE(expected_hashes(0x01010000) == ~0ULL);
}

TEST_CASE("bits that are no canonical target are refused, each for its reason") {
  const auto refused = [](std::uint32_t bits) {
    const auto target = target_of_bits(bits);
    REQUIRE_FALSE(target);
    REQUIRE(target.error().code == Errc::bad_encoding);
    return target.error().detail;
  };
  REQUIRE(refused(0x1d80ffff) == "bits 0x1d80ffff have the sign bit set");
  REQUIRE(refused(0x00000000) == "bits 0x00000000 stand for the target zero");
  REQUIRE(refused(0x1d000000) == "bits 0x1d000000 stand for the target zero");
  REQUIRE(refused(0x0100ff00) == "bits 0x0100ff00 stand for the target zero");
  REQUIRE(refused(0x21010000) == "bits 0x21010000 stand for a target above 2^256");
  REQUIRE(refused(0xff123456) == "bits 0xff123456 stand for a target above 2^256");
  REQUIRE(refused(0x1d0000ff) == "bits 0x1d0000ff are not the canonical form 0x1c00ff00");
  REQUIRE(refused(0x01010001) == "bits 0x01010001 are not the canonical form 0x01010000");
  // The largest target of all: with one byte less of exponent the mantissa would have a sign.
  REQUIRE(target_of_bits(0x2100ffff).value() == Uint256{{0, 0, 0, 0xffff000000000000}});
  REQUIRE(refused(0x04000001) == "bits 0x04000001 are not the canonical form 0x02010000");
}

TEST_CASE("every exponent has canonical bits that survive the way to a target and back") {
  int found = 0;
  for (std::uint32_t exponent = 0; exponent <= 255; ++exponent) {
    for (const std::uint32_t mantissa : {0x008000U, 0x00ffffU, 0x010000U, 0x123456U, 0x7fffffU}) {
      const std::uint32_t bits = exponent << 24U | mantissa;
      const auto target = target_of_bits(bits);
      if (!target) continue;
      ++found;
      REQUIRE(bits_of_target(*target) == bits);
    }
  }
  REQUIRE(found > 140);
}

TEST_CASE("a target between two canonical ones is rounded down") {
  const Uint256 exact = *target_of_bits(0x1d00ffff);
  REQUIRE(bits_of_target(saturating_add(exact, Uint256::of(1))) == 0x1d00ffff);
  REQUIRE(bits_of_target(saturating_subtract(exact, Uint256::of(1))) == 0x1d00fffe);
  REQUIRE(bits_of_target(Uint256::max()) == 0x2100ffff);
  REQUIRE(bits_of_target(Uint256::of(1)) == 0x01010000);
  REQUIRE(bits_of_target(Uint256::of(0x80)) == 0x02008000);
}

TEST_CASE("bits for a number of hashes give about that number back") {
  for (const std::uint64_t hashes : {2ULL, 1000ULL, 65536ULL, 1ULL << 20U, 12345678901ULL}) {
    const auto back = static_cast<double>(expected_hashes(bits_for(hashes)));
    REQUIRE(back >= static_cast<double>(hashes));
    REQUIRE(back <= static_cast<double>(hashes) * 1.0001 + 1);
  }
  REQUIRE(bits_for(1U << 20U) == 0x1e0fffff);
  REQUIRE(bits_for(1U << 16U) == 0x1f00ffff);
  REQUIRE(target_of_bits(bits_for(1)).has_value());
}

}  // namespace quorate::crypto::work
