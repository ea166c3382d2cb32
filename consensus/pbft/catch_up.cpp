#include "consensus/pbft/catch_up.hpp"

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

void CatchUp::advance() {
  if (!behind() || asked_ || state_.halted || QUORATE_MUTANT(blocks_never_asked_for)) {
    due_.reset();
    return;
  }
  if (!due_ || seen_committed_ != state_.last_committed) {
    seen_committed_ = state_.last_committed;
    due_ = state_.now + 2 * state_.settings.status_interval_busy;
  }
  if (far() && asked_above_ != state_.last_committed) due_ = state_.now;
  if (*due_ > state_.now) return;
  due_.reset();
  asked_ = true;
  asked_above_ = state_.last_committed;
  state_.outbox.emit(RequestSync{state_.last_committed, evidence_});
}

void CatchUp::on_finished() {
  asked_ = false;
  if (asked_above_ == state_.last_committed) fruitless_at_ = asked_above_;
  // A round that brought nothing is not repeated at once.
  if (asked_above_ != state_.last_committed) asked_above_ = Height::max();
}

std::optional<Instant> CatchUp::next_deadline() const { return due_; }

}  // namespace quorate::consensus::pbft
