// What the scripts of villains have in common: what a frame holds, and proposals changed on their
// way out.
#pragma once

#include <functional>
#include <utility>

#include "tests/scenarios/stage.hpp"

namespace quorate::scenarios {

template <class T>
const T* content(const sim::Said& said) {
  return said.message ? std::get_if<T>(said.message.get()) : nullptr;
}

// The villain's own VIEW-CHANGE.
inline const pbft::ViewChange* own_view_change(const sim::Villain& villain, const sim::Said& said) {
  const auto* message = content<pbft::ViewChangePtr>(said);
  return message != nullptr && (*message)->replica == villain.self() ? message->get() : nullptr;
}

// The proposals of one view, changed; everything else goes out as it is.
inline sim::Script with_proposals(
    std::function<void(sim::Villain&, ReplicaId to, const pbft::PrePrepare&)> propose,
    View view = View(0)) {
  sim::Script script;
  script.say = [propose = std::move(propose), view](sim::Villain& villain, ReplicaId to,
                                                    const sim::Said& said) {
    const auto* proposal = content<pbft::PrePrepare>(said);
    if (proposal == nullptr || proposal->core.ballot.view != view) return villain.pass(to, said);
    propose(villain, to, *proposal);
  };
  return script;
}

// Makes the core fit the header and the payload again.
inline pbft::PrePrepare signed_again(const sim::Villain& villain, pbft::PrePrepare proposal,
                                     const crypto::Membership& membership) {
  pbft::ProposalHeader& header = proposal.body.header;
  header.payload_digest = pbft::payload_digest(*proposal.body.payload);
  proposal.core = villain.core(
      {proposal.core.ballot.view, header.height, pbft::proposal_id(membership, header)});
  return proposal;
}

}  // namespace quorate::scenarios
