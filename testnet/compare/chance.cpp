#include "testnet/compare/chance.hpp"

#include <cmath>

namespace quorate::testnet::comparison {

namespace {

constexpr double kGapBeside = (1 - kGapShare) / 2;

}  // namespace

// The time watched holds about so many gaps, and the last one reaches beyond its end. The longest
// of m gaps of mean T is T * (1 + 1/2 + ... + 1/m) on average, and at most x with the chance (1 -
// exp(-x/T))^m.
std::optional<LongestGap> longest_gap_by_chance(double mean_gap_s, double watched_s) {
  if (!(mean_gap_s > 0) || !(watched_s > 0)) return std::nullopt;
  const auto gaps = static_cast<std::size_t>(watched_s / mean_gap_s) + 1;
  double harmonic = 0;
  for (std::size_t k = 1; k <= gaps; ++k) harmonic += 1 / static_cast<double>(k);
  const auto below = [mean_gap_s, gaps](double chance) {
    return -mean_gap_s * std::log1p(-std::pow(chance, 1 / static_cast<double>(gaps)));
  };
  return LongestGap{mean_gap_s * harmonic, below(kGapBeside), below(1 - kGapBeside)};
}

}  // namespace quorate::testnet::comparison
