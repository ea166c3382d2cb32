// Properties of the retarget over random chains: later times never make it harder, errors never add
// up, and a chain that is judged header by header comes to the same as the formula from its anchor.
#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <cmath>

#include "crypto/work/asert.hpp"
#include "crypto/work/bits.hpp"
#include "tests/unit/crypto/work/chain_fixture.hpp"

namespace quorate::crypto::work {

using namespace test;

namespace {

Uint256 any_target() {
  const auto exponent = *rc::gen::inRange<std::uint32_t>(3, 0x20);
  const auto mantissa = *rc::gen::inRange<std::uint32_t>(0x8000, 0x800000);
  const std::uint32_t bits = exponent << 24U | mantissa;
  const auto target = target_of_bits(bits);
  RC_PRE(target.has_value());
  return *target;
}

}  // namespace

TEST_CASE("a target is monotone in the exponent and in the anchor") {
  REQUIRE(rc::check([] {
    const Uint256 anchor = any_target();
    const Uint256 easier = std::max(anchor, any_target());
    const Uint256 limit = any_target();
    const auto exponent = *rc::gen::inRange<std::int64_t>(-400 * 65536, 400 * 65536);
    const auto more = *rc::gen::inRange<std::int64_t>(0, 100 * 65536);
    const Uint256 target = asert_target(anchor, exponent, limit);
    RC_ASSERT(!target.is_zero());
    RC_ASSERT(target <= limit);
    RC_ASSERT(asert_target(anchor, exponent + more, limit) >= target);
    RC_ASSERT(asert_target(easier, exponent, limit) >= target);
  }));
}

TEST_CASE("a whole half-life is exactly a factor of two") {
  REQUIRE(rc::check([] {
    const Uint256 anchor = any_target();
    const auto half_lives = *rc::gen::inRange<int>(-200, 200);
    const Uint256 target = asert_target(anchor, half_lives * std::int64_t{65536}, Uint256::max());
    RC_ASSERT(target == std::max(scaled(anchor, 1, half_lives), Uint256::of(1)));
  }));
}

TEST_CASE("the fraction of the power of two is off by less than 0.013 percent") {
  REQUIRE(rc::check([] {
    const auto exponent = *rc::gen::inRange<std::int64_t>(0, 65536);
    const Uint256 target = asert_target(Uint256::of(1ULL << 40U), exponent, Uint256::max());
    const double exact = std::pow(2.0, 40 + static_cast<double>(exponent) / 65536);
    RC_ASSERT(std::abs(static_cast<double>(target.words[0]) / exact - 1) < 0.00013);
  }));
}

TEST_CASE("every target's bits are canonical, at most the target, and off by less than 2^-15") {
  REQUIRE(rc::check([] {
    Digest bytes;
    for (std::uint8_t& byte : bytes.bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
    const int shift = *rc::gen::inRange(0, 256);
    const Uint256 target = scaled(from_little_endian(bytes), 1, -shift);
    RC_PRE(!target.is_zero());
    const auto back = target_of_bits(bits_of_target(target));
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back <= target);
    RC_ASSERT(saturating_subtract(target, *back) <= scaled(target, 1, -15));
  }));
}

// Whatever the solve times were: where the chain stands on its schedule again, the difficulty is
// the one it started with, but for the rounding at each move of the anchor. Errors that added up
// block by block would show here.
TEST_CASE("difficulty does not drift") {
  REQUIRE(rc::check([] {
    const HeaderRules r = rules();
    Chain chain(r);
    const auto blocks = *rc::gen::inRange<std::uint64_t>(300, 1500);
    const auto spread = *rc::gen::inRange<std::uint64_t>(1, 60);
    auto state = *rc::gen::arbitrary<std::uint64_t>();
    std::uint64_t planned = kGenesisS;
    for (std::uint64_t i = 0; i < blocks; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      planned += 2;
      const std::uint64_t time =
          std::max(planned + (state >> 33U) % spread, r.earliest_time(chain.tip));
      chain.headers.push_back(child(r, chain.tip, time));
      chain.tip = chain.extend(chain.headers.back()).value();
      planned = std::max(planned, kGenesisS + 2 * (i + 1));
    }
    RC_PRE(chain.tip.paused_s == 0);
    // One more block exactly on schedule, or as soon after it as the chain's clock shows.
    const std::uint64_t on_schedule = kGenesisS + 2 * (blocks + 1);
    const std::uint64_t time = std::max(on_schedule, chain.tip.clock_s);
    chain.grow(time - chain.tip.time_s);
    const auto late = static_cast<double>(time - on_schedule);
    const double expected = (1U << 20U) * std::exp2(-late / 120);
    const auto now = static_cast<double>(expected_hashes(r.next_bits(chain.tip)));
    RC_ASSERT(std::abs(now / expected - 1) < 1e-3);
  }));
}

}  // namespace quorate::crypto::work
