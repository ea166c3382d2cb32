// How long a replica bears with a view. T = min(T_max, T0 * 2^c): T0 follows the commit latency,
// the level c rises with every view that brought no block and falls while a view goes well.
//
// Time runs only while progress can be expected of the primary. It stands still, and goes on where
// it stood, while this replica itself is what everything waits for; it starts anew with progress
// and when work appears. Owned by the engine's thread.
#pragma once

#include <optional>

#include "consensus/pbft/replica_state.hpp"

namespace quorate::consensus::pbft {

class ViewTimer {
 public:
  explicit ViewTimer(ReplicaState& state) : state_(state) {}

  void restore();
  // A view was entered, or left for good.
  void restart();
  // T.
  Duration timeout() const;
  // The level of a view that follows one without a newly executed block.
  std::uint32_t raised_level() const;
  // A stable checkpoint, or a minute in one view without an expiry.
  void calm_down();
  void calm_with_time();
  // Patience was lost: the minute starts anew.
  void on_expiry() { calm_at_ = state_.now + kCalm; }
  // A block of this height is executed here.
  void on_executed(Height height, bool empty);

  // `work` waits, and the primary is what it waits for unless `pause` says otherwise.
  void watch(bool work, bool pause);
  bool expired() const { return due_ && state_.now >= *due_; }
  // Once for every half T of waiting: hand the oldest work to everybody again.
  bool take_relay();

  const std::optional<Instant>& due() const { return due_; }
  const std::optional<Instant>& relay_due() const { return relay_due_; }
  std::optional<Instant> calm_due() const;

 private:
  static constexpr Duration kCalm = std::chrono::seconds(60);

  Duration base() const;
  bool progressed();
  void stop();

  ReplicaState& state_;
  std::optional<Instant> due_;        // work must be done by then, while time runs
  std::optional<Duration> left_;      // what was left of it when time stood still
  std::optional<Instant> relay_due_;  // while time runs
  Height fruitful_;                   // the newest executed height with transactions
  Height watched_fruitful_;
  Height watched_committed_;
  bool watched_eligible_ = false;
  Instant calm_at_;
};

}  // namespace quorate::consensus::pbft
