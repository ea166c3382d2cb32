#include "consensus/pow/orphans.hpp"

#include "crypto/base/assert.hpp"
#include "crypto/base/mutant.hpp"
#include "crypto/hash.hpp"
#include "crypto/work/bits.hpp"

namespace quorate::consensus::pow {
namespace {

std::size_t bytes_of(const FullBlock& block) { return sizeof(Orphan) + block.payload->size(); }

bool too_light(std::uint32_t bits, std::uint32_t tip_bits) {
  const work::Uint256 most = work::scaled(work::work_of_bits(bits), kOrphanWorkPart, 0);
  return most < work::work_of_bits(tip_bits);
}

}  // namespace

OrphanPool::Outcome OrphanPool::add(ReplicaId from, const FullBlock& block, const Block& tip,
                                    Instant now) {
  const Digest& id = block.header.id;
  if (orphans_.contains(id)) return Outcome::known;
  if (too_light(block.header.header.bits, tip.context.bits)) return Outcome::too_light;
  const std::size_t bytes = bytes_of(block);
  if (bytes > kOrphanBytesMax) return Outcome::too_large;
  const auto peer = per_peer_.find(from);
  const bool unbounded = QUORATE_MUTANT(orphans_unbounded);
  if (peer != per_peer_.end() && peer->second >= kOrphansPerPeer && !unbounded) {
    return Outcome::peer_full;
  }
  while (!unbounded && (orphans_.size() >= kOrphansMax || bytes_ + bytes > kOrphanBytesMax)) {
    evict_one(id);
  }
  orphans_.emplace(id, Orphan{from, block, now + kOrphanLife});
  ++per_peer_[from];
  bytes_ += bytes;
  return Outcome::kept;
}

// The id itself is small by the work in it, so its hash picks.
void OrphanPool::evict_one(const Digest& newcomer) {
  QUORATE_ASSERT(!orphans_.empty());
  auto victim = orphans_.begin();
  std::uint64_t steps = crypto::sha256(newcomer).bytes[0];
  for (steps %= orphans_.size(); steps > 0; --steps) ++victim;
  erase(victim);
}

std::vector<Orphan> OrphanPool::take_children(const Digest& parent) {
  std::vector<Orphan> out;
  for (auto entry = orphans_.begin(); entry != orphans_.end();) {
    if (entry->second.block.header.header.parent != parent) {
      ++entry;
      continue;
    }
    out.push_back(entry->second);
    entry = erase(entry);
  }
  return out;
}

void OrphanPool::expire(Instant now) {
  for (auto entry = orphans_.begin(); entry != orphans_.end();) {
    entry = entry->second.until <= now ? erase(entry) : std::next(entry);
  }
}

OrphanPool::Entries::iterator OrphanPool::erase(Entries::iterator entry) {
  bytes_ -= bytes_of(entry->second.block);
  const auto peer = per_peer_.find(entry->second.from);
  if (--peer->second == 0) per_peer_.erase(peer);
  return orphans_.erase(entry);
}

}  // namespace quorate::consensus::pow
