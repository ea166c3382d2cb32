// Transactions that were final here and are not any more, because another branch has outweighed
// their block, until they are executed again. Bounded, oldest forgotten first. Thread-safe.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ledger/chain.hpp"

namespace quorate::node {

class ReversedTransactions {
 public:
  void withdrawn(const ledger::WithdrawnBlock& block) {
    const std::lock_guard lock(mutex_);
    for (const ledger::Receipt& receipt : block.receipts) {
      if (receipt.outcome == ledger::Outcome::skipped) continue;
      remember(receipt.transaction_id, block.header.height);
    }
  }
  void executed(const ledger::ExecutedBlock& block) {
    const std::lock_guard lock(mutex_);
    if (heights_.empty()) return;
    for (const ledger::Receipt& receipt : block.receipts) {
      if (receipt.outcome != ledger::Outcome::skipped) heights_.erase(receipt.transaction_id);
    }
  }
  // The height that it was executed at.
  std::optional<Height> find(const Digest& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = heights_.find(id);
    return found == heights_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  static constexpr std::size_t kMax = 100'000;

  void remember(const Digest& id, Height height) {
    if (heights_.insert_or_assign(id, height).second) order_.push_back(id);
    while (order_.size() > kMax) {
      heights_.erase(order_.front());
      order_.pop_front();
    }
  }

  mutable std::mutex mutex_;
  std::unordered_map<Digest, Height, FixedHash<Digest>> heights_;
  std::deque<Digest> order_;
};

}  // namespace quorate::node
