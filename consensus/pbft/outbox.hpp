// Collects the outputs of one step and hands out persist tokens. What must happen once a record is
// durable waits here as a DurableAction. Owned by the engine's thread.
#pragma once

#include <map>
#include <variant>
#include <vector>

#include "consensus/engine.hpp"
#include "consensus/pbft/type_name.hpp"
#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

// A vote counts for its own sender only once it is durable, like for everybody else: otherwise a
// replica could commit on a vote that a crash makes it forget.
struct OwnCommitDurable {
  Ballot ballot;
};
struct OwnSealDurable {
  Height height;
};
struct OwnCheckpointDurable {
  Height height;
};
struct CheckpointAdopted {
  Height height;
};
struct LogOpened {};  // the first record of a new vote log
using DurableAction = std::variant<std::monostate, OwnCommitDurable, OwnSealDurable,
                                   OwnCheckpointDurable, CheckpointAdopted, LogOpened>;

class Outbox {
 public:
  explicit Outbox(Epoch epoch) : epoch_(epoch) {}
  // Outputs of the step that begins now go to `out`.
  void open(std::vector<Output>& out) { out_ = &out; }

  template <class Out>
  void emit(Out output) {
    out_->push_back(std::move(output));
  }

  PersistToken persist(Bytes record, bool snapshot, DurableAction action) {
    last_issued_ = last_issued_.next();
    waiting_.emplace(last_issued_, std::move(action));
    emit(Persist{last_issued_, std::move(record), snapshot});
    return last_issued_;
  }

  // Held back until everything handed to the vote log so far is durable.
  void send_durably(std::optional<ReplicaId> to, const Message& message) {
    std::optional<PersistToken> after;
    if (last_issued_ > last_durable_ && !leaves_early(message)) after = last_issued_;
    emit(Send{to, encode(epoch_, message), after, type_name(message)});
  }
  // For what binds nobody: STATUS, FETCH, DATA and certificates.
  void send(std::optional<ReplicaId> to, const Message& message) {
    emit(Send{to, encode(epoch_, message), std::nullopt, type_name(message)});
  }

  // The vote log is FIFO: everything up to `token` is durable. Returns what waited for it, in
  // order.
  std::vector<DurableAction> durable_up_to(PersistToken token) {
    std::vector<DurableAction> due;
    last_durable_ = std::max(last_durable_, token);
    while (!waiting_.empty() && waiting_.begin()->first <= token) {
      due.push_back(std::move(waiting_.begin()->second));
      waiting_.erase(waiting_.begin());
    }
    return due;
  }

 private:
  // One bug for each kind of message that must wait for the disk.
  static bool leaves_early(const Message& message) {
    const auto* vote = std::get_if<Vote>(&message);
    const bool prepare = vote != nullptr && vote->kind == VoteKind::prepare;
    const bool commit = vote != nullptr && vote->kind == VoteKind::commit;
    return (QUORATE_MUTANT(proposal_sent_early) && std::holds_alternative<PrePrepare>(message)) ||
           (QUORATE_MUTANT(prepare_sent_early) && prepare) ||
           (QUORATE_MUTANT(commit_sent_early) && commit) ||
           (QUORATE_MUTANT(seal_sent_early) && std::holds_alternative<Seal>(message)) ||
           (QUORATE_MUTANT(checkpoint_sent_early) &&
            std::holds_alternative<CheckpointVote>(message)) ||
           (QUORATE_MUTANT(view_change_sent_early) &&
            std::holds_alternative<ViewChangePtr>(message)) ||
           (QUORATE_MUTANT(new_view_sent_early) && std::holds_alternative<NewViewPtr>(message));
  }

  Epoch epoch_;
  std::vector<Output>* out_ = nullptr;
  PersistToken last_issued_;
  PersistToken last_durable_;
  std::map<PersistToken, DurableAction> waiting_;
};

}  // namespace quorate::consensus::pbft
