// Follows the tip of the heaviest valid branch, tells peers about it, and counts what others'
// branches took back. A block mined here goes to everybody whole; of a block that others brought
// here its header does, to those who are not known to have it. Owned by the engine's thread.
#pragma once

#include <map>
#include <set>

#include "consensus/pow/engine_state.hpp"

namespace quorate::consensus::pow {

class TipChoice {
 public:
  explicit TipChoice(EngineState& state) : state_(state) {}

  void restore() { tip_ = &state_.tree->tip(); }
  const Block& tip() const { return *tip_; }
  // Since when the tip is the tip.
  Instant changed_at() const { return changed_at_; }
  void on_mined(const Digest& id) {
    unsent_.insert(id);
    ++blocks_mined_;
  }
  // This peer has shown the block here.
  void note_known(ReplicaId peer, const Digest& id) { known_[peer] = id; }
  // Takes the tree's tip and sends what there is to tell.
  void advance();

  std::uint64_t blocks_mined() const { return blocks_mined_; }
  std::uint64_t branch_switches() const { return branch_switches_; }
  std::uint64_t deepest_switch() const { return deepest_switch_; }

 private:
  void count_switch(const Block& shared, const Block& left);
  void tell_peers(const Block& shared);

  EngineState& state_;
  const Block* tip_ = nullptr;
  Instant changed_at_;
  std::set<Digest> unsent_;            // own blocks nobody was shown yet
  std::map<ReplicaId, Digest> known_;  // the last block each peer is known to have
  std::uint64_t blocks_mined_ = 0;
  std::uint64_t branch_switches_ = 0;
  std::uint64_t deepest_switch_ = 0;
};

}  // namespace quorate::consensus::pow
