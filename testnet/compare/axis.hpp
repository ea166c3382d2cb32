// One axis of a plot: where a value stands, and which values are written on it. Pure.
#pragma once

#include <vector>

namespace quorate::testnet::comparison {

class Axis {
 public:
  // From `begin` to `end` in the picture. A logarithmic axis shows what is above zero; anything
  // else stands at its lower end.
  Axis(std::vector<double> values, bool logarithmic, double begin, double end);

  double at(double value) const;
  // Round numbers: powers of ten, or steps of 1, 2 or 5 times one.
  std::vector<double> ticks() const;

 private:
  bool logarithmic_;
  double begin_;
  double end_;
  double low_ = 0;
  double high_ = 1;
};

}  // namespace quorate::testnet::comparison
