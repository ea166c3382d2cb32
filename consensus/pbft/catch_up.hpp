// Decides when this replica cannot reach what is proved to be committed by its own means, and asks
// the host to fetch blocks from peers. Only signatures are evidence: a certificate or a stable
// checkpoint. What a peer claims is never a target. Owned by the engine's thread.
#pragma once

#include <optional>

#include "consensus/pbft/replica_state.hpp"

namespace quorate::consensus::pbft {

class CatchUp {
 public:
  explicit CatchUp(ReplicaState& state) : state_(state) {}

  // `height` is proved to be committed.
  void raise(Height height) { evidence_ = std::max(evidence_, height); }
  Height evidence() const { return std::max(evidence_, state_.last_committed); }
  bool behind() const { return evidence_ > state_.last_committed; }
  // The last round from here brought nothing: what is missing may be committed nowhere, because a
  // later height was agreed on before it.
  bool fruitless() const { return fruitless_at_ == state_.last_committed; }
  void on_finished();
  // After every step: asks the host once messages alone do not help.
  void advance();
  std::optional<Instant> next_deadline() const;

 private:
  // The next height is in reach of retransmission for a while; far ones are not.
  bool far() const {
    return evidence_ > state_.last_committed.saturating_add(state_.settings.body_window());
  }

  ReplicaState& state_;
  Height evidence_;
  Height seen_committed_;
  bool asked_ = false;
  Height asked_above_ = Height::max();
  std::optional<Height> fruitless_at_;
  std::optional<Instant> due_;  // when to ask, while behind
};

}  // namespace quorate::consensus::pbft
