// How difficulty answers to a change of the hash rate, on the real rules of headers: many chains
// with exponentially distributed solve times and clocks of whole seconds. With the hash rate halved
// the mean interval over its target is 1 + 2^(-t/half-life) after the time t; with it doubled it is
// 1 - 2^(-t/half-life) / 2; after four half-lives it is within a tenth of the target.
#include <catch2/catch.hpp>

#include <cmath>

#include "crypto/work/bits.hpp"
#include "tests/sim/prng.hpp"
#include "tests/unit/crypto/work/chain_fixture.hpp"

namespace quorate::crypto::work::test {

namespace {

constexpr double kBinS = 30;
constexpr int kBins = 24;
constexpr int kRuns = 10 * QUORATE_TRIALS_PERCENT;
constexpr double kInterval = 2;
constexpr double kHalfLife = 120;

// Blocks found in each bin of time after the hash rate changed by `factor`, over all runs. Before
// that the chain had five minutes at the rate its difficulty suits, or none.
std::vector<double> blocks_after_change(double factor, double settled_s) {
  const HeaderRules r = rules();
  std::vector<double> bins(kBins, 0);
  const double suited = static_cast<double>(expected_hashes(Parameters{}.initial_bits)) / kInterval;
  for (int run = 0; run < kRuns; ++run) {
    sim::Prng prng(static_cast<std::uint64_t>(run) + 1);
    Context tip = r.genesis();
    double clock = -settled_s;
    // The hashes left until the next block; what is done of them stays done when the rate changes.
    while (true) {
      const double luck = -std::log1p(-static_cast<double>(prng.next() >> 11U) * 0x1p-53);
      const auto difficulty = static_cast<double>(expected_hashes(r.next_bits(tip)));
      double needed = luck * difficulty;
      if (clock < 0) {
        const double before = std::min(needed, -clock * suited);
        clock += before / suited;
        needed -= before;
      }
      if (needed > 0) clock += needed / (suited * factor);
      if (clock >= kBins * kBinS) break;
      const auto now = kGenesisS + static_cast<std::uint64_t>(clock + settled_s);
      const Header header = child(r, tip, std::max(now, r.earliest_time(tip)));
      Digest id;  // nothing here depends on real ids
      id.bytes[0] = static_cast<std::uint8_t>(header.height.value());
      tip = r.extend(tip, header, id).value();
      if (clock >= 0) bins[static_cast<std::size_t>(clock / kBinS)] += 1;
    }
  }
  return bins;
}

// The integral of dt / (interval * (1 + deviation * 2^(-t/half-life))) over one bin, for all runs.
double blocks_expected(int bin, double deviation) {
  const double rate = std::log(2) / kHalfLife;
  const auto primitive = [&](double t) { return std::log(std::exp(rate * t) + deviation) / rate; };
  return kRuns * (primitive((bin + 1) * kBinS) - primitive(bin * kBinS)) / kInterval;
}

void require_follows(double factor) {
  const std::vector<double> found = blocks_after_change(factor, 300);
  const double deviation = 1 / factor - 1;  // of the interval, at once
  for (int bin = 0; bin < kBins; ++bin) {
    const double blocks = found[static_cast<std::size_t>(bin)];
    const double expected = blocks_expected(bin, deviation);
    INFO("hash rate times " << factor << ", " << bin * kBinS << " s after: interval over target "
                            << kRuns * kBinS / kInterval / blocks << ", expected "
                            << kRuns * kBinS / kInterval / expected);
    REQUIRE(std::abs(blocks - expected) <= 4 * std::sqrt(expected));
    if (bin * kBinS >= 4 * kHalfLife) {
      REQUIRE(kRuns * kBinS / kInterval / blocks == Approx(1).margin(0.1));
    }
  }
}

}  // namespace

TEST_CASE("after the hash rate halves the interval decays from twice its target") {
  require_follows(0.5);
}

TEST_CASE("after the hash rate doubles the interval grows from half its target") {
  require_follows(2);
}

TEST_CASE("a chain that starts far too easy or far too hard finds its interval") {
  for (const double factor : {0.1, 0.3, 3.0, 10.0}) {
    const std::vector<double> found = blocks_after_change(factor, 0);
    const auto interval = [&](double from_s, double to_s) {
      double blocks = 0;
      const auto first = static_cast<std::size_t>(from_s / kBinS);
      const auto last = static_cast<std::size_t>(to_s / kBinS);
      for (std::size_t bin = first; bin < last; ++bin) blocks += found[bin];
      return (to_s - from_s) * kRuns / blocks;
    };
    INFO("hash rate " << factor << " times what suits the first block");
    // Too hard: after t the interval is 1 + 9 * 2^(-t/half-life) of its target at worst.
    REQUIRE(interval(600, 720) < kInterval * (factor < 0.2 ? 1.35 : 1.15));
    REQUIRE(interval(600, 720) > kInterval * 0.95);
    // Too easy: never more than a minute and a half's blocks per half-life of surplus.
    REQUIRE(interval(120, 240) > kInterval * 0.5);
  }
}

}  // namespace quorate::crypto::work::test
