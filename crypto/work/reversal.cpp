#include "crypto/work/reversal.hpp"

#include <algorithm>
#include <cmath>

namespace quorate::crypto::work {
namespace {

// Terms that cannot change a double any more.
constexpr double kNegligible = 1e-18;

double log_factorial(std::uint32_t n) {
  // Not std::lgamma: it writes a global variable.
  double out = 0;
  for (std::uint32_t i = 2; i <= n; ++i) out += std::log(static_cast<double>(i));
  return out;
}

// Searches a probability that falls with depth.
template <class Probability>
std::optional<std::uint32_t> smallest_depth(const Probability& probability, double bound) {
  std::uint32_t high = 1;
  while (probability(high) >= bound) {
    if (high == kReversalDepthMax) return std::nullopt;
    high = std::min(2 * high, kReversalDepthMax);
  }
  std::uint32_t low = high / 2;  // not below the bound
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    (probability(middle) < bound ? high : low) = middle;
  }
  return high;
}

}  // namespace

double reversal_probability(double attacker_share, std::uint32_t depth) {
  const double q = attacker_share;
  const double p = 1 - q;
  if (depth == 0 || q >= 0.5) return 1;
  if (q <= 0) return 0;
  // P = 1 - sum_{k<z} (p^z q^k - q^z p^k) C(k+z-1, k). The two sums add up to 1, being the chances
  // of either side to find z blocks first, so P is twice the second: nothing cancels.
  const double z = depth;
  double term = std::exp(z * std::log(q) + (z - 1) * std::log(p) + log_factorial(2 * depth - 2) -
                         2 * log_factorial(depth - 1));
  double sum = 0;
  for (std::uint32_t k = depth - 1;; --k) {
    sum += term;
    if (k == 0 || term < sum * kNegligible) break;
    term *= k / (p * (k + z - 1));
  }
  return std::min(1.0, 2 * sum);
}

double nakamoto_reversal_probability(double attacker_share, std::uint32_t depth) {
  const double q = attacker_share;
  if (depth == 0 || q >= 0.5) return 1;
  if (q <= 0) return 0;
  // P = 1 - sum_{k<=z} Poisson(k; l) (1 - (q/p)^(z-k)) with l = z q/p, as two sums of positive
  // terms: the attacker is ahead already, or he catches up.
  const double z = depth;
  const double mean = z * q / (1 - q);
  const double at_depth = std::exp(z * std::log(mean) - mean - log_factorial(depth));
  double sum = 0;
  double term = at_depth;
  for (std::uint32_t k = depth + 1; term > sum * kNegligible && term > 0; ++k) {
    term *= mean / k;
    sum += term;
  }
  term = at_depth;
  for (std::uint32_t k = depth;; --k) {
    sum += term;
    if (k == 0 || term < sum * kNegligible) break;
    term *= k / z;  // the ratio of two Poisson terms, times q/p
  }
  return std::min(1.0, sum);
}

std::optional<std::uint32_t> reversal_depth(double attacker_share, double bound) {
  return smallest_depth([=](std::uint32_t z) { return reversal_probability(attacker_share, z); },
                        bound);
}

std::optional<std::uint32_t> nakamoto_reversal_depth(double attacker_share, double bound) {
  return smallest_depth(
      [=](std::uint32_t z) { return nakamoto_reversal_probability(attacker_share, z); }, bound);
}

double effective_share(double attacker_share, double stale_rate) {
  const double honest = (1 - attacker_share) * (1 - stale_rate);
  const double all = attacker_share + honest;
  return all <= 0 ? 1 : attacker_share / all;
}

}  // namespace quorate::crypto::work
