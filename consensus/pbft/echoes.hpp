// How old what comes over each line is. Every STATUS has a number and repeats the newest number
// that its sender heard from everybody: whoever is answered with a number of its own from ten
// seconds ago hears what was said ten seconds ago, or is heard ten seconds late. Frames of a class
// keep their order, so votes and certificates are as old. It takes no clock but the own one, and a
// liar can only make its own line look better or worse. Owned by the engine's thread.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "consensus/pbft/messages.hpp"
#include "crypto/base/instant.hpp"

namespace quorate::consensus::pbft {

class Echoes {
 public:
  explicit Echoes(std::uint32_t members)
      : heard_(members), answered_(members), executed_(members) {}

  // Numbers count from the life on: what answers an earlier life answers nothing now.
  void begin(std::uint64_t life) { life_ = life; }
  // A STATUS leaves for everybody; gives its number.
  std::uint64_t send(Instant now);
  void receive(ReplicaId from, ReplicaId self, const StatusReport& report);
  std::uint64_t newest() const { return life_ + sent_; }
  const std::vector<std::uint64_t>& heard() const { return heard_; }
  // When this replica sent the oldest STATUS that `replica` has not answered; at the latest then,
  // after dozens of them. None: it has answered them all.
  std::optional<Instant> unanswered_since(ReplicaId replica) const;
  // The highest height that `enough` others say they have executed.
  Height claimed(std::uint32_t enough) const;
  std::size_t memory_bytes() const;

 private:
  std::uint64_t life_ = 0;
  std::uint64_t sent_ = 0;               // STATUSes of this life
  std::deque<Instant> sent_at_;          // of the newest ones
  std::vector<std::uint64_t> heard_;     // by replica, as it numbers them
  std::vector<std::uint64_t> answered_;  // by replica: so many of this life's
  std::vector<Height> executed_;         // by replica, as it says
};

}  // namespace quorate::consensus::pbft
