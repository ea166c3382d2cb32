// One slot: what this replica has seen and done for one height in one view.
#pragma once

#include <map>
#include <optional>

#include "consensus/pbft/messages.hpp"
#include "crypto/base/instant.hpp"
#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

struct Slot {
  struct Signed {
    Digest id;
    Signature signature;
  };
  using Votes = std::map<ReplicaId, Signed>;  // the first of each replica; later ones are dropped

  std::optional<Core> core;  // the first PRE-PREPARE seen; a second one is evidence
  Votes prepares;
  Votes commits;
  bool reproposed = false;    // the core stands in the NEW-VIEW: its proposal may be old or null
  bool accepted = false;      // the PRE-PREPARE was logged, and PREPAREd by a backup
  bool prepared = false;      // the prepared certificate was logged with the COMMIT
  bool refused = false;       // never to be voted for
  bool equivocation = false;  // reported already
  std::optional<Instant> check_began;  // when the host was asked whether the payload is valid
  Instant accepted_at;
  Instant changed;  // when this replica last voted here
};

// The signatures in `votes` for `id`, by replica, leaving out `except`.
inline std::vector<crypto::ReplicaSignature> matching(
    const Slot::Votes& votes, const Digest& id, std::optional<ReplicaId> except = std::nullopt) {
  std::vector<crypto::ReplicaSignature> out;
  for (const auto& [replica, vote] : votes) {
    const bool same = vote.id == id || QUORATE_MUTANT(votes_of_any_proposal_count);
    if (same && replica != except) out.push_back({replica, vote.signature});
  }
  return out;
}

}  // namespace quorate::consensus::pbft
