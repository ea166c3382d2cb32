#include "testnet/compare/ladder.hpp"

#include <algorithm>
#include <cmath>

namespace quorate::testnet::comparison {

namespace {

constexpr double kClose = 1.1;
constexpr double kFlatFactor = 1.5;
constexpr double kFlatMs = 200;

}  // namespace

std::optional<double> Ladder::next() const {
  const bool close = best_ > 0 && worst_ > 0 && worst_ < best_ * kClose;
  if (rungs_left_ == 0 || close) return std::nullopt;
  return next_;
}

void Ladder::record(bool sustained) {
  --rungs_left_;
  if (sustained) {
    best_ = std::max(best_, next_);
  } else {
    worst_ = worst_ == 0 ? next_ : std::min(worst_, next_);
  }
  if (worst_ == 0) {
    next_ = best_ * factor_;
  } else if (best_ == 0) {
    next_ = worst_ / factor_;
  } else {
    next_ = std::sqrt(best_ * worst_);
  }
}

bool is_sustained(const Outcome& outcome, double flat_p99_ms, double least_share) {
  return outcome.unfinished == 0 && outcome.committed >= least_share * outcome.offered &&
         outcome.p99_ms <= flat_p99_ms * kFlatFactor + kFlatMs;
}

double longest_gap_s(const std::vector<double>& moments_s, double from, double until) {
  double out = 0;
  double last = from;
  for (const double moment : moments_s) {
    if (moment <= from || moment >= until) continue;
    out = std::max(out, moment - last);
    last = moment;
  }
  return std::max(out, until - last);
}

}  // namespace quorate::testnet::comparison
