// Replays a stopped node's chain from genesis and compares everything it stores with what execution
// gives: headers field by field, receipts, block and commit certificates, indexes, accounts and the
// head. Trusts nothing in the store but the payloads' bytes, and those only as far as their commit
// certificates reach.
//
// Reads only; one thread. Memory: the state tree, not the chain.
#pragma once

#include <functional>

#include "crypto/verifier.hpp"
#include "ledger/kv_store.hpp"
#include "ledger/types/genesis.hpp"

namespace quorate::ledger {

// What a commit certificate proves about a payload.
struct ProvedOrder {
  Digest payload_id;
  WallMs proposed_time;  // 0 for a null block
  PublicKey proposer;    // zero for a null block
};

struct AuditOptions {
  // Verifies a commit certificate, that it is for this height and that it covers this payload. The
  // ledger cannot do so itself: ordering belongs to consensus.
  std::function<Result<ProvedOrder>(Height height, ByteView payload, ByteView certificate)>
      check_commit_certificate;
  // Called after each height; may be empty.
  std::function<void(Height done, Height head)> progress;
};

struct AuditReport {
  Height head;
  Digest block_hash;
  Digest state_root;
  std::uint64_t transactions = 0;        // in all payloads
  std::uint64_t executed = 0;            // of these, succeeded or failed
  std::uint64_t block_certificates = 0;  // heights that have their own; others lean on a later one
  std::uint64_t accounts = 0;
  std::uint64_t total_balance = 0;
};

// Errors: conflict (another chain or storage version), io, and corrupt, which names the first bad
// height and what is wrong with it.
Result<AuditReport> audit(const KvStore& store, const Genesis& genesis,
                          const crypto::Verifier& verifier, const AuditOptions& options);

}  // namespace quorate::ledger
