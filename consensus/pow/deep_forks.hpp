// Watches peers whose branch parts from the own one below the root of the block tree, where this
// replica can take nothing back any more. Such a branch is neither kept nor followed; its headers
// pass through here page by page, each checked by every rule that a header must keep, beside the
// own ones of the same heights from the ledger, and the work of both sides is summed up from where
// they part. Only when the other side has more of it do people have to help (Status::Branch::
// parted_at): so the alarm cannot be raised by anybody who did not do more work, since then, than
// everybody on the own branch together, and what peers merely claim does nothing.
//
// Bounded: per peer the newest header of its branch, two sums and at most one page; a peer that
// leads nowhere is left alone for a minute. Owned by the engine's thread.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "consensus/pow/engine_state.hpp"
#include "consensus/pow/page_pace.hpp"

namespace quorate::consensus::pow {

class DeepForks {
 public:
  explicit DeepForks(EngineState& state) : state_(state) {}

  // This peer shows headers from below the root.
  void suspect(ReplicaId peer);
  // True: they answer a question that was asked here. `asked_elsewhere`: the block tree has asked
  // the same peer.
  bool on_headers(ReplicaId from, const Headers& answer, bool asked_elsewhere);
  // True: they were asked for here.
  bool on_loaded(const CertificatesLoaded& loaded);
  void advance();
  std::optional<Instant> next_deadline() const;

  // The last height that this replica shares with a branch of more work; none: there is no such.
  std::optional<Height> parted_at() const { return parted_at_; }
  std::size_t memory_bytes() const;

 private:
  // A peer's branch beside the own one.
  struct Fork {
    work::Context at;                       // the newest block of the peer's branch
    std::optional<work::Context> parts;     // the last that both have; none: they have not parted
    work::Uint256 theirs;                   // above it
    work::Uint256 ours;                     // above it, up to `counted_to`
    Height counted_to;                      // on the own branch
    std::optional<work::Uint256> complete;  // the tree's work there, once it is the root
  };
  struct Probe {
    std::optional<Fork> fork;  // none: not found yet
    PageTurn turn;
    Headers page;  // waits for the own headers beside it
    std::optional<Height> loading;
  };
  bool waypoints_ready();
  void build_waypoints();
  void ask(ReplicaId peer, Probe& probe);
  bool answers(const Probe& probe, const Digest& parent, bool asked_elsewhere) const;
  void load_beside(Probe& probe);
  bool begin_fork(Probe& probe, const std::vector<work::Header>& own);
  void compare(ReplicaId peer, Probe& probe, const std::vector<work::Header>& own);
  bool add(Fork& fork, const Identified& header, const work::Header* own);
  void rest(Probe& probe, Duration time);
  void finish(ReplicaId peer);
  bool heavier(const Fork& fork) const;
  void judge();

  EngineState& state_;
  std::map<ReplicaId, Probe> probes_;
  std::map<ReplicaId, Instant> left_alone_;  // until then
  // Own blocks from the root down to genesis, with growing gaps: they never change again.
  std::vector<Waypoint> waypoints_;
  std::vector<Height> to_load_;  // the next one last
  std::optional<Height> loading_;
  std::optional<Height> parted_at_;
};

}  // namespace quorate::consensus::pow
