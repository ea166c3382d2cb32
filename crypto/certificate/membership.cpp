#include "crypto/certificate/membership.hpp"

#include "crypto/codec/writer.hpp"
#include "crypto/hash.hpp"

namespace quorate::crypto {

std::optional<ReplicaId> Membership::find(const PublicKey& validator) const {
  const auto found = std::find(validators.begin(), validators.end(), validator);
  if (found == validators.end()) return std::nullopt;
  return ReplicaId(static_cast<std::uint32_t>(found - validators.begin()));
}

Digest consensus_signing_digest(SignedType type, const Membership& membership, ByteView body) {
  Writer context;
  context.reserve(1 + 2 * Digest::kSize + sizeof(std::uint64_t));
  context.u8(static_cast<std::uint8_t>(type));
  context.raw(membership.chain_id);
  context.integer_of(membership.epoch);
  context.raw(membership.config_hash);
  return hash("quorate/pbft/1", {context.view(), body});
}

}  // namespace quorate::crypto
