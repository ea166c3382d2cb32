// What a new view must keep: a pure function of the q VIEW-CHANGEs in a NEW-VIEW. The new primary
// and every backup compute it, and a NEW-VIEW that says anything else is refused. Any thread.
#pragma once

#include "consensus/pbft/messages.hpp"

namespace quorate::consensus::pbft {

struct NewViewPlan {
  // The highest stable checkpoint in V; nothing at or below it is proposed again. Null at genesis.
  const CheckpointProof* stable = nullptr;
  Height low;                   // its height
  std::vector<Ballot> ballots;  // O: heights low + 1, + 2, ... without gaps
};

// For each height above the highest checkpoint: the proposal prepared in the highest view, or the
// null proposal below a height that has one. A single certificate is enough, since it may stand for
// a commitment. The plan points into `view_changes`.
// Error conflict: two proposals prepared in one view, so more than f replicas are faulty.
Result<NewViewPlan> compute_new_view(const crypto::Membership& membership, View view,
                                     const std::vector<ViewChangePtr>& view_changes);

}  // namespace quorate::consensus::pbft
