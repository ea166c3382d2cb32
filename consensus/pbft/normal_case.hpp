// Ordering in a stable view [CL99 4.2]: PRE-PREPARE, PREPARE, COMMIT. Several heights run at once
// and may finish in any order; the commit queue puts them in sequence.
//
// A slot moves on whenever something about it changes, through three steps that each check their
// own condition: accept (log the proposal, send PREPARE), prepare (log the certificate, send
// COMMIT), commit (hand the certificate to the commit queue). Owned by the engine's thread.
#pragma once

#include <set>

#include "consensus/pbft/commit_queue.hpp"
#include "consensus/pbft/replica_state.hpp"

namespace quorate::consensus::pbft {

class NormalCase {
 public:
  NormalCase(ReplicaState& state, CommitQueue& commits) : state_(state), commits_(commits) {}

  // The active view has just begun: nothing of earlier views is voted for any more, and what the
  // NEW-VIEW proposes waits for its bodies and votes.
  void enter_view();
  // No payload is needed any more for the request that is open.
  void cancel_request();
  // Rebuilds slots, bodies and the next proposal from the durable state.
  void restore();

  void on_pre_prepare(const PrePrepare& message);
  void on_vote(const Vote& message);
  void on_proposal(ProposalReady proposal);
  void on_validated(const Digest& id, bool valid);
  // Takes a fetched body if some slot or certificate waits for it.
  void on_body(const Body& body);
  void on_own_commit_durable(const Ballot& ballot);
  // Asks the host for the next payload if this replica may propose one.
  void request_proposal();
  // The permission to vote changed (a watermark moved, the start is over): every slot again.
  void revisit();
  // So many proposals in a row came late, the newest of them a moment ago, that no restart explains
  // it: the primary's clock stands still, or it holds proposals back.
  bool keeps_coming_late() const {
    return late_in_a_row_ > state_.settings.proposals_in_flight && state_.now < late_until_;
  }
  // Proposals whose time has come.
  void on_tick();
  std::optional<Instant> next_deadline() const;
  // A commit quorum, an accepted core or a view to be opened whose body is not here: the ids to
  // fetch, with heights.
  std::vector<std::pair<Height, Digest>> missing_bodies() const;
  // What the view to be opened may have to propose again.
  void want_bodies(std::vector<std::pair<Height, Digest>> wanted) { wanted_ = std::move(wanted); }

 private:
  void advance(SlotKey key);
  void accept(SlotKey key, Slot& slot);
  bool acceptable(SlotKey key, Slot& slot);
  bool fresh(const SlotKey& key, Slot& slot, const ProposalHeader& header);
  bool due(const SlotKey& key, const ProposalHeader& header);
  void note_lateness(const ProposalHeader& header);
  bool valid(SlotKey key, Slot& slot, const Digest& id);
  void log_and_prepare(SlotKey key, Slot& slot, const ProposalHeader& header, Payload payload);
  void prepare(SlotKey key, Slot& slot);
  void commit(SlotKey key, Slot& slot);
  void report_equivocation(Slot& slot, const PrePrepare& second);
  void confront(const Slot& slot, const Vote& vote);
  void show(std::optional<ReplicaId> to, const Core& core);
  void install_proposals();
  std::set<Digest> needed_bodies() const;
  bool is_null(const Ballot& ballot) const;
  void propose(const ProposalHeader& header, Payload payload);
  std::vector<Digest> ahead() const;
  std::optional<Digest> committed_id(const Slot& slot) const;

  ReplicaState& state_;
  CommitQueue& commits_;
  Height last_proposed_;  // in the active view
  Height view_low_;       // the active view took nothing over at or below it, and proposes nothing
  std::optional<SlotKey> request_;   // the one open RequestProposal
  std::uint64_t late_in_a_row_ = 0;  // fresh proposals of the active view
  Instant late_until_{};             // how long the newest of them counts
  std::map<SlotKey, Instant> held_;  // proposals ahead of this replica's clock, until when
  std::vector<std::pair<Height, Digest>> wanted_;  // bodies, for a view that this replica opens
};

}  // namespace quorate::consensus::pbft
