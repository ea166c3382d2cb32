// Leaving a view and entering the next [CL99 4.4].
//
// A replica that sees no progress says SUSPECT, which binds nobody. Once f+1 replicas are against
// the view it sends a VIEW-CHANGE: from then on it votes in no lower view, also after a restart.
// The primary of the next view makes a NEW-VIEW of q VIEW-CHANGEs; whoever accepts it votes again.
// The countdown to the view after that runs only while q replicas want this one or a later one, so
// a partition does not run away through the views. Owned by the engine's thread.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "consensus/pbft/catch_up.hpp"
#include "consensus/pbft/checkpointing.hpp"
#include "consensus/pbft/commit_queue.hpp"
#include "consensus/pbft/normal_case.hpp"
#include "consensus/pbft/replica_state.hpp"

namespace quorate::consensus::pbft {

class ViewChanging {
 public:
  ViewChanging(ReplicaState& state, CommitQueue& commits, NormalCase& normal_case,
               Checkpointing& checkpointing, CatchUp& catch_up)
      : state_(state),
        commits_(commits),
        normal_case_(normal_case),
        checkpointing_(checkpointing),
        catch_up_(catch_up) {}

  void restore();
  void on_suspect(const Suspect& message);
  void on_view_change(const ViewChangePtr& message);
  void on_new_view(ReplicaId from, const NewViewPtr& message);
  // The host has a reason against the primary.
  void on_suspicion(const PrimarySuspected& suspicion);
  // A stable checkpoint calms the timer.
  void on_checkpoint() { calm_down(); }
  // After every step: timers, and whatever the messages allow by now.
  void advance();
  std::optional<Instant> next_deadline() const;

  // A higher view than the active one is promised, so no vote is given until it opens.
  bool changing() const { return state_.durable.promise_view > state_.view(); }
  // When the own VIEW-CHANGE was last sent to everybody.
  Instant sent_at() const { return sent_at_; }
  Duration timeout() const;
  // When the patience with the active view, or with the opening of the promised one, ends.
  std::optional<Instant> patience_ends() const { return changing() ? countdown_ : progress_due_; }
  // For STATUS.
  ReplicaSet view_changes() const;
  std::set<ReplicaId> suspects() const;
  std::size_t memory_bytes() const;

 private:
  struct Suspicion {
    View view;
    Instant until;
  };
  bool enabled() const;
  // view_change.cpp
  bool work() const;
  bool timed() const;
  void watch_progress();
  std::optional<SuspicionReason> own_reason() const;
  void suspect();
  void leave_if_enough();
  void join();
  void count_down();
  void send_again();
  void calm_down();
  void calm_with_time();
  void note(const ViewChangePtr& message);
  void send_view_change(View view, const char* cause);
  // view_entry.cpp
  void open_view();
  bool contradicts(ReplicaId from, const NewView& message);
  void enter(const NewViewPtr& message);

  ReplicaState& state_;
  CommitQueue& commits_;
  NormalCase& normal_case_;
  Checkpointing& checkpointing_;
  CatchUp& catch_up_;

  std::map<ReplicaId, Suspicion> suspicions_;                       // of others, of the active view
  std::map<ReplicaId, ViewChangePtr> highest_;                      // above the active view
  std::optional<std::pair<SuspicionReason, Instant>> host_reason_;  // until when it holds
  std::optional<Instant> progress_due_;  // a height must be committed by then
  std::optional<Instant> relay_due_;
  Height watched_;
  Instant suspect_at_;
  std::optional<Instant> countdown_;
  Instant sent_at_;
  Height executed_mark_;  // when the present view was promised or entered
  Instant calm_at_;
};

}  // namespace quorate::consensus::pbft
