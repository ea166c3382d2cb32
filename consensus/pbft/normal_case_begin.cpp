// How the slots of a view come into being: from its NEW-VIEW, or from the vote log of an earlier
// life.
#include "consensus/pbft/normal_case.hpp"

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

// ---- a view begins ----

void NormalCase::enter_view() {
  held_.clear();
  late_in_a_row_ = 0;
  last_proposed_ = Height(0);
  wanted_.clear();
  state_.log.enter_view(state_.view(), needed_bodies());
  install_proposals();
}

// What may still be committed here, or asked for by others in this view.
std::set<Digest> NormalCase::needed_bodies() const {
  std::set<Digest> out;
  if (QUORATE_MUTANT(bodies_dropped_on_entry)) return out;
  for (const auto& entry : state_.durable.prepared) out.insert(entry.second.core.ballot.id);
  for (const auto& entry : state_.durable.accepted) {
    if (entry.second.payload) out.insert(entry.second.core.ballot.id);
  }
  for (const auto& entry : commits_.waiting()) out.insert(entry.second.id);
  for (const Core& core : state_.durable.new_view->proposals) out.insert(core.ballot.id);
  return out;
}

void NormalCase::install_proposals() {
  const NewViewPtr& opened = state_.durable.new_view;
  if (!opened || QUORATE_MUTANT(new_view_proposals_ignored)) return;
  for (const ViewChangePtr& message : opened->view_changes) {
    if (QUORATE_MUTANT(new_view_checkpoint_ignored)) continue;
    view_low_ = std::max(view_low_, message->low_watermark());
  }
  last_proposed_ = std::max(last_proposed_, view_low_);
  for (const Core& core : opened->proposals) {
    const SlotKey key = key_of(core.ballot);
    last_proposed_ = std::max(last_proposed_, key.height);
    if (key.height <= state_.low) continue;
    Slot& slot = state_.log.slot(key);
    slot.core = core;
    slot.reproposed = true;
    // Decided in an earlier life: the ledger says whether it is the same proposal.
    const bool decided = key.height <= state_.last_committed;
    if (decided && commits_.find(key.height) == nullptr) {
      state_.outbox.emit(LoadPayload{core.ballot.id});
    }
  }
}

// ---- a life begins ----

void NormalCase::restore() {
  for (const auto& [key, record] : state_.durable.accepted) {
    if (QUORATE_MUTANT(proposals_forgotten_at_restart) && !record.prepare) continue;
    if (QUORATE_MUTANT(prepares_forgotten_at_restart) && record.prepare) continue;
    Slot& slot = state_.log.slot(key);
    slot.core = record.core;
    slot.accepted = true;
    slot.accepted_at = state_.now;
    if (record.prepare) {
      slot.prepares.emplace(record.prepare->replica,
                            Slot::Signed{record.core.ballot.id, record.prepare->signature});
    } else if (key.view == state_.view()) {
      last_proposed_ = std::max(last_proposed_, key.height);
    }
    if (!record.payload || key.height <= state_.last_executed) continue;
    const Digest& id = record.core.ballot.id;
    state_.log.store(id, Body{record.header, record.payload}).validity = Validity::valid;
    // The answer changes nothing; the host learns what is proposed above its head.
    state_.outbox.emit(Validate{key.height, id, *record.payload});
  }
  install_proposals();
  for (const auto& [key, vote] : state_.durable.commits) {
    Slot& slot = state_.log.slot(key);
    slot.prepared = true;
    slot.commits.emplace(vote.replica, Slot::Signed{vote.ballot.id, vote.signature});
  }
  for (const auto& [height, certificate] : state_.durable.prepared) {
    Slot& slot = state_.log.slot(key_of(certificate.core.ballot));
    for (const auto& prepare : certificate.prepares) {
      slot.prepares.emplace(prepare.replica,
                            Slot::Signed{certificate.core.ballot.id, prepare.signature});
    }
  }
  // As when the view was entered: what was promised of earlier ones stands in the durable state.
  state_.log.forget_slots_below(state_.view());
}

}  // namespace quorate::consensus::pbft
