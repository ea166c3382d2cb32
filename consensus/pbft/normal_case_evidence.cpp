// How replicas find out together that a primary told them different things.
#include "consensus/pbft/normal_case.hpp"

namespace quorate::consensus::pbft {

// Whoever has not seen both proposals yet gets them now, so that everybody leaves the view.
void NormalCase::report_equivocation(Slot& slot, const PrePrepare& second) {
  const Ballot& ballot = slot.core->ballot;
  slot.equivocation = true;
  state_.accuse(state_.settings.primary(ballot.view),
                "two proposals for height " + std::to_string(ballot.height.value()) + " in view " +
                    std::to_string(ballot.view.value()),
                *slot.core, second.core);
  if (ballot.view != state_.view()) return;
  state_.equivocation_proved = ballot.view;
  show(std::nullopt, *slot.core);
  state_.outbox.send(std::nullopt, second);
}

// A backup that voted for something else was told something else. Both proposals together prove
// that the primary lies; so it gets to see this one too, once per vote.
void NormalCase::confront(const Slot& slot, const Vote& vote) {
  if (vote.kind != VoteKind::prepare || !slot.core || slot.core->ballot.id == vote.ballot.id)
    return;
  show(vote.replica, *slot.core);
}

// The own proposal must be durable before anybody sees it, as ever; another's binds nobody here.
void NormalCase::show(std::optional<ReplicaId> to, const Core& core) {
  const StoredBody* stored = state_.log.body(core.ballot.id);
  if (stored == nullptr) return;
  const PrePrepare proposal{core, stored->body};
  if (state_.settings.is_self(state_.settings.primary(core.ballot.view))) {
    state_.outbox.send_durably(to, proposal);
  } else {
    state_.outbox.send(to, proposal);
  }
}

}  // namespace quorate::consensus::pbft
