// Weighs the branches of peers that reach above the block tree. The tree takes headers only so far
// above the ledger's head, and what it sees of a branch within that may mislead: fewer blocks of
// more work each outweigh the beginning of a branch that has more work in all. So where a peer has
// more than the tree takes, on a branch that seems lighter, its headers pass through here page by
// page, each checked by every rule that a header must keep, from the block on that the tree kept
// last. The work that they prove counts for that block (BlockTree::set_proved): when it is the
// most, the branch is fetched, preferred and committed as far as the tree reaches, the tree reaches
// further then, and so on to its end.
//
// What counts so is work that was done, more than on any other branch; but nobody has seen the
// payloads yet. When one of them turns out invalid, the peer has to show that its branch avoids it,
// or what it proved is taken back; likewise when nothing comes nearer for a while. The branch that
// was left counts again then, as far as its payloads are at hand: what a Rewind took from the
// ledger may be gone, and has to come from peers.
//
// Bounded: per peer the newest header of its branch and one sum; a peer that leads nowhere is left
// alone, each time for longer. Owned by the engine's thread.
#pragma once

#include <map>
#include <optional>

#include "consensus/pow/commit_tracker.hpp"
#include "consensus/pow/engine_state.hpp"

namespace quorate::consensus::pow {

class LongBranches {
 public:
  LongBranches(EngineState& state, const CommitTracker& commits)
      : state_(state), commits_(commits) {}

  // The peer has shown headers some of which lie too far above for the tree.
  void suspect(ReplicaId peer, const Headers& shown);
  // True: they answer a question that was asked here. `asked_elsewhere`: another part has asked the
  // same peer.
  bool on_headers(ReplicaId from, const Headers& answer, bool asked_elsewhere);
  // A block turned out invalid.
  void prove_again();
  void advance();
  std::optional<Instant> next_deadline() const;
  std::size_t memory_bytes() const;

 private:
  // A peer's branch above the tree.
  struct Probe {
    Digest on;         // what it stands on in the tree
    work::Context at;  // how far it was read
    std::optional<Proved> proved;
    Digest end;             // the last block of what was proved
    bool complete = false;  // read to its end
    bool doubted = false;   // read once more from `on`, to prove the same again
    std::optional<Instant> until;
    Instant next;
    std::uint32_t unanswered = 0;
  };
  struct LeftAlone {
    Instant until;
    std::uint32_t times = 0;
  };
  // How far what is followed is here.
  struct Reached {
    Digest on;           // of what was proved
    work::Uint256 work;  // that is here, with every payload
    work::Uint256 step;  // so much more of it is nearer
    Instant since;
    Instant look;
  };
  const Block* last_kept(const Headers& shown) const;
  void ask(ReplicaId peer, Probe& probe);
  void take(ReplicaId from, Probe& probe, const Headers& page);
  bool add(ReplicaId from, Probe& probe, const Identified& entry);
  void begin_again(Probe& probe);
  void rest(Probe& probe, Duration time);
  bool is_left_alone(ReplicaId peer) const;
  void leave_alone(ReplicaId peer);
  bool useful(ReplicaId peer, Probe& probe);
  void drop_useless();
  void judge();
  void forget_lost_payloads();
  void watch();
  void give_up();

  EngineState& state_;
  const CommitTracker& commits_;
  std::map<ReplicaId, Probe> probes_;
  std::map<ReplicaId, LeftAlone> left_alone_;
  std::optional<Reached> reached_;
};

}  // namespace quorate::consensus::pow
