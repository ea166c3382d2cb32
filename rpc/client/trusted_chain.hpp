// What a client believes: a genesis that it knows, or whose chain_id it has pinned, and nothing
// that a node merely says. Everything else is proved by block certificates and Merkle proofs.
// Immutable after creation; any thread.
#pragma once

#include <optional>

#include "ledger/types/account.hpp"
#include "ledger/types/block_certificate.hpp"
#include "rpc/json/ledger_json.hpp"

namespace quorate::rpc {

// A header that a quorum of validators has sealed.
struct ProvedHeader {
  ledger::Header header;
  Digest block_hash;
  std::uint32_t seals = 0;  // counted and verified
  std::uint32_t validators = 0;
};

// How strongly work proves a block of the ledger (work_proof.hpp).
struct ProvedByWork {
  Height height;
  std::uint64_t depth = 0;    // of its work header on the heaviest branch known
  std::uint64_t carried = 0;  // work headers that carry it or a descendant, less those that do not
  Height tip;                 // the work of so many headers was checked
};

struct ProvedReceipt {
  ledger::Receipt receipt;
  Height height;  // of the block that holds the transaction
  Digest block_hash;
  ProvedHeader sealed;                    // that block, or the descendant that proves it
  std::optional<ProvedByWork> work = {};  // instead of `sealed` where no engine seals
};

struct ProvedAccount {
  std::optional<ledger::Account> account;  // none: proved not to exist
  ProvedHeader sealed;
  std::optional<ProvedByWork> work = {};  // then `sealed` has the header alone
};

class TrustedChain {
 public:
  // `pinned` must be the genesis's chain_id when it is given. Error conflict naming both.
  static Result<TrustedChain> from_genesis(ledger::Genesis genesis,
                                           const std::optional<Digest>& pinned);

  const ledger::Genesis& genesis() const { return genesis_; }
  const Digest& chain_id() const { return membership_.chain_id; }
  const crypto::Membership& membership() const { return membership_; }

  // Errors of all: bad_encoding (not the promised form), conflict (another chain or transaction),
  // bad_signature, rejected (too few seals, a proof that leads elsewhere).
  Result<ProvedHeader> check_certificate(const Json& certificate) const;
  // The answer of tx_getProof for `transaction_id`.
  Result<ProvedReceipt> check_transaction_proof(const Json& answer,
                                                const Digest& transaction_id) const;
  // The answer of account_getProof for `address`. Of a chain that is still at genesis nothing is
  // believed: the account comes from the client's own genesis, with no seals.
  Result<ProvedAccount> check_account_proof(const Json& answer,
                                            const crypto::Address& address) const;
  // As the client's own genesis has it.
  ProvedAccount account_at_genesis(const crypto::Address& address) const;

 private:
  // The account as the genesis has it, when the certificate is the genesis block's, which nobody
  // seals; nothing otherwise.
  Result<std::optional<ProvedAccount>> at_genesis(const Json& certificate,
                                                  const crypto::Address& address) const;
  TrustedChain(ledger::Genesis genesis, crypto::Membership membership)
      : genesis_(std::move(genesis)), membership_(std::move(membership)) {}
  ledger::Genesis genesis_;
  crypto::Membership membership_;
};

}  // namespace quorate::rpc
