// Remembers a branch that is read from a peer and not kept: the ids of some of its blocks at even
// distances above the one that it stands on. So when the tree takes some of the branch later, it is
// known how far up the tree holds it, and what merely parts from it on the way is not taken for it.
// Bounded: when there are too many the distance doubles. Owned by the engine's thread.
#pragma once

#include <algorithm>
#include <vector>

#include "consensus/pow/block_tree.hpp"

namespace quorate::consensus::pow {

class WayMarks {
 public:
  static constexpr std::size_t kMarksMax = 16'384;  // half a megabyte

  WayMarks() = default;
  WayMarks(Height on, std::uint64_t apart)
      : apart_(std::max<std::uint64_t>(apart, 1)), on_(on.value() - on.value() % apart_) {}

  // The branch leads over this block. Called for one block after the other, upwards, again from
  // `on` or a mark if it is read once more. False: it led elsewhere before, and what was known
  // above is forgotten.
  bool pass(Height height, const Digest& id) {
    const std::uint64_t above = height.value() - on_.value();
    if (above % apart_ != 0) return true;
    const auto index = static_cast<std::size_t>(above / apart_ - 1);
    if (index < ids_.size() && ids_[index] == id) return true;
    const bool is_new = index >= ids_.size();
    ids_.resize(std::min(index, ids_.size()));
    ids_.push_back(id);
    if (ids_.size() == kMarksMax) thin_out();
    return is_new;
  }
  // The branch ends at this height.
  void end(Height height) {
    const std::uint64_t above = height.value() - on_.value();
    ids_.resize(std::min(static_cast<std::size_t>(above / apart_), ids_.size()));
  }
  // The highest of them that the tree holds and does not know to be invalid; null if there is none.
  const Digest* highest_in(const BlockTree& tree) {
    const auto holds = [&tree](const Digest& id) {
      const Block* block = tree.find(id);
      return block != nullptr && !block->condemned;
    };
    held_ = std::min(held_, ids_.size());
    while (held_ < ids_.size() && holds(ids_[held_])) ++held_;
    while (held_ > 0 && !holds(ids_[held_ - 1])) --held_;
    return held_ == 0 ? nullptr : &ids_[held_ - 1];
  }
  std::size_t memory_bytes() const { return ids_.capacity() * sizeof(Digest); }

 private:
  void thin_out() {
    for (std::size_t i = 0; i < ids_.size() / 2; ++i) ids_[i] = ids_[2 * i + 1];
    ids_.resize(ids_.size() / 2);
    apart_ *= 2;
    held_ /= 2;
  }

  std::uint64_t apart_ = 1;
  Height on_;                // or so close below that two who read one branch mark the same blocks
  std::vector<Digest> ids_;  // the lowest first
  std::size_t held_ = 0;     // so many of them the tree held when it was last asked
};

}  // namespace quorate::consensus::pow
