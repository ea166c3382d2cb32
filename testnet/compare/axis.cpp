#include "testnet/compare/axis.hpp"

#include <algorithm>
#include <cmath>

namespace quorate::testnet::comparison {

namespace {

constexpr double kTicks = 5;
// Above the highest value.
constexpr double kRoom = 1.05;
// Beside the values of a logarithmic axis that are all given.
constexpr double kBeside = 1.15;
// So many decades have 2 and 5 times a power of ten too.
constexpr double kFewDecades = 2.5;
constexpr double kSlack = 1e-9;

double power_below(double value) { return std::pow(10, std::floor(std::log10(value) + kSlack)); }

// 1, 2 or 5 times a power of ten.
double step_below(double value) {
  const double power = power_below(value);
  for (const double times : {5.0, 2.0}) {
    if (times * power <= value * (1 + kSlack)) return times * power;
  }
  return power;
}
double step_above(double step) {
  const double power = power_below(step);
  const auto times = std::lround(step / power);
  return power * (times == 1 ? 2 : times == 2 ? 5 : 10);
}

}  // namespace

Axis::Axis(std::vector<double> values, bool logarithmic, double begin, double end, bool given)
    : logarithmic_(logarithmic), begin_(begin), end_(end) {
  if (logarithmic) std::erase_if(values, [](double value) { return value <= 0; });
  if (values.empty()) values = {1};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (logarithmic && given) {
    low_ = *low / kBeside;
    high_ = *high * kBeside;
  } else if (logarithmic) {
    low_ = step_below(*low);
    high_ = low_;
    while (high_ < *high) high_ = step_above(high_);
    if (high_ <= low_) high_ = 10 * low_;
  } else {
    low_ = std::min(0.0, *low);
    high_ = *high * kRoom;
    if (high_ <= low_) high_ = low_ + 1;
  }
}

double Axis::at(double value) const {
  const double clamped = std::clamp(value, low_, high_);
  const double share = logarithmic_ ? std::log(clamped / low_) / std::log(high_ / low_)
                                    : (clamped - low_) / (high_ - low_);
  return begin_ + (end_ - begin_) * share;
}

std::vector<double> Axis::ticks() const {
  std::vector<double> out;
  if (logarithmic_) {
    const bool few = std::log10(high_ / low_) < kFewDecades;
    for (double tick = low_; tick <= high_ * (1 + kSlack); tick = step_above(tick)) {
      const bool power = std::abs(tick / power_below(tick) - 1) < kSlack;
      if (few || power) out.push_back(tick);
    }
    return out;
  }
  const double least = (high_ - low_) / kTicks;
  double step = std::pow(10, std::floor(std::log10(least)));
  for (const double times : {2.0, 5.0, 10.0}) {
    if (step >= least) break;
    step = std::pow(10, std::floor(std::log10(least))) * times;
  }
  for (double tick = std::ceil(low_ / step) * step; tick <= high_; tick += step) {
    out.push_back(tick);
  }
  return out;
}

}  // namespace quorate::testnet::comparison
