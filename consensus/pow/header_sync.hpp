// Learns which headers peers have: by a locator, from one peer at a time, page by page, the next
// peer when one does not answer. Nothing that a peer claims counts, only headers whose work holds.
// A peer that showed a block of unknown parents, or has more than was asked for in its turn, is
// asked soon, but never twice before the next one in turn; without news every peer is asked in
// turn, so that a lost announcement costs seconds. On a branch that a peer alone has shown its next
// answer begins where its last one ended. Owned by the engine's thread.
#pragma once

#include <optional>
#include <set>

#include "consensus/pow/block_intake.hpp"
#include "consensus/pow/engine_state.hpp"

namespace quorate::consensus::pow {

class HeaderSync {
 public:
  HeaderSync(EngineState& state, BlockIntake& intake) : state_(state), intake_(intake) {}

  // This peer has a block whose parents are unknown here.
  void on_detached(ReplicaId peer) { ahead_.insert(peer); }
  // How the first of them fared that did not join, if one did not.
  BlockIntake::Seen on_headers(ReplicaId from, const Headers& answer);
  // `news`: since when this replica has its tip.
  void advance(Instant news);
  std::optional<Instant> next_deadline() const;

  // A question to this peer is open.
  bool awaits(ReplicaId peer) const { return question_ && question_->peer == peer; }
  // Nobody has answered in this life yet, and there was little time to.
  bool asking_first() const;

 private:
  struct Question {
    ReplicaId peer;
    Digest from;
    Instant until;
  };
  void ask(ReplicaId peer, const Block& from);
  const Block& beginning(ReplicaId peer) const;
  void follow(ReplicaId from, const Headers& answer, const Block& last, bool asked_for, bool news);
  std::vector<Waypoint> locator(const Block& from) const;
  std::optional<ReplicaId> next_peer();
  std::optional<ReplicaId> peer_in_turn();

  EngineState& state_;
  BlockIntake& intake_;
  std::optional<Question> question_;
  Height page_end_;            // where the page before this question ended, if it is not the first
  std::uint32_t pages_ = 0;    // that the same peer was asked for in a row
  bool more_to_come_ = false;  // a peer brought something and may have more: the next one is asked
  std::set<ReplicaId> ahead_;
  bool asked_ahead_ = false;             // the last question went to one of them
  std::optional<ReplicaId> last_ahead_;  // who was the last of them to be asked
  struct TooFar {
    ReplicaId peer;
    Height height;
  };
  std::optional<TooFar> too_far_;  // a peer has headers too far above the ledger for now
  std::uint32_t turn_ = 0;
  Instant asked_at_;
  std::uint32_t questions_ = 0;
  Instant due_;
  bool answered_ = false;
};

}  // namespace quorate::consensus::pow
