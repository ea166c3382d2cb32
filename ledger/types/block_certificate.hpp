// A block certificate proves a result: a header and at least q SEALs over its hash. Self-contained
// for anyone who knows the genesis.
#pragma once

#include <vector>

#include "crypto/certificate/membership.hpp"
#include "crypto/certificate/seal.hpp"
#include "ledger/types/block.hpp"

namespace quorate::ledger {

struct BlockCertificate {
  Header header;
  std::vector<crypto::ReplicaSignature> seals;
  bool operator==(const BlockCertificate&) const = default;
};

Bytes encode(const BlockCertificate& certificate);
Result<BlockCertificate> decode_block_certificate(ByteView bytes);
// Checks chain_id, epoch and config_hash of the header against `membership`, then the quorum of
// SEALs. Errors: conflict (another chain or configuration), bad_signature, rejected (too few).
Result<void> verify(const BlockCertificate& certificate, const crypto::Membership& membership,
                    const crypto::Verifier& verifier);

}  // namespace quorate::ledger
