#include "node/runtime/transaction_cache.hpp"

#include "crypto/hash.hpp"

namespace quorate::node {

namespace {

// Of one shard's young generation: in all at most 128 Ki transactions or 64 MiB of encodings.
constexpr std::size_t kGenerationCount = 8'192;
constexpr std::size_t kGenerationBytes = std::size_t{4} << 20U;

}  // namespace

TransactionCache::TransactionCache(const Digest& chain_id, const crypto::Verifier& signatures)
    : chain_id_(chain_id), signatures_(signatures) {}

Result<ledger::TransactionPtr> TransactionCache::verify(ByteView encoded) const {
  if (encoded.size() > ledger::kTransactionBytesMax) {
    return fail(Errc::limit_exceeded,
                "the transaction has " + std::to_string(encoded.size()) + " bytes, at most " +
                    std::to_string(ledger::kTransactionBytesMax) + " are allowed");
  }
  const Digest key = crypto::hash("quorate/transaction-cache/1", {encoded});
  Shard& shard = shards_[key.bytes.back() % shards_.size()];
  {
    const std::lock_guard lock(shard.mutex);
    if (auto found = find(shard, key)) {
      known_.fetch_add(1, std::memory_order_relaxed);
      return found;
    }
  }
  QUORATE_TRY(auto transaction, ledger::verify_transaction(chain_id_, encoded, signatures_));
  verified_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(shard.mutex);
  // Two threads may have met it at once; everybody goes on with the first.
  if (auto found = find(shard, key)) return found;
  insert(shard, key, transaction);
  return transaction;
}

ledger::TransactionPtr TransactionCache::find(Shard& shard, const Digest& key) {
  if (const auto young = shard.young.find(key); young != shard.young.end()) return young->second;
  const auto old = shard.old.find(key);
  if (old == shard.old.end()) return nullptr;
  auto out = std::move(old->second);
  shard.old.erase(old);
  insert(shard, key, out);
  return out;
}

void TransactionCache::insert(Shard& shard, const Digest& key,
                              const ledger::TransactionPtr& transaction) {
  if (shard.young.size() >= kGenerationCount || shard.young_bytes >= kGenerationBytes) {
    std::swap(shard.old, shard.young);
    shard.young.clear();
    shard.young_bytes = 0;
  }
  shard.young_bytes += transaction->encoded.size();
  shard.young.emplace(key, transaction);
}

}  // namespace quorate::node
