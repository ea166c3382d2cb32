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
#include "consensus/pbft/view_timer.hpp"

namespace quorate::consensus::pbft {

class ViewChanging {
 public:
  ViewChanging(ReplicaState& state, CommitQueue& commits, NormalCase& normal_case,
               Checkpointing& checkpointing, CatchUp& catch_up)
      : state_(state),
        commits_(commits),
        normal_case_(normal_case),
        checkpointing_(checkpointing),
        catch_up_(catch_up),
        timer_(state) {}

  void restore();
  void on_suspect(const Suspect& message);
  void on_view_change(const ViewChangePtr& message);
  void on_new_view(ReplicaId from, const NewViewPtr& message);
  // The host has a reason against the primary.
  void on_suspicion(const PrimarySuspected& suspicion);
  // A stable checkpoint inside a view calms the timer.
  void on_checkpoint() {
    if (!changing()) timer_.calm_down();
  }
  void on_executed(Height height, bool empty) { timer_.on_executed(height, empty); }
  // After every step: timers, and whatever the messages allow by now.
  void advance();
  std::optional<Instant> next_deadline() const;

  // A higher view than the active one is promised, so no vote is given until it opens.
  bool changing() const { return state_.durable.promise_view > state_.view(); }
  // The content of the NEW-VIEW that opened the active view.
  const Digest& opened() const { return opened_; }
  // When the own VIEW-CHANGE was last sent to everybody.
  Instant sent_at() const { return sent_at_; }
  // For STATUS.
  ReplicaSet view_changes() const;
  std::set<ReplicaId> suspects() const;
  // For status pages.
  void describe(Status& out) const;
  std::size_t memory_bytes() const;

 private:
  struct Suspicion {
    SuspicionReason reason;
    Instant until;
  };
  bool enabled() const;
  // view_change.cpp
  bool work() const;
  const char* untimed() const;
  void watch_progress();
  std::optional<SuspicionReason> own_reason() const;
  void suspect();
  void leave_if_enough();
  void join();
  void count_down();
  Duration resend_interval() const;
  void send_again();
  void note(const ViewChangePtr& message);
  void send_view_change(View view, const char* cause);
  // view_entry.cpp
  void open_view();
  std::vector<ViewChangePtr> usable(View view, std::uint32_t needed);
  std::vector<std::pair<Height, Digest>> missing_bodies(const ViewChange& message) const;
  Instant patient_until() const { return *countdown_ + -timer_.timeout() / 2; }
  bool patient() const { return !countdown_ || state_.now < patient_until(); }
  void compare(const NewViewPtr& message);
  bool contradicts(ReplicaId from, const NewView& message);
  void enter(const NewViewPtr& message);
  void accuse_prepared(const std::vector<ViewChangePtr>& view_changes);
  void compare_with_own(const ViewChange& message);
  void accuse_view_change(const ViewChange& first, const ViewChange& second);

  ReplicaState& state_;
  CommitQueue& commits_;
  NormalCase& normal_case_;
  Checkpointing& checkpointing_;
  CatchUp& catch_up_;

  ViewTimer timer_;

  std::map<ReplicaId, Suspicion> suspicions_;   // of others, of the active view
  std::map<ReplicaId, ViewChangePtr> highest_;  // above the active view
  std::map<ReplicaId, View> accused_;  // whose two VIEW-CHANGEs for which view are reported
  std::optional<std::pair<SuspicionReason, Instant>> host_reason_;  // until when it holds
  std::optional<SuspicionReason> voiced_;                           // what was last suspected for
  Instant suspect_at_;
  std::optional<Instant> countdown_;
  Instant sent_at_;
  Digest opened_;
  // What usable() depends on: while that stays as it was when fewer than needed were usable, they
  // still are.
  struct Waiting {
    View view;
    std::uint64_t view_changes_seen;
    std::uint64_t body_changes;
    Height executed;
    Height committed;
    bool patient;
    bool operator==(const Waiting&) const = default;
  };
  std::optional<Waiting> waiting_;
  std::uint64_t view_changes_seen_ = 0;  // counts what came into highest_
  std::set<Digest> asked_for_;           // bodies, of whoever named them for the view to be opened
  Height executed_mark_;                 // when the present view was promised or entered
};

}  // namespace quorate::consensus::pbft
