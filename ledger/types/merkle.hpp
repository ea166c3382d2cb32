// The Merkle tree over a block's receipts (and over its transaction ids). Leaves and inner nodes
// have their own tags, the leaf count is committed, and no leaf is ever duplicated to fill a level:
// an odd node moves up unchanged. root = H("quorate/merkle-root/1", count u64 || top), top of no
// leaves = 0.
#pragma once

#include <cstdint>
#include <vector>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"
#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"

namespace quorate::ledger {

struct MerkleProof {
  std::uint64_t index = 0;
  std::uint64_t count = 0;
  std::vector<Digest> siblings;  // from the leaf upwards; none where the node moves up unchanged
  bool operator==(const MerkleProof&) const = default;
};

Digest merkle_root(const std::vector<Digest>& leaves);
// Asserts index < leaves.size().
MerkleProof merkle_prove(const std::vector<Digest>& leaves, std::uint64_t index);
// True when the proof leads from `leaf` to `root`, using exactly its siblings.
bool merkle_verify(const Digest& root, const Digest& leaf, const MerkleProof& proof);

void encode(crypto::Writer& out, const MerkleProof& proof);
MerkleProof decode_merkle_proof(crypto::Reader& in);

}  // namespace quorate::ledger
