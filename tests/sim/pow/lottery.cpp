#include "tests/sim/pow/lottery.hpp"

#include <algorithm>

#include "crypto/base/assert.hpp"
#include "crypto/work/bits.hpp"

namespace quorate::sim::pow {

const MinedBlock& Lottery::win(const Header& header, Instant when) {
  const std::uint64_t below = work(header.parent);
  MinedBlock block{header, crypto::work::id_of(header), when, 0, header.height, 0, false, {}};
  block.work = block.leads_to = below + crypto::work::expected_hashes(header.bits);
  const bool first_time = by_id_.emplace(block.id, blocks_.size()).second;
  QUORATE_ASSERT(first_time);
  blocks_.push_back(block);
  for (auto at = by_id_.find(header.parent); at != by_id_.end();) {
    MinedBlock& ancestor = blocks_[at->second];
    if (ancestor.deepest >= header.height && ancestor.leads_to >= block.work) break;
    ancestor.deepest = std::max(ancestor.deepest, header.height);
    ancestor.leads_to = std::max(ancestor.leads_to, block.work);
    at = by_id_.find(ancestor.header.parent);
  }
  return blocks_.back();
}

const MinedBlock& Lottery::win_byzantine(const Header& header, Instant when,
                                         Instant outlawed_until) {
  win(header, when);
  blocks_.back().byzantine = true;
  blocks_.back().outlawed_until = outlawed_until;
  return blocks_.back();
}

bool Lottery::meets(const Header&, const Digest& id) const {
  return by_id_.count(id) != 0 || loose_.count(id) != 0;
}

const MinedBlock* Lottery::find(const Digest& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &blocks_[found->second];
}

Digest Lottery::highest() const {
  const auto best = std::max_element(
      blocks_.begin(), blocks_.end(),
      [](const MinedBlock& a, const MinedBlock& b) { return a.header.height < b.header.height; });
  return best == blocks_.end() ? Digest{} : best->id;
}

bool Lottery::descends(const Digest& tip, const Digest& ancestor) const {
  Digest at = tip;
  while (at != ancestor) {
    const MinedBlock* block = find(at);
    if (block == nullptr) return false;
    at = block->header.parent;
  }
  return true;
}

Digest Lottery::ancestor(const Digest& tip, Height height) const {
  Digest at = tip;
  while (!at.is_zero() && find(at)->header.height > height) {
    at = find(at)->header.parent;
  }
  return at;
}

Digest Lottery::fork(Digest a, Digest b) const {
  const auto height = [this](const Digest& id) {
    return id.is_zero() ? Height(0) : find(id)->header.height;
  };
  while (a != b) {
    Digest& higher = height(a) >= height(b) ? a : b;
    higher = find(higher)->header.parent;
  }
  return a;
}

std::uint64_t Lottery::work(const Digest& tip) const {
  if (tip == Digest{}) return 0;
  const MinedBlock* block = find(tip);
  QUORATE_ASSERT(block != nullptr);
  return block->work;
}

}  // namespace quorate::sim::pow
