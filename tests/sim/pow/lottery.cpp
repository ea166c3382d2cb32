#include "tests/sim/pow/lottery.hpp"

#include <algorithm>

#include "crypto/base/assert.hpp"
#include "crypto/work/bits.hpp"

namespace quorate::sim::pow {

const MinedBlock& Lottery::win(const Header& header, Instant when) {
  const std::uint64_t below = work(header.parent);
  MinedBlock block{header, crypto::work::id_of(header), when, 0, header.height};
  block.work = below + crypto::work::expected_hashes(header.bits);
  const bool first_time = by_id_.emplace(block.id, blocks_.size()).second;
  QUORATE_ASSERT(first_time);
  blocks_.push_back(block);
  for (auto at = by_id_.find(header.parent); at != by_id_.end();) {
    MinedBlock& ancestor = blocks_[at->second];
    if (ancestor.deepest >= header.height) break;
    ancestor.deepest = header.height;
    at = by_id_.find(ancestor.header.parent);
  }
  return blocks_.back();
}

bool Lottery::meets(const Header&, const Digest& id) const { return by_id_.count(id) != 0; }

const MinedBlock* Lottery::find(const Digest& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &blocks_[found->second];
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

std::uint64_t Lottery::work(const Digest& tip) const {
  if (tip == Digest{}) return 0;
  const MinedBlock* block = find(tip);
  QUORATE_ASSERT(block != nullptr);
  return block->work;
}

}  // namespace quorate::sim::pow
