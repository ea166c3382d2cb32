#include "tests/sim/pow/order_model.hpp"

#include "crypto/base/assert.hpp"

namespace quorate::sim::pow {
namespace {

std::string at(Height height) { return std::to_string(height.value()); }

}  // namespace

void OrderModel::start(const Digest& head, Height height) {
  stop();
  QUORATE_ASSERT(height_of(head) == height);
  alive_ = true;
  committed_ = head;
}

void OrderModel::stop() {
  alive_ = due_ = asked_ = unsure_ = false;
  rewinds_ = 0;
  under_way_.clear();
}

Height OrderModel::height_of(const Digest& id) const {
  if (id.is_zero()) return Height(0);
  const MinedBlock* block = lottery_.find(id);
  QUORATE_ASSERT(block != nullptr);
  return block->header.height;
}

std::optional<std::string> OrderModel::step(const consensus::Status& status,
                                            std::uint32_t switches) {
  if (!alive_ || status.starting) return std::nullopt;
  if (switches > 1) {
    lose_track(status);
    return std::nullopt;
  }
  const Digest tip = status.branch->tip_id;
  const Digest shared = lottery_.fork(committed_, tip);
  if (std::exchange(rewinds_, status.branch->rewinds) != status.branch->rewinds) {
    const bool left = shared != committed_;
    committed_ = shared;
    if (!left && !due_ && !unsure_) return "goes back and never left its branch";
    return go_back(height_of(shared), status.last_committed);
  }
  const Height before = height_of(committed_);
  // Whether the ledger has answered does not show. If it had, and the branch were another, the
  // next rewind would have been asked for at once.
  if (asked_ && status.last_committed == before) return std::nullopt;
  if (shared != committed_) {
    due_ = true;
    committed_ = shared;
  }
  if (due_ && status.last_committed != height_of(committed_)) {
    return "commits height " + at(status.last_committed) + " and has to go back to " +
           at(height_of(committed_));
  }
  if (status.last_committed < height_of(committed_)) return "withdraws a commit without a rewind";
  if (status.last_committed == height_of(committed_)) return std::nullopt;
  asked_ = unsure_ = false;
  committed_ = lottery_.ancestor(tip, status.last_committed);
  if (height_of(tip).value() + 1 >= status.last_committed.value() + depth_) return std::nullopt;
  return "commits height " + at(status.last_committed) + " with its tip at " + at(height_of(tip)) +
         ", which is not " + std::to_string(depth_) + " deep";
}

std::optional<std::string> OrderModel::go_back(Height shared, Height committed) {
  due_ = false;
  asked_ = true;
  under_way_.push_back(unsure_ ? std::nullopt : std::optional<Height>(shared));
  if (std::exchange(unsure_, false) || committed == shared) return std::nullopt;
  return "goes back to height " + at(committed) + ", its branches part at " + at(shared);
}

void OrderModel::lose_track(const consensus::Status& status) {
  if (std::exchange(rewinds_, status.branch->rewinds) != status.branch->rewinds) {
    under_way_.push_back(std::nullopt);
    asked_ = true;
  }
  committed_ = lottery_.ancestor(status.branch->tip_id, status.last_committed);
  unsure_ = true;
}

std::optional<std::string> OrderModel::rewound(Height height) {
  if (!alive_) return std::nullopt;
  if (under_way_.empty()) return "goes back to height " + at(height) + " unasked";
  const std::optional<Height> expected = under_way_.front();
  under_way_.pop_front();
  if (!expected || *expected == height) return std::nullopt;
  return "goes back to height " + at(height) + " instead of " + at(*expected);
}

}  // namespace quorate::sim::pow
