#include "testnet/compare/axis.hpp"

#include <algorithm>
#include <cmath>

namespace quorate::testnet::comparison {

namespace {

constexpr double kTicks = 5;
// Above the highest value.
constexpr double kRoom = 1.05;

}  // namespace

Axis::Axis(std::vector<double> values, bool logarithmic, double begin, double end)
    : logarithmic_(logarithmic), begin_(begin), end_(end) {
  if (logarithmic) std::erase_if(values, [](double value) { return value <= 0; });
  if (values.empty()) values = {1};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (logarithmic) {
    low_ = std::pow(10, std::floor(std::log10(*low)));
    high_ = std::pow(10, std::ceil(std::log10(*high)));
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
    for (double tick = low_; tick <= high_ * kRoom; tick *= 10) out.push_back(tick);
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
