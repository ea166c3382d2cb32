// Probabilities of reversal against published and independently computed values.
#include "crypto/work/reversal.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

namespace quorate::crypto::work {

namespace {

struct Row {
  double share;
  double nakamoto[3];  // at depth 1, 6, 10
  double exact[3];
  std::uint32_t nakamoto_depth;  // for a probability below 0.1 %
  std::uint32_t exact_depth;
};

constexpr std::uint32_t kDepths[] = {1, 6, 10};
constexpr Row kRows[] = {
    {0.10, {.2045873, .0002428, .0000012}, {.2, .0005914, .0000079}, 5, 6},
    {0.20, {.4158994, .0142506, .0010670}, {.4, .0233084, .0031582}, 11, 13},
    {0.25, {.5223125, .0499426, .0084501}, {.5, .0686550, .0178066}, 15, 20},
    {0.30, {.6277491, .1321112, .0416605}, {.6, .1564496, .0651067}, 24, 32},
    {0.40, {.8288610, .5039803, .3599763}, {.8, .4930037, .3721840}, 89, 133},
};

// The formula as it is printed, which cancels badly for large depths.
double printed_formula(double q, std::uint32_t z) {
  const double p = 1 - q;
  double sum = 0;
  double choose = 1;  // C(k+z-1, k)
  for (std::uint32_t k = 0; k < z; ++k) {
    sum += (std::pow(p, z) * std::pow(q, k) - std::pow(q, z) * std::pow(p, k)) * choose;
    choose = choose * (k + z) / (k + 1);
  }
  return 1 - sum;
}

}  // namespace

TEST_CASE("the golden table of reversal probabilities") {
  for (const Row& row : kRows) {
    for (int i = 0; i < 3; ++i) {
      CAPTURE(row.share, kDepths[i]);
      REQUIRE(std::abs(nakamoto_reversal_probability(row.share, kDepths[i]) - row.nakamoto[i]) <
              0.51e-7);
      REQUIRE(std::abs(reversal_probability(row.share, kDepths[i]) - row.exact[i]) < 0.51e-7);
    }
    REQUIRE(nakamoto_reversal_depth(row.share, 0.001) == row.nakamoto_depth);
    REQUIRE(reversal_depth(row.share, 0.001) == row.exact_depth);
  }
}

TEST_CASE("Nakamoto's own table") {
  REQUIRE(nakamoto_reversal_probability(0.1, 0) == 1);
  REQUIRE(nakamoto_reversal_probability(0.1, 5) == Approx(0.0009137).margin(0.51e-7));
  REQUIRE(nakamoto_reversal_probability(0.3, 50) == Approx(0.0000006).margin(0.51e-7));
  REQUIRE(nakamoto_reversal_depth(0.45, 0.001) == 340);
}

TEST_CASE("the stable sum equals the printed formula where that one can be trusted") {
  for (const double q : {0.01, 0.1, 0.25, 0.33, 0.4, 0.45, 0.49}) {
    for (std::uint32_t z = 1; z <= 20; ++z) {
      CAPTURE(q, z);
      REQUIRE(reversal_probability(q, z) == Approx(printed_formula(q, z)).margin(1e-10));
    }
  }
}

TEST_CASE("probabilities stay meaningful at great depths and small shares") {
  // From arithmetic with 60 digits.
  REQUIRE(reversal_probability(0.1, 300) == Approx(3.161832542239e-135).epsilon(1e-9));
  REQUIRE(reversal_probability(0.4, 1000) == Approx(1.646322270974e-19).epsilon(1e-9));
  REQUIRE(reversal_probability(0.49, 1000) == Approx(3.711053188630e-01).epsilon(1e-9));
  REQUIRE(nakamoto_reversal_probability(0.3, 300) == Approx(6.077462363800e-37).epsilon(1e-9));
  REQUIRE(nakamoto_reversal_probability(0.45, 2000) == Approx(2.299917136205e-17).epsilon(1e-9));
  REQUIRE(reversal_probability(0.01, 5000) == 0);  // below the smallest double
}

TEST_CASE("without hash power nothing is reversed, with half of it everything is") {
  REQUIRE(reversal_probability(0, 1) == 0);
  REQUIRE(nakamoto_reversal_probability(0, 1) == 0);
  for (const double q : {0.5, 0.7, 1.0}) {
    REQUIRE(reversal_probability(q, 100) == 1);
    REQUIRE(nakamoto_reversal_probability(q, 100) == 1);
    REQUIRE_FALSE(reversal_depth(q, 0.001).has_value());
    REQUIRE_FALSE(nakamoto_reversal_depth(q, 0.001).has_value());
  }
  REQUIRE(reversal_probability(0.3, 0) == 1);
}

TEST_CASE("the depth for a bound is the first below it") {
  for (const double q : {0.05, 0.1, 0.3, 0.45}) {
    for (const double bound : {0.5, 0.01, 1e-6}) {
      const std::uint32_t depth = reversal_depth(q, bound).value();
      REQUIRE(reversal_probability(q, depth) < bound);
      REQUIRE(reversal_probability(q, depth - 1) >= bound);
    }
  }
}

TEST_CASE("stale blocks of the others raise an attacker's effective share") {
  REQUIRE(effective_share(0.3, 0) == Approx(0.3));
  REQUIRE(effective_share(0.3, 0.5) == Approx(0.3 / 0.65));
  REQUIRE(effective_share(0.3, 1) == Approx(1));
  REQUIRE(effective_share(1, 1) == Approx(1));
  REQUIRE(effective_share(0, 0.2) == 0);
}

}  // namespace quorate::crypto::work
