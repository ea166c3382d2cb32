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
  const StoredBody* first = state_.log.body(ballot.id);
  if (first != nullptr) state_.outbox.send(std::nullopt, PrePrepare{*slot.core, first->body});
  state_.outbox.send(std::nullopt, second);
}

// A backup that voted for something else was told something else. Both proposals together prove
// that the primary lies; so it gets to see this one too, once per vote.
void NormalCase::confront(const Slot& slot, const Vote& vote) {
  if (vote.kind != VoteKind::prepare || !slot.core || slot.core->ballot.id == vote.ballot.id)
    return;
  const StoredBody* stored = state_.log.body(slot.core->ballot.id);
  if (stored != nullptr) {
    state_.outbox.send(vote.replica, PrePrepare{*slot.core, stored->body});
  }
}

}  // namespace quorate::consensus::pbft
