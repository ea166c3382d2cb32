// SEALs: one replica's signature that executing height `height` gave `block_hash`. q of them over a
// header are the block certificate, which proves a result to anyone who knows the genesis. A seal
// carries no view, so seals of replicas that committed in different views combine.
#pragma once

#include <vector>

#include "crypto/base/result.hpp"
#include "crypto/certificate/membership.hpp"
#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"
#include "crypto/verifier.hpp"

namespace quorate::crypto {

// One signature of a quorum certificate.
struct ReplicaSignature {
  ReplicaId replica;
  Signature signature;
  auto operator<=>(const ReplicaSignature&) const = default;
};

// The digest a SEAL signs: consensus_signing_digest of (height u64 || block_hash 32).
Digest seal_signing_digest(const Membership& membership, Height height, const Digest& block_hash);

// Canonical: u32 count, then (replica u32, signature 64) in strictly increasing order of replica.
void encode(Writer& out, const std::vector<ReplicaSignature>& signatures);
// At most `members_max` entries; rejects duplicates and wrong order.
std::vector<ReplicaSignature> decode_signatures(Reader& in, std::uint32_t members_max);

// Ok when at least q distinct members signed `digest` and every signature given verifies.
// Errors: bad_signature naming the replica; rejected when the count is below the quorum.
Result<void> verify_quorum(const Membership& membership, const Digest& digest,
                           const std::vector<ReplicaSignature>& signatures,
                           const Verifier& verifier);

}  // namespace quorate::crypto
