// Whole blocks whose parent is not known yet. Anybody can make a block without a parent, so it must
// carry at least a sixteenth of the work that the tip's bits ask for, and the pool is bounded in
// blocks, bytes, blocks per peer and time. When it is full a block goes that the newcomer's id
// picks: who wants a certain one gone has to hash for it. Plain state; one thread.
#pragma once

#include <map>
#include <vector>

#include "consensus/pow/block_tree.hpp"
#include "consensus/pow/messages.hpp"
#include "crypto/base/instant.hpp"

namespace quorate::consensus::pow {

constexpr std::size_t kOrphansMax = 100;
constexpr std::size_t kOrphanBytesMax = 32U << 20U;
constexpr std::size_t kOrphansPerPeer = 10;
constexpr std::uint64_t kOrphanWorkPart = 16;
constexpr Duration kOrphanLife = std::chrono::minutes(10);

struct Orphan {
  ReplicaId from;
  FullBlock block;
  Instant until;
};

class OrphanPool {
 public:
  enum class Outcome : std::uint8_t { kept, known, too_light, too_large, peer_full };
  // A block that keeps work::HeaderRules::check_alone.
  Outcome add(ReplicaId from, const FullBlock& block, const Block& tip, Instant now);
  // Takes out those that stand on this block, lowest id first.
  std::vector<Orphan> take_children(const Digest& parent);
  // Forgets those that have waited for kOrphanLife.
  void expire(Instant now);

  std::size_t size() const { return orphans_.size(); }
  std::size_t memory_bytes() const { return bytes_; }

 private:
  using Entries = std::map<Digest, Orphan>;
  Entries::iterator erase(Entries::iterator entry);
  void evict_one(const Digest& newcomer);

  Entries orphans_;
  std::map<ReplicaId, std::size_t> per_peer_;
  std::size_t bytes_ = 0;
};

}  // namespace quorate::consensus::pow
