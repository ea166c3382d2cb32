#include "rpc/subscriptions/block_feed.hpp"

#include "rpc/methods/views_json.hpp"

namespace quorate::rpc {

namespace {

constexpr std::uint64_t kLeap = 1000;
constexpr std::size_t kTextsKept = 128;
constexpr std::size_t kBlocksKept = 4;  // each may hold thousands of transactions
constexpr std::size_t kWithdrawalsKept = 16;
// Of all withdrawals that are kept, unless the newest alone has more.
constexpr std::size_t kWithdrawnKept = 100'000;

}  // namespace

// Replays read old heights; only the newest are worth keeping.
template <class Value>
void BlockFeed::keep(Recent<Value>& recent, Height height, const Value& value, std::size_t most,
                     std::uint64_t seen) const {
  const std::lock_guard lock(mutex_);
  if (withdrawals_ != seen) return;
  recent.emplace(height, value);
  while (recent.size() > most) recent.erase(recent.begin());
}

// The ledger goes back before subscribers are told.
Error BlockFeed::unread(const Error& error) const {
  const bool withdrawn = error.code == Errc::not_found && backend_.engine().commit_depth > 0;
  return withdrawn ? Error{Errc::unavailable, error.detail} : error;
}

void BlockFeed::on_block_final(Height height) {
  {
    const std::lock_guard lock(mutex_);
    if (height <= final_) return;
    if (height > final_.saturating_add(kLeap)) ++leaps_;
    final_ = height;
  }
  if (wake_) wake_();
}

void BlockFeed::on_blocks_withdrawn(std::shared_ptr<const WithdrawnBlocks> blocks) {
  {
    const std::lock_guard lock(mutex_);
    final_ = std::min(final_, blocks->from.previous());
    texts_.erase(texts_.lower_bound(blocks->from), texts_.end());
    blocks_.erase(blocks_.lower_bound(blocks->from), blocks_.end());
    ++withdrawals_;
    withdrawn_transactions_ += blocks->transactions.size();
    withdrawn_.push_back(std::move(blocks));
    while (withdrawn_.size() > kWithdrawalsKept ||
           (withdrawn_.size() > 1 && withdrawn_transactions_ > kWithdrawnKept)) {
      withdrawn_transactions_ -= withdrawn_.front()->transactions.size();
      withdrawn_.pop_front();
    }
  }
  if (wake_) wake_();
}

std::uint64_t BlockFeed::withdrawals() const {
  const std::lock_guard lock(mutex_);
  return withdrawals_;
}

Result<std::shared_ptr<const WithdrawnBlocks>> BlockFeed::withdrawal_after(
    std::uint64_t seen) const {
  const std::lock_guard lock(mutex_);
  QUORATE_ASSERT(seen < withdrawals_);
  const std::uint64_t behind = withdrawals_ - seen;
  if (behind > withdrawn_.size()) {
    return fail(Errc::limit_exceeded, "too many blocks were withdrawn since; subscribe again");
  }
  return withdrawn_[withdrawn_.size() - behind];
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
  std::uint64_t seen = 0;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = texts_.find(height); at != texts_.end()) return at->second;
    seen = withdrawals_;
  }
  // The certificate has the header without the transactions. A block below a certified one is final
  // as well, though it may have no certificate of its own.
  ledger::Header header;
  if (const auto certificate = backend_.certificate(height); certificate) {
    header = certificate->header;
  } else {
    const auto view = backend_.block_summary(height);
    if (!view) return tl::unexpected(unread(view.error()));
    header = view->header;
  }
  const Json json = {{"height", integer_json(height.value())},
                     {"hash", to_0x(ledger::block_hash(header))},
                     {"transaction_count", header.transaction_count},
                     {"header", to_json(header)}};
  Text text = std::make_shared<const std::string>(json.dump());
  keep(texts_, height, text, kTextsKept, seen);
  return text;
}

Result<BlockFeed::Block> BlockFeed::block(Height height) const {
  std::uint64_t seen = 0;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = blocks_.find(height); at != blocks_.end()) return at->second;
    seen = withdrawals_;
  }
  auto view = backend_.block(height);
  if (!view) return tl::unexpected(unread(view.error()));
  Block block = std::make_shared<const BlockView>(std::move(*view));
  keep(blocks_, height, block, kBlocksKept, seen);
  return block;
}

}  // namespace quorate::rpc
