// Counts the invalid messages of each peer: ten within a minute and it is disconnected. A correct
// node sends none, whatever the network does. Also bounds how many of them are worth a line in the
// log, however often the peer comes back. Thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "crypto/base/strong_int.hpp"

namespace quorate::node {

class Misbehavior {
 public:
  static constexpr std::size_t kInvalidMax = 10;
  static constexpr std::size_t kLoggedMax = 3;  // within a window
  static constexpr std::chrono::minutes kWindow{1};
  using Clock = std::chrono::steady_clock;

  struct Verdict {
    bool too_many = false;       // disconnect it; the count then starts anew
    bool log = false;            // this one is among the first of its window
    std::uint64_t unlogged = 0;  // of the window before, when this one begins a new window
  };

  explicit Misbehavior(std::size_t replicas) : peers_(replicas) {}

  Verdict invalid(ReplicaId from, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    Peer& peer = peers_.at(from.value());
    Verdict out;
    if (peer.seen == 0 || now - peer.window_began > kWindow) {
      out.unlogged = peer.seen - std::min<std::uint64_t>(peer.seen, kLoggedMax);
      peer.window_began = now;
      peer.seen = 0;
    }
    out.log = ++peer.seen <= kLoggedMax;
    while (!peer.recent.empty() && now - peer.recent.front() > kWindow) peer.recent.pop_front();
    peer.recent.push_back(now);
    if (peer.recent.size() < kInvalidMax) return out;
    peer.recent.clear();
    out.too_many = true;
    return out;
  }

 private:
  struct Peer {
    std::deque<Clock::time_point> recent;  // towards the disconnection
    Clock::time_point window_began;        // of the log
    std::uint64_t seen = 0;                // in this window
  };
  std::mutex mutex_;
  std::vector<Peer> peers_;
};

}  // namespace quorate::node
