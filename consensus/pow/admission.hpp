// Whole blocks that nobody asked for: a miner sends each of its own once, but to send again what
// everybody has costs nothing. Each peer has an allowance, many times what a correct one needs;
// what is above is dropped before the engine looks at it, and whoever keeps at it is reported.
// Messages of the other types are counted by the host (VerifiedMessage::is_unsigned). Owned by the
// engine's thread.
#pragma once

#include <map>

#include "consensus/token_bucket.hpp"
#include "crypto/base/strong_int.hpp"

namespace quorate::consensus::pow {

class Admission {
 public:
  enum class Verdict : std::uint8_t { welcome, dropped, reported };

  // Of one more unasked block.
  Verdict take(ReplicaId from, Instant now) {
    Peer& peer = peers_[from];
    if (peer.allowance.take(1, now)) return Verdict::welcome;
    return ++peer.excess % kExcessReported == 0 ? Verdict::reported : Verdict::dropped;
  }
  std::size_t memory_bytes() const { return peers_.size() * 128; }

  // At the smallest interval a chain makes six blocks a second (each states another time than most
  // of the eleven before it). Answers that came late to be counted as asked for are as many.
  static constexpr std::uint64_t kBurst = 256;
  static constexpr std::uint64_t kPerSecond = 64;
  static constexpr std::uint64_t kExcessReported = 1'000;

 private:
  struct Peer {
    TokenBucket allowance{kBurst, kPerSecond};
    std::uint64_t excess = 0;
  };
  std::map<ReplicaId, Peer> peers_;
};

}  // namespace quorate::consensus::pow
