// When a chunk of bytes that came in on one direction of a link goes out on the other side.
//
// Nodes speak TLS over TCP, so nothing can be lost without the stream noticing: what a lossy
// network does to a TCP stream is stalls, and in the end a reset. `loss_percent` is the chance that
// a chunk (what one read gives, at most 16 KiB) is lost and sent again after 200 ms, then 400, 800
// and so on, as TCP's retransmission timer does; everything behind it waits too. A chunk that is
// lost six times in a row resets the connection, and the nodes dial again.
//
// Pure: time and chance are passed in. One per direction and connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>

#include "testnet/perturb/rules.hpp"

namespace quorate::testnet {

class Shaper {
 public:
  using Clock = std::chrono::steady_clock;
  using Chance = std::function<double()>;  // even over [0, 1)

  static constexpr std::chrono::milliseconds kRetransmission{200};
  static constexpr unsigned kLostMax = 6;

  // When the chunk is to leave, never before an earlier one; nothing when the connection is reset.
  std::optional<Clock::time_point> release(const LinkRule& rule, std::size_t bytes,
                                           Clock::time_point now, const Chance& chance);

 private:
  Clock::time_point last_{};  // the latest release
  Clock::time_point free_{};  // when the limited rate has room again
};

}  // namespace quorate::testnet
