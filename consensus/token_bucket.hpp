// Limits how much one peer can make this replica send. Deterministic: time comes from events.
#pragma once

#include <algorithm>
#include <cstdint>

#include "crypto/base/instant.hpp"

namespace quorate::consensus {

class TokenBucket {
 public:
  // Full at first; `per_second` tokens come back each second, up to `capacity`.
  TokenBucket(std::uint64_t capacity, std::uint64_t per_second)
      : capacity_(capacity), per_second_(per_second), level_(capacity) {}

  bool take(std::uint64_t cost, Instant now) {
    refill(now);
    if (level_ < cost) return false;
    level_ -= cost;
    return true;
  }

 private:
  void refill(Instant now) {
    constexpr std::uint64_t kSecond = 1'000'000'000;
    if (now <= refilled_) return;
    const auto passed = static_cast<std::uint64_t>((now - refilled_).count());
    // Beyond an hour it is full anyway; the cap keeps the product small.
    const std::uint64_t gained =
        std::min(passed, 3'600 * kSecond) / 1'000 * per_second_ / 1'000'000;
    if (gained == 0) return;
    level_ = std::min(capacity_, level_ + gained);
    refilled_ = now;
  }

  std::uint64_t capacity_;
  std::uint64_t per_second_;
  std::uint64_t level_;
  Instant refilled_;
};

}  // namespace quorate::consensus
