// Hands the preferred branch to the ledger, block by block, once each is deep enough, and takes
// back what another branch outweighs: Commit in order of height, Rewind to the last block that both
// branches share. Notes what each block became when it was executed, which is what headers mined
// k + 1 heights later must say. Owned by the engine's thread.
//
// Invariants: at most kCommitsInFlight Commits are unanswered; between Rewind and Rewound there is
// no Commit and no other Rewind; a block is committed only when it and all that make it deep are in
// the synced log.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "consensus/pow/engine_state.hpp"

namespace quorate::consensus::pow {

class CommitTracker {
 public:
  explicit CommitTracker(EngineState& state) : state_(state) {}

  // The ledger's head as this life finds it; it is in the tree.
  void restore(const Block& applied);
  void on_executed(const Executed& executed);
  void on_rewound(Height height);
  // Whatever the preferred branch makes possible.
  void advance();

  // The newest block whose Commit was emitted and not withdrawn, and the newest executed one.
  const Block& committed() const { return *committed_; }
  const Block& executed() const { return *executed_; }
  bool rewinding() const { return rewinding_; }
  // The highest that was committed in this life, or executed before it.
  Height highest() const { return highest_; }
  // The block hash that a child of `tip` names: of its ancestor depth + 1 heights below that child,
  // genesis at the lowest. None while this replica has not executed that block.
  std::optional<Digest> exec_ref(const Block& tip) const;
  std::uint64_t rewinds() const { return rewinds_; }

 private:
  struct InFlight {
    Height height;
    Digest id;
  };
  const Block& last_shared() const;
  const Block* deep_enough() const;
  void commit(const Block& block, const StoredBody& body);
  void rewind();
  void tell_tentative();
  void compare_results();

  EngineState& state_;
  // On the preferred branch, except within a step that leaves it.
  const Block* committed_ = nullptr;
  const Block* executed_ = nullptr;
  Height highest_;
  std::deque<InFlight> in_flight_;  // committed, not yet executed
  bool rewind_due_ = false;         // as soon as `committed_` is executed
  bool rewinding_ = false;
  std::vector<Digest> tentative_;
  Digest compared_;  // compare_results has judged this tip at this executed height
  Height compared_at_;
  std::uint64_t rewinds_ = 0;
};

}  // namespace quorate::consensus::pow
