// How long to wait before dialling a peer again: doubling from `first` to `most`, with jitter so
// that nodes which lost each other at once do not come back in step. Not thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace quorate::node {

class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds most)
      : first_(first), most_(most), next_(first) {}

  // Between half of the current step and all of it; `random` is any number.
  std::chrono::milliseconds next(std::uint32_t random) {
    const auto step = next_;
    next_ = std::min(most_, next_ * 2);
    const auto half = step / 2;
    return half + std::chrono::milliseconds(random % (half.count() + 1));
  }
  void reset() { next_ = first_; }

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds most_;
  std::chrono::milliseconds next_;
};

}  // namespace quorate::node
