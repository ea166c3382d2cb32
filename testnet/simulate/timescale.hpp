// Where a moment stands on a timeline of a given width: busy stretches are drawn to one scale, long
// quiet ones between them are cut to a narrow gap. Pure.
#pragma once

#include <string>
#include <vector>

#include "testnet/simulate/options.hpp"

namespace quorate::testnet {

class TimeScale {
 public:
  struct Stretch {
    Duration begin{0};
    Duration end{0};
    double left = 0;
    double right = 0;
    bool gap = false;
  };
  struct Tick {
    double x = 0;
    std::string label;
  };

  // `busy`: when something is drawn, in any order; what is outside the window does not count.
  TimeScale(Window window, std::vector<Window> busy, double left, double right);

  // Moments outside the window stand a little beyond its edges.
  double x(Duration when) const;
  const std::vector<Stretch>& stretches() const { return stretches_; }
  std::vector<Tick> ticks() const;

 private:
  void lay_out(double left, double scale);

  std::vector<Stretch> stretches_;
};

}  // namespace quorate::testnet
