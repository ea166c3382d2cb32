// What a node remembers of transactions beyond its mempool and its chain.
#pragma once

#include <deque>
#include <mutex>
#include <unordered_map>

#include "node/finality_watch.hpp"

namespace quorate::node {

// What was pooled here lately, so that a transaction which has left the mempool without being
// executed can be told from one that was never here. Bounded, oldest forgotten first. Thread-safe.
class RecentTransactions {
 public:
  void remember(const ledger::VerifiedTransaction& transaction) {
    const std::lock_guard lock(mutex_);
    const auto& content = transaction.signed_transaction.transaction;
    const SeenTransaction seen{transaction.id, Height(content.valid_until_height),
                               transaction.sender, content.nonce};
    if (!seen_.emplace(seen.id, seen).second) return;
    order_.push_back(seen.id);
    if (order_.size() <= kMax) return;
    seen_.erase(order_.front());
    order_.pop_front();
  }
  // With the id alone when nothing more is known.
  SeenTransaction find(const Digest& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = seen_.find(id);
    return found == seen_.end() ? SeenTransaction{id} : found->second;
  }

 private:
  static constexpr std::size_t kMax = 100'000;
  mutable std::mutex mutex_;
  std::unordered_map<Digest, SeenTransaction, FixedHash<Digest>> seen_;
  std::deque<Digest> order_;
};

}  // namespace quorate::node
