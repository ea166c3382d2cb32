// Engine parameters by name: defaults, ranges, and errors that say what to write instead.
#include "crypto/work/parameters.hpp"

#include <catch2/catch.hpp>

#include "crypto/work/bits.hpp"

namespace quorate::crypto::work {

namespace {

std::string refusal(const std::map<std::string, std::uint64_t>& named) {
  const auto parsed = parse_parameters(named);
  REQUIRE_FALSE(parsed);
  REQUIRE(parsed.error().code == Errc::invalid_argument);
  return parsed.error().detail;
}

}  // namespace

TEST_CASE("parameters that are not named keep their defaults") {
  REQUIRE(parse_parameters({}).value() == Parameters{});
  const Parameters parsed = parse_parameters({{"depth", 3}, {"interval_ms", 500}}).value();
  REQUIRE(parsed.depth == 3);
  REQUIRE(parsed.interval_ms == 500);
  REQUIRE(parsed.half_life_s == 120);
  REQUIRE(parse_parameters(to_named(parsed)).value() == parsed);
  REQUIRE(expected_hashes(Parameters{}.initial_bits) == (1U << 20U) + 1);
  REQUIRE(expected_hashes(Parameters{}.limit_bits) == (1U << 16U) + 1);
}

TEST_CASE("an unknown parameter is refused with the ones there are") {
  REQUIRE(refusal({{"halflife_s", 60}}) ==
          "there is no engine parameter \"halflife_s\"; did you mean \"half_life_s\"? There are: "
          "depth half_life_s initial_bits interval_ms limit_bits");
  REQUIRE(refusal({{"reward", 50}}) ==
          "there is no engine parameter \"reward\". There are: depth half_life_s initial_bits "
          "interval_ms limit_bits");
}

TEST_CASE("a parameter out of its range is refused with the range") {
  REQUIRE(refusal({{"depth", 0}}) == "the engine parameter depth is 0; it must be 1 to 1000");
  REQUIRE(refusal({{"depth", 1001}}).find("1 to 1000") != std::string::npos);
  REQUIRE(refusal({{"interval_ms", 99}}) ==
          "the engine parameter interval_ms is 99; it must be 100 to 3600000");
  REQUIRE(refusal({{"half_life_s", 15}}) ==
          "the engine parameter half_life_s is 15; it must be 16 to 2592000");
  REQUIRE(parse_parameters({{"half_life_s", 16}}));
  REQUIRE(parse_parameters({{"half_life_s", 4}, {"interval_ms", 500}}));
}

TEST_CASE("targets must be canonical, and the first within the limit") {
  REQUIRE(refusal({{"initial_bits", 0x1d0000ff}}) ==
          "the engine parameter initial_bits is 486539519, which is no canonical target; one of "
          "2^20 hashes per block is 504365055");
  REQUIRE(refusal({{"limit_bits", 1ULL << 33U}}).find("limit_bits") != std::string::npos);
  REQUIRE(refusal({{"initial_bits", 0x207fffff}}) ==
          "the engine parameter initial_bits is an easier target than limit_bits allows; raise "
          "limit_bits to at least 545259519");
  REQUIRE(parse_parameters({{"initial_bits", 0x207fffff}, {"limit_bits", 0x207fffff}}));
}

}  // namespace quorate::crypto::work
