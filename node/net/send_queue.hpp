// What waits to be written to one peer: one queue per traffic class, each bounded in bytes.
//   consensus     a full queue drops its oldest frames: newer votes make older ones useless. For
//   the
//                 same reason none waits longer than a few seconds: what a slow line brings is news
//   sync          a full queue drops the new frame: the asker asks again
//   transactions  a full queue drops the new frame: relay repeats
// Frames leave by deficit round robin that starts with consensus: it goes first and has the largest
// share, and no class waits for ever. Bodies are shared, so a broadcast holds one copy.
// Not thread-safe; the peer manager guards it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>

#include "crypto/base/bytes.hpp"
#include "node/ports.hpp"

namespace quorate::node {

inline constexpr std::size_t kTrafficClasses = 3;
// So long a frame of consensus may wait. Whoever misses it asks for what it lacks by then.
inline constexpr std::chrono::seconds kConsensusWaitMax{5};
// 0 consensus, 1 sync, 2 transactions: the order in which classes are served.
std::size_t traffic_index(TrafficClass traffic);

struct SendQueueLimits {
  // A frame that is larger than its bound still passes while its queue is empty.
  std::array<std::size_t, kTrafficClasses> bytes_max = {32U << 20U, 32U << 20U, 8U << 20U};
};

class SendQueue {
 public:
  using Body = std::shared_ptr<const Bytes>;
  using Clock = std::chrono::steady_clock;

  explicit SendQueue(SendQueueLimits limits = {}) : limits_(limits) {}

  // Returns how many frames were dropped: older ones, or this one.
  std::size_t push(TrafficClass traffic, Body body, Clock::time_point now);
  // Drops what has waited too long; returns how many.
  std::size_t expire(Clock::time_point now);
  // Appends whole frames, headers included, until `out` holds `bytes_wanted` or the queue is empty.
  // Returns the number of frames.
  std::size_t pop(Bytes& out, std::size_t bytes_wanted);
  bool empty() const;
  std::size_t bytes(TrafficClass traffic) const { return lanes_[traffic_index(traffic)].bytes; }
  void clear();

 private:
  struct Waiting {
    Body body;
    Clock::time_point since;
  };
  struct Lane {
    std::deque<Waiting> frames;
    std::size_t bytes = 0;
    std::size_t credit = 0;  // bytes it may still send in this round

    Body take() {
      Body body = std::move(frames.front().body);
      frames.pop_front();
      bytes -= body->size();
      return body;
    }
  };
  Lane* choose();

  SendQueueLimits limits_;
  std::array<Lane, kTrafficClasses> lanes_;
};

}  // namespace quorate::node
