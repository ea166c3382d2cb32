// The check before the first vote of a life. A replica whose disk was lost, restored or copied may
// have signed what it no longer knows. So it asks a quorum (itself included) for the newest
// messages that they hold from it; a vote that the vote log does not know makes it an observer.
//
// Also keeps the other half: the newest message of each type from every replica, to answer those
// who ask. Owned by the engine's thread.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "consensus/pbft/replica_state.hpp"

namespace quorate::consensus::pbft {

class Startup {
 public:
  explicit Startup(ReplicaState& state) : state_(state) {}

  // The vote log was read: what it holds now is what later answers are compared with, whatever is
  // learned and forgotten until they come.
  void restore();
  // A verified message of another replica.
  void note(const Core& core);
  void note(const Vote& vote);
  void note(const Seal& seal);
  void note(const CheckpointVote& vote);
  void note(const ViewChangeStub& stub);
  void note(const NewViewStub& stub);
  // Of `id`, from the own ledger.
  void note(const Digest& id, const CommitCertificate& certificate);
  // What is held of `replica`, for its STATUS with `starting`.
  std::vector<Witness> witnesses(ReplicaId replica) const;
  // A STATUS that may answer this life's question; an answer to an earlier life knows less than was
  // signed since. True when the check just ended well.
  bool on_answer(ReplicaId from, const StatusReport& report);
  // A quorum of one needs no answers. True when the check just ended well.
  bool try_finish();
  std::size_t memory_bytes() const { return logged_.memory_bytes(); }

 private:
  struct Newest {
    std::optional<Core> core;
    std::optional<Vote> prepare;
    std::optional<Vote> commit;
    std::optional<Seal> seal;
    std::optional<CheckpointVote> checkpoint;
    std::optional<ViewChangeStub> view_change;
    std::optional<NewViewStub> new_view;
  };
  bool known(const Core& core) const;
  bool known(const Vote& vote) const;
  bool known(const Seal& seal) const;
  bool known(const CheckpointVote& vote) const;
  bool known(const ViewChangeStub& stub) const;
  bool known(const NewViewStub& stub) const;
  std::optional<bool> settled(const Ballot& ballot) const;

  ReplicaState& state_;
  DurableState logged_;  // when this life began, without payloads; empty once the check is over
  std::map<ReplicaId, Newest> newest_;
  std::set<ReplicaId> answered_;
};

}  // namespace quorate::consensus::pbft
