// Remembers verified transactions by the hash of their encoding: one that comes from a client, by
// relay and again in a proposal is decoded, hashed and verified once, and everybody shares it.
// Bounded by count and bytes, two generations. Refused ones are not remembered. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>

#include "node/peer_messages.hpp"

namespace quorate::node {

class TransactionCache final : public TransactionVerifier {
 public:
  // `signatures` outlives the cache.
  TransactionCache(const Digest& chain_id, const crypto::Verifier& signatures);
  Result<ledger::TransactionPtr> verify(ByteView encoded) const override;

  std::uint64_t verified() const { return verified_.load(std::memory_order_relaxed); }
  std::uint64_t known() const { return known_.load(std::memory_order_relaxed); }

 private:
  using Map = std::unordered_map<Digest, ledger::TransactionPtr, FixedHash<Digest>>;
  struct Shard {
    std::mutex mutex;
    Map young;
    Map old;
    std::size_t young_bytes = 0;
  };
  static ledger::TransactionPtr find(Shard& shard, const Digest& key);
  static void insert(Shard& shard, const Digest& key, const ledger::TransactionPtr& transaction);

  const Digest chain_id_;
  const crypto::Verifier& signatures_;
  mutable std::array<Shard, 8> shards_;
  mutable std::atomic<std::uint64_t> verified_{0};
  mutable std::atomic<std::uint64_t> known_{0};
};

}  // namespace quorate::node
