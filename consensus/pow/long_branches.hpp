// Weighs the branches of peers that reach above the block tree. The tree takes headers only so far
// above the ledger's head, and what it sees of a branch within that may mislead: fewer blocks of
// more work each outweigh the beginning of a branch that has more work in all. So where a peer has
// more than the tree takes, on a branch that seems lighter, its headers pass through here page by
// page, each checked by every rule that a header must keep, from the block on that the tree kept
// last. The work that they prove counts for the last block of that branch which the tree holds, and
// for those that lead there (BlockTree::set_proved, way_marks): when it is the most, the branch is
// fetched, preferred and committed as far as the tree reaches, the tree reaches further then, and
// so on to its end.
//
// What counts so is work that was done, more than on any other branch; but nobody has seen the
// payloads yet. When one of them turns out invalid, the peer has to show that its branch avoids it,
// or what it proved is taken back; likewise when nothing comes nearer for a while. The branch that
// was left counts again then, as far as its payloads are at hand: what a Rewind took from the
// ledger may be gone, and has to come from peers.
//
// Bounded: per peer the newest header of its branch, one sum and those ids; a peer that leads
// nowhere is left alone, each time for longer. Owned by the engine's thread.
#pragma once

#include <map>
#include <optional>

#include "consensus/pow/commit_tracker.hpp"
#include "consensus/pow/engine_state.hpp"
#include "consensus/pow/page_pace.hpp"
#include "consensus/pow/way_marks.hpp"

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
  // This block turned out invalid.
  void prove_again(const Digest& invalid);
  void advance();
  std::optional<Instant> next_deadline() const;
  std::size_t memory_bytes() const;

 private:
  // How far a branch that is followed is here, with every payload.
  struct Reached {
    Digest at;
    work::Uint256 work;
    Height height;
    work::Uint256 work_step;  // so much more of either is nearer
    std::uint64_t height_step = 0;
    Duration idle{0};  // followed for so long since it came nearer
  };
  // A peer's branch above the tree.
  struct Probe {
    Digest on;         // what it stands on in the tree
    work::Context at;  // how far it was read
    WayMarks marks;
    std::optional<Proved> proved;
    Digest end;             // the last block of what was proved
    work::Uint256 most;     // that ever was
    bool complete = false;  // read to its end
    bool doubted = false;   // read once more from `on`, to prove the same again
    PageTurn turn;
    std::optional<Reached> reached;
  };
  struct LeftAlone {
    Instant until;
    std::uint32_t times = 0;
  };
  const Block* last_kept(const Headers& shown) const;
  void ask(ReplicaId peer, Probe& probe);
  void take(ReplicaId from, Probe& probe, const Headers& page);
  void prove_so_far(Probe& probe) const;
  bool add(ReplicaId from, Probe& probe, const Identified& entry);
  void begin_again(Probe& probe);
  bool is_left_alone(ReplicaId peer) const;
  void leave_alone(ReplicaId peer);
  bool useful(ReplicaId peer, Probe& probe);
  void drop_useless();
  const Block& last_kept(Probe& probe) const;
  bool is_on_way(const Block& block, const Block& end) const;
  Probe* heaviest();
  Proved claim_of(Probe& probe) const;
  void judge();
  void forget_lost_payloads();
  bool ledger_is_behind() const;
  bool comes_nearer(Probe& probe) const;
  void watch();

  EngineState& state_;
  const CommitTracker& commits_;
  std::map<ReplicaId, Probe> probes_;
  std::map<ReplicaId, LeftAlone> left_alone_;
  Instant look_at_;    // whether what is followed comes nearer
  Instant raised_at_;  // when what counts last became more
};

}  // namespace quorate::consensus::pow
