// Who votes in an epoch, and the context every consensus signature is bound to.
#pragma once

#include <optional>
#include <vector>

#include "crypto/base/bytes.hpp"
#include "crypto/base/strong_int.hpp"
#include "crypto/certificate/quorum.hpp"

namespace quorate::crypto {

// The members of one epoch in genesis order: ReplicaId i is validators[i].
struct Membership {
  Digest chain_id;
  Epoch epoch;
  Digest config_hash;  // H(members, consensus parameters); see ledger/types/genesis.hpp
  std::vector<PublicKey> validators;

  std::uint32_t size() const { return static_cast<std::uint32_t>(validators.size()); }
  std::uint32_t faults() const { return faults_tolerated(size()); }
  std::uint32_t quorum() const { return quorum_size(size()); }
  std::uint32_t weak_quorum() const { return weak_quorum_size(size()); }
  bool contains(ReplicaId replica) const { return replica.value() < size(); }
  const PublicKey& key(ReplicaId replica) const { return validators.at(replica.value()); }
  std::optional<ReplicaId> find(const PublicKey& validator) const;
};

// The one-byte message types inside the signed bytes. Values are part of the protocol.
enum class SignedType : std::uint8_t {
  pre_prepare = 1,
  prepare = 2,
  commit = 3,
  seal = 4,
  checkpoint = 5,
  suspect = 6,
  view_change = 7,
  new_view = 8,
};

// The bytes that are signed for a consensus message:
// H("quorate/pbft/1", type u8 || chain_id 32 || epoch u64 || config_hash 32 || body).
Digest consensus_signing_digest(SignedType type, const Membership& membership, ByteView body);

}  // namespace quorate::crypto
