#include "crypto/verified_cache.hpp"

#include <mutex>
#include <unordered_set>

#include "crypto/base/assert.hpp"
#include "crypto/hash.hpp"

namespace quorate::crypto {
namespace {

using DigestSet = std::unordered_set<Digest, FixedHash<Digest>>;

// Entries enter the young generation; when that is full it becomes the old one and the former old
// one is forgotten. An old entry that is used again is young again, so what is in use stays.
class Shard {
 public:
  bool contains(const Digest& digest, std::size_t generation_max) {
    const std::lock_guard lock(mutex_);
    if (young_.contains(digest)) return true;
    if (old_.erase(digest) == 0) return false;
    insert(digest, generation_max);
    return true;
  }
  void add(const Digest& digest, std::size_t generation_max) {
    const std::lock_guard lock(mutex_);
    insert(digest, generation_max);
  }

 private:
  void insert(const Digest& digest, std::size_t generation_max) {
    if (young_.size() >= generation_max) {
      std::swap(old_, young_);
      young_.clear();
    }
    young_.insert(digest);
  }

  std::mutex mutex_;
  DigestSet young_;
  DigestSet old_;
};

constexpr std::size_t kShards = 16;
constexpr std::size_t kGenerations = 2;

}  // namespace

struct VerifiedCache::Impl {
  const Verifier& inner;
  std::size_t generation_max;  // per shard
  mutable std::array<Shard, kShards> shards;

  Impl(const Verifier& verifier, std::size_t capacity)
      : inner(verifier), generation_max(capacity / (kShards * kGenerations)) {
    QUORATE_ASSERT(generation_max > 0);
  }
};

VerifiedCache::VerifiedCache(const Verifier& inner, std::size_t capacity)
    : impl_(std::make_unique<Impl>(inner, capacity)) {}

VerifiedCache::~VerifiedCache() = default;

bool VerifiedCache::verify(const PublicKey& key, ByteView message,
                           const Signature& signature) const {
  // Key and signature have fixed sizes, so the concatenation has one reading only.
  const Digest digest = hash("quorate/verified/1", {key, signature, message});
  Shard& shard = impl_->shards[digest.bytes.back() % kShards];
  if (shard.contains(digest, impl_->generation_max)) return true;
  // Refusals are not remembered: anybody can make any number of them.
  if (!impl_->inner.verify(key, message, signature)) return false;
  shard.add(digest, impl_->generation_max);
  return true;
}

}  // namespace quorate::crypto
