// One axis of a plot: where a value stands, and which values are written on it. Pure.
#pragma once

#include <vector>

namespace quorate::testnet::comparison {

class Axis {
 public:
  // From `begin` to `end` in the picture. A logarithmic axis shows what is above zero; anything
  // else stands at its lower end. `given`: the values are all that will be written on it, and it
  // ends close behind them.
  Axis(std::vector<double> values, bool logarithmic, double begin, double end, bool given = false);

  double at(double value) const;
  // Round numbers: powers of ten, or steps of 1, 2 or 5 times one; a logarithmic axis of few
  // decades has 2 and 5 times a power too.
  std::vector<double> ticks() const;

 private:
  bool logarithmic_;
  double begin_;
  double end_;
  double low_ = 0;
  double high_ = 1;
};

}  // namespace quorate::testnet::comparison
