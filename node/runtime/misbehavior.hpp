// Counts the invalid messages of each peer: ten within a minute and it is refused for a while, each
// time for longer. A correct node sends none, whatever the network does, so nobody is refused
// without a fault; but a fault can be repaired, so no refusal is for good. Also bounds how many of
// them are worth a line in the log, however often the peer comes back. Thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "crypto/base/strong_int.hpp"
#include "node/runtime/log_budget.hpp"

namespace quorate::node {

// Doubling from `first` to `most`.
struct BanTimes {
  std::chrono::milliseconds first{10'000};
  std::chrono::milliseconds most{600'000};
};

class Misbehavior {
 public:
  static constexpr std::size_t kInvalidMax = 10;
  static constexpr std::size_t kLoggedMax = 3;  // within a window
  static constexpr std::chrono::minutes kWindow = LogBudget::kWindow;
  static constexpr std::chrono::hours kForgiven{1};  // without a ban: the next is short again
  using Clock = LogBudget::Clock;

  struct Verdict {
    // Not zero: refuse the peer for so long. The count then starts anew.
    std::chrono::milliseconds ban{0};
    bool log = false;  // as in LogBudget
    std::uint64_t unlogged = 0;
  };

  explicit Misbehavior(std::size_t replicas, BanTimes times = {})
      : times_(times), peers_(replicas) {}

  Verdict invalid(ReplicaId from, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    Peer& peer = peers_.at(from.value());
    Verdict out;
    const LogBudget::Verdict lines = peer.lines.take(now);
    out.log = lines.log;
    out.unlogged = lines.unlogged;
    // Sent before it was refused, and read from its last connection: that fault is punished.
    if (now - peer.banned_at < peer.ban) return out;
    while (!peer.recent.empty() && now - peer.recent.front() > kWindow) peer.recent.pop_front();
    peer.recent.push_back(now);
    if (peer.recent.size() < kInvalidMax) return out;
    peer.recent.clear();
    const bool forgiven = now - peer.banned_at > kForgiven;
    peer.ban =
        peer.ban.count() == 0 || forgiven ? times_.first : std::min(peer.ban * 2, times_.most);
    peer.banned_at = now;
    out.ban = peer.ban;
    return out;
  }

 private:
  struct Peer {
    std::deque<Clock::time_point> recent;  // towards the next ban
    Clock::time_point banned_at;
    std::chrono::milliseconds ban{0};  // the last one
    LogBudget lines{kLoggedMax};
  };
  const BanTimes times_;
  std::mutex mutex_;
  std::vector<Peer> peers_;
};

}  // namespace quorate::node
