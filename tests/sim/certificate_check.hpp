// An independent verifier of block certificates, written from the protocol's description alone: it
// shares no code with crypto/certificate or ledger/types/block_certificate (invariant I5).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/certificate/seal.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

// Nothing when at least a quorum of distinct members signed the block hash, else what is wrong.
std::optional<std::string> certificate_fault(const World& world, Height height,
                                             const Digest& block_hash,
                                             const std::vector<crypto::ReplicaSignature>& seals);

}  // namespace quorate::sim
