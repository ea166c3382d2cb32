// Counts the invalid messages of each peer: ten within a minute and it is disconnected. A correct
// node sends none, whatever the network does. Thread-safe.
#pragma once

#include <chrono>
#include <deque>
#include <mutex>
#include <vector>

#include "crypto/base/strong_int.hpp"

namespace quorate::node {

class Misbehavior {
 public:
  static constexpr std::size_t kInvalidMax = 10;
  static constexpr std::chrono::minutes kWindow{1};
  using Clock = std::chrono::steady_clock;

  explicit Misbehavior(std::size_t replicas) : invalid_(replicas) {}

  // True when this one is too many; the count then starts anew.
  bool too_many(ReplicaId peer, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    auto& times = invalid_.at(peer.value());
    while (!times.empty() && now - times.front() > kWindow) times.pop_front();
    times.push_back(now);
    if (times.size() < kInvalidMax) return false;
    times.clear();
    return true;
  }

 private:
  std::mutex mutex_;
  std::vector<std::deque<Clock::time_point>> invalid_;
};

}  // namespace quorate::node
