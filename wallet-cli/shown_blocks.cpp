#include "wallet-cli/shown_blocks.hpp"

#include <algorithm>

#include "crypto/base/assert.hpp"

namespace quorate::wallet {
namespace {

// More than a node takes back.
constexpr std::size_t kKept = 40'000;

}  // namespace

void ShownBlocks::drop_from(std::uint64_t height) {
  while (!blocks_.empty() && blocks_.back().height >= height) blocks_.pop_back();
}

void ShownBlocks::add(Block block) {
  drop_from(block.height);
  blocks_.push_back(std::move(block));
  if (blocks_.size() > kKept) blocks_.pop_front();
}

Outcome<ShownBlocks::Comparison> ShownBlocks::compare(const Lookup& lookup) {
  QUORATE_ASSERT(!blocks_.empty());
  // Below the fork all are on the node's branch, above it none is.
  std::size_t shared = 0;
  bool unknown = false;
  for (std::size_t end = blocks_.size(); shared < end;) {
    // The newest first: most often nothing has changed.
    const std::size_t at = end == blocks_.size() ? end - 1 : (shared + end) / 2;
    WALLET_TRY(const auto hash, lookup(blocks_[at].height));
    if (hash == blocks_[at].hash) {
      shared = at + 1;
    } else {
      end = at;
      unknown = !hash;
    }
  }
  Comparison out;
  out.behind = unknown && shared < blocks_.size();
  out.next = shared > 0 ? blocks_[shared - 1].height + 1 : blocks_.front().height;
  if (out.behind) return out;
  const auto first = blocks_.begin() + static_cast<std::ptrdiff_t>(shared);
  out.reversed.assign(std::make_move_iterator(first), std::make_move_iterator(blocks_.end()));
  blocks_.erase(first, blocks_.end());
  return out;
}

}  // namespace quorate::wallet
