// What scenarios watch for. Each is made at the beginning of a scenario and lives as long as it.
#pragma once

#include "tests/scenarios/stage.hpp"

namespace quorate::scenarios {

// What the NEW-VIEW of each view proposes, as it passed on the wire.
class NewViews {
 public:
  explicit NewViews(Stage& stage) {
    stage.rule([this](const Passing& passing) {
      const auto* shared = as<pbft::NewViewPtr>(passing);
      if (shared != nullptr) seen_.emplace((*shared)->view, *shared);
      return kPass;
    });
  }
  std::optional<Digest> proposed(View view, Height height) const {
    const auto found = seen_.find(view);
    return found == seen_.end() ? std::nullopt : proposed_at(*found->second, height);
  }

 private:
  std::map<View, pbft::NewViewPtr> seen_;
};

// Which proposals the first view made, as they passed on the wire.
class Proposals {
 public:
  explicit Proposals(Stage& stage) {
    stage.rule([this](const Passing& passing) {
      const auto* message = as<pbft::PrePrepare>(passing);
      if (message != nullptr) ids_.emplace(message->core.ballot.height, message->core.ballot.id);
      return kPass;
    });
  }
  Digest at(Height height) const { return ids_.at(height); }
  std::size_t count() const { return ids_.size(); }

 private:
  std::map<Height, Digest> ids_;
};

// How many replicas prepared a height in a view.
class Prepared {
 public:
  explicit Prepared(Stage& stage) {
    stage.watch([this](std::uint32_t replica, const node::Notice& notice) {
      if (notice.kind == node::Notice::Kind::progress &&
          notice.phase == consensus::Progress::Phase::prepared) {
        who_[{notice.view, notice.height}].insert(replica);
      }
    });
  }
  std::size_t count(View view, Height height) const {
    const auto found = who_.find({view, height});
    return found == who_.end() ? 0 : found->second.size();
  }

 private:
  std::map<std::pair<View, Height>, std::set<std::uint32_t>> who_;
};

}  // namespace quorate::scenarios
