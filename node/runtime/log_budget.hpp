// How many lines a peer is worth in the log: so many within a window, and one more that says how
// many were left out, when the next window begins. Not thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace quorate::node {

class LogBudget {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::minutes kWindow{1};

  struct Verdict {
    bool log = false;            // this one is among the first of its window
    std::uint64_t unlogged = 0;  // of the window before, when this one begins a new window
  };

  explicit LogBudget(std::uint64_t lines) : lines_(lines) {}

  Verdict take(Clock::time_point now) {
    Verdict out;
    if (seen_ == 0 || now - began_ > kWindow) {
      out.unlogged = seen_ - std::min(seen_, lines_);
      began_ = now;
      seen_ = 0;
    }
    out.log = ++seen_ <= lines_;
    return out;
  }

 private:
  std::uint64_t lines_;
  Clock::time_point began_;
  std::uint64_t seen_ = 0;  // in this window
};

}  // namespace quorate::node
