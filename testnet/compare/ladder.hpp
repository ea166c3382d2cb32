// Which rates to try: up by a factor until one is not sustained, then between the best and the
// worst, until they are close or the rungs are used up. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace quorate::testnet::comparison {

class Ladder {
 public:
  Ladder(double first, double factor, std::size_t rungs_max)
      : factor_(factor), rungs_left_(rungs_max), next_(first) {}

  // Nothing: the search is over.
  std::optional<double> next() const;
  // Whether the rate that next() gave was sustained.
  void record(bool sustained);
  // The highest that was; 0: none.
  double best() const { return best_; }
  // No rate failed: there may be higher ones.
  bool open_end() const { return worst_ == 0; }

 private:
  double factor_;
  std::size_t rungs_left_;
  double next_;
  double best_ = 0;
  double worst_ = 0;  // the lowest that was not; 0: none yet
};

// What one rate gave.
struct Outcome {
  double offered = 0;
  double committed = 0;
  double p99_ms = 0;
  std::uint64_t unfinished = 0;
};
// Sustained: everything became final, so much of the offered rate was committed while it was
// offered, and p99 is not half as much again, and a fifth of a second, above `flat_p99_ms`, that of
// the lowest rate. The rate of a chain whose blocks are mined is a matter of luck over half a
// minute, so less of it is demanded there.
inline constexpr double kShareByVotes = 0.95;
inline constexpr double kShareByWork = 0.75;
bool is_sustained(const Outcome& outcome, double flat_p99_ms, double least_share);

// The longest time between `from` and `until` without one of these moments, which are in order.
double longest_gap_s(const std::vector<double>& moments_s, double from, double until);

}  // namespace quorate::testnet::comparison
