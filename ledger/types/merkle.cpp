#include "ledger/types/merkle.hpp"

#include "crypto/base/assert.hpp"
#include "crypto/hash.hpp"

namespace quorate::ledger {
namespace {

// A path has one sibling per level at most, and a count of 64 bits has at most 64 levels.
constexpr std::uint32_t kSiblingsMax = 64;

Digest hash_leaf(const Digest& leaf) { return crypto::hash("quorate/merkle-leaf/1", {leaf}); }

Digest hash_inner(const Digest& left, const Digest& right) {
  return crypto::hash("quorate/merkle-inner/1", {left, right});
}

Digest hash_root(std::uint64_t count, const Digest& top) {
  crypto::Writer size;
  size.u64(count);
  return crypto::hash("quorate/merkle-root/1", {size.view(), top});
}

std::vector<Digest> leaf_level(const std::vector<Digest>& leaves) {
  std::vector<Digest> level;
  level.reserve(leaves.size());
  for (const Digest& leaf : leaves) level.push_back(hash_leaf(leaf));
  return level;
}

// Replaces a level by the one above it; an odd last node moves up unchanged.
void climb(std::vector<Digest>& level) {
  const std::size_t pairs = level.size() / 2;
  for (std::size_t i = 0; i < pairs; ++i) level[i] = hash_inner(level[2 * i], level[2 * i + 1]);
  if (level.size() % 2 != 0) {
    level[pairs] = level.back();
    level.resize(pairs + 1);
  } else {
    level.resize(pairs);
  }
}

}  // namespace

Digest merkle_root(const std::vector<Digest>& leaves) {
  if (leaves.empty()) return hash_root(0, Digest{});
  std::vector<Digest> level = leaf_level(leaves);
  while (level.size() > 1) climb(level);
  return hash_root(leaves.size(), level.front());
}

MerkleProof merkle_prove(const std::vector<Digest>& leaves, std::uint64_t index) {
  QUORATE_ASSERT(index < leaves.size());
  MerkleProof proof;
  proof.index = index;
  proof.count = leaves.size();
  std::vector<Digest> level = leaf_level(leaves);
  for (std::size_t at = index; level.size() > 1; at /= 2) {
    const std::size_t sibling = at ^ 1U;
    if (sibling < level.size()) proof.siblings.push_back(level[sibling]);
    climb(level);
  }
  return proof;
}

bool merkle_verify(const Digest& root, const Digest& leaf, const MerkleProof& proof) {
  if (proof.index >= proof.count) return false;
  Digest node = hash_leaf(leaf);
  std::size_t used = 0;
  std::uint64_t at = proof.index;
  for (std::uint64_t width = proof.count; width > 1; width = width / 2 + width % 2, at /= 2) {
    if ((at ^ 1U) >= width) continue;  // the odd last node moves up unchanged
    if (used == proof.siblings.size()) return false;
    const Digest& sibling = proof.siblings[used++];
    node = at % 2 == 0 ? hash_inner(node, sibling) : hash_inner(sibling, node);
  }
  return used == proof.siblings.size() && hash_root(proof.count, node) == root;
}

void encode(crypto::Writer& out, const MerkleProof& proof) {
  out.u64(proof.index);
  out.u64(proof.count);
  out.u32(static_cast<std::uint32_t>(proof.siblings.size()));
  for (const Digest& sibling : proof.siblings) out.raw(sibling);
}

MerkleProof decode_merkle_proof(crypto::Reader& in) {
  MerkleProof proof;
  proof.index = in.u64();
  proof.count = in.u64();
  const std::uint32_t siblings = in.count(0, kSiblingsMax, Digest::kSize);
  proof.siblings.reserve(siblings);
  for (std::uint32_t i = 0; i < siblings; ++i) proof.siblings.push_back(in.fixed<Digest>());
  if (in.ok() && proof.index >= proof.count) in.reject("a Merkle proof for a leaf beyond the last");
  return proof;
}

}  // namespace quorate::ledger
