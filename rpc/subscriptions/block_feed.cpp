#include "rpc/subscriptions/block_feed.hpp"

#include "rpc/methods/views_json.hpp"

namespace quorate::rpc {

namespace {

constexpr std::uint64_t kLeap = 1000;
constexpr std::size_t kTextsKept = 128;
constexpr std::size_t kBlocksKept = 4;  // each may hold thousands of transactions

// Replays read old heights; only the newest are worth keeping.
template <class Map>
void keep(Map& recent, Height height, const typename Map::mapped_type& value, std::size_t most) {
  recent.emplace(height, value);
  while (recent.size() > most) recent.erase(recent.begin());
}

}  // namespace

void BlockFeed::on_block_final(Height height) {
  {
    const std::lock_guard lock(mutex_);
    if (height <= final_) return;
    if (height > final_.saturating_add(kLeap)) ++leaps_;
    final_ = height;
  }
  if (wake_) wake_();
}

Height BlockFeed::final_height() const {
  const std::lock_guard lock(mutex_);
  return final_;
}

std::uint64_t BlockFeed::leaps() const {
  const std::lock_guard lock(mutex_);
  return leaps_;
}

Result<BlockFeed::Text> BlockFeed::new_block(Height height) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = texts_.find(height); at != texts_.end()) return at->second;
  }
  // The certificate has the header without the transactions. A block below a certified one is final
  // as well, though it may have no certificate of its own.
  ledger::Header header;
  if (const auto certificate = backend_.certificate(height); certificate) {
    header = certificate->header;
  } else {
    QUORATE_TRY(const BlockView view, backend_.block(height));
    header = view.header;
  }
  const Json json = {{"height", integer_json(height.value())},
                     {"hash", to_0x(ledger::block_hash(header))},
                     {"transaction_count", header.transaction_count},
                     {"header", to_json(header)}};
  Text text = std::make_shared<const std::string>(json.dump());
  const std::lock_guard lock(mutex_);
  keep(texts_, height, text, kTextsKept);
  return text;
}

Result<BlockFeed::Block> BlockFeed::block(Height height) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = blocks_.find(height); at != blocks_.end()) return at->second;
  }
  QUORATE_TRY(BlockView view, backend_.block(height));
  Block block = std::make_shared<const BlockView>(std::move(view));
  const std::lock_guard lock(mutex_);
  keep(blocks_, height, block, kBlocksKept);
  return block;
}

}  // namespace quorate::rpc
