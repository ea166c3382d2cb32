// Who waits for a transaction to become final, found by what may answer them: its id, the deadline,
// the height after which it has expired, and the nonce that another transaction may take. One
// thread: that of FinalityWatch.
#pragma once

#include <map>
#include <memory>
#include <utility>

#include "node/finality_watch.hpp"

namespace quorate::node {

struct Waiter {
  SeenTransaction seen;
  FinalityWatch::Deadline deadline;
  FinalityWatch::Done done;
};

using SenderNonce = std::pair<crypto::Address, std::uint64_t>;

// Several may wait for one transaction. Everybody is in by_id and by_deadline.
struct WaiterIndex {
  template <class Key>
  using By = std::multimap<Key, std::shared_ptr<Waiter>>;

  By<Digest> by_id;
  By<FinalityWatch::Deadline> by_deadline;
  By<Height> by_expiry;      // where there is a limit
  By<SenderNonce> by_nonce;  // where the nonce is known

  bool empty() const { return by_id.empty(); }
  // Of all indexes together.
  std::size_t entries() const {
    return by_id.size() + by_deadline.size() + by_expiry.size() + by_nonce.size();
  }

  void insert(const std::shared_ptr<Waiter>& waiter) {
    const SeenTransaction& seen = waiter->seen;
    by_id.emplace(seen.id, waiter);
    by_deadline.emplace(waiter->deadline, waiter);
    if (seen.valid_until != Height(0)) by_expiry.emplace(seen.valid_until, waiter);
    if (seen.nonce != 0) by_nonce.emplace(SenderNonce{seen.sender, seen.nonce}, waiter);
  }
  void erase(const std::shared_ptr<Waiter>& waiter) {
    const SeenTransaction& seen = waiter->seen;
    take(by_id, seen.id, waiter);
    take(by_deadline, waiter->deadline, waiter);
    take(by_expiry, seen.valid_until, waiter);
    take(by_nonce, SenderNonce{seen.sender, seen.nonce}, waiter);
  }

 private:
  // This one among those who share the key; absent is fine.
  template <class Key>
  static void take(By<Key>& index, const Key& key, const std::shared_ptr<Waiter>& waiter) {
    for (auto it = index.lower_bound(key); it != index.end() && it->first == key; ++it) {
      if (it->second == waiter) return static_cast<void>(index.erase(it));
    }
  }
};

}  // namespace quorate::node
