// What one replica may have ordered, by the branches that it preferred: after every event the
// newest Commit stands on its preferred branch, deep enough; where it left the branch of its
// Commits it goes back to where the branches part, to no other height, and commits nothing until it
// has. Exact, from what the engine's status says after each event. One life of one replica; one
// thread.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "consensus/engine.hpp"
#include "tests/sim/pow/lottery.hpp"

namespace quorate::sim::pow {

class OrderModel {
 public:
  OrderModel(const Lottery& lottery, std::uint64_t depth) : lottery_(lottery), depth_(depth) {}

  // A life begins with this ledger.
  void start(const Digest& head, Height height);
  // It is over.
  void stop();
  // After an event in which the preferred branch changed to another one `switches` times. Nothing,
  // or what is wrong.
  std::optional<std::string> step(const consensus::Status& status, std::uint32_t switches);
  // The ledger stands at this height again.
  std::optional<std::string> rewound(Height height);

  // The newest block that is committed, or was executed when the life began.
  const Digest& committed() const { return committed_; }

 private:
  std::optional<std::string> go_back(Height shared, Height committed);
  void lose_track(const consensus::Status& status);
  Height height_of(const Digest& id) const;

  const Lottery& lottery_;
  std::uint64_t depth_;
  bool alive_ = false;
  Digest committed_;
  bool due_ = false;     // a rewind to committed_, as soon as that is executed
  bool asked_ = false;   // the ledger was asked to go back, and may still be at it
  bool unsure_ = false;  // the branch changed twice in one event: what was due there is not known
  std::uint64_t rewinds_ = 0;
  std::deque<std::optional<Height>> under_way_;  // none: to a height that is not known
};

}  // namespace quorate::sim::pow
