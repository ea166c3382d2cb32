// The transaction and its canonical encoding (little-endian):
//   version u8 = 1 | sender public key 32 | nonce u64 | valid_until_height u64 |
//   u32 operation count 1..64, each: kind u8, body | memo: u32 length <= 64, bytes
// A signed transaction is that followed by the signature (64), at most 16 KiB in all.
// The signature is Ed25519 over "quorate/tx/1" 0x00 || chain_id || the unsigned transaction.
// A new operation is added in one place: operation.hpp and operation.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "crypto/address.hpp"
#include "crypto/base/result.hpp"
#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"
#include "crypto/signer.hpp"
#include "crypto/verifier.hpp"
#include "ledger/types/operation.hpp"

namespace quorate::ledger {

inline constexpr std::size_t kTransactionBytesMax = 16 * 1024;
inline constexpr std::uint32_t kOperationsMax = 64;
inline constexpr std::size_t kMemoBytesMax = 64;

struct Transaction {
  PublicKey sender;
  std::uint64_t nonce = 0;
  std::uint64_t valid_until_height = 0;  // inclusive; 0 = no limit
  std::vector<Operation> operations;
  Bytes memo;
  bool operator==(const Transaction&) const = default;
};

struct SignedTransaction {
  Transaction transaction;
  Signature signature;
  bool operator==(const SignedTransaction&) const = default;
};

// Both assert 1..kOperationsMax operations and a memo within kMemoBytesMax.
Bytes encode(const Transaction& transaction);
Bytes encode(const SignedTransaction& transaction);
// Errors: bad_encoding; limit_exceeded above kTransactionBytesMax.
Result<SignedTransaction> decode_signed_transaction(ByteView bytes);
// The same for the unsigned form, as wallets hold it before signing.
Result<Transaction> decode_transaction(ByteView bytes);

// H("quorate/txid/1", chain_id || unsigned transaction). Does not depend on the signature.
Digest transaction_id(const Digest& chain_id, const Transaction& transaction);
// The bytes the sender signs.
Bytes transaction_signing_bytes(const Digest& chain_id, const Transaction& transaction);
// Sets the sender to the key's own public key.
SignedTransaction sign(const Digest& chain_id, Transaction transaction, const crypto::Signer& key);

// A transaction whose encoding and signature were checked, with what everybody asks of it computed
// once. Immutable and shared between mempool, proposals and execution.
struct VerifiedTransaction {
  SignedTransaction signed_transaction;
  Bytes encoded;  // canonical, signed form
  Digest id;
  crypto::Address sender;
};
using TransactionPtr = std::shared_ptr<const VerifiedTransaction>;

// Decodes and verifies. Errors: bad_encoding, limit_exceeded, bad_signature. A signature for
// another chain is indistinguishable from a bad one; the API layer tells them apart where it can.
Result<TransactionPtr> verify_transaction(const Digest& chain_id, ByteView encoded,
                                          const crypto::Verifier& verifier);

}  // namespace quorate::ledger
