#include "ledger/types/transaction.hpp"

#include "crypto/base/assert.hpp"
#include "crypto/hash.hpp"

namespace quorate::ledger {
namespace {

constexpr std::uint8_t kTransactionVersion = 1;
constexpr std::string_view kSigningTag = "quorate/tx/1";
constexpr std::string_view kIdTag = "quorate/txid/1";
constexpr std::size_t kOperationBytesMin = 1;  // its kind

void encode_to(crypto::Writer& out, const Transaction& transaction) {
  QUORATE_ASSERT(!transaction.operations.empty());
  QUORATE_ASSERT(transaction.operations.size() <= kOperationsMax);
  QUORATE_ASSERT(transaction.memo.size() <= kMemoBytesMax);
  out.u8(kTransactionVersion);
  out.raw(transaction.sender);
  out.u64(transaction.nonce);
  out.u64(transaction.valid_until_height);
  out.u32(static_cast<std::uint32_t>(transaction.operations.size()));
  for (const Operation& operation : transaction.operations) encode(out, operation);
  out.bytes(transaction.memo);
}

Transaction decode_from(crypto::Reader& in) {
  Transaction transaction;
  const std::uint8_t version = in.u8();
  if (in.ok() && version != kTransactionVersion) {
    in.reject("transaction version " + std::to_string(version) + ", only 1 is known");
  }
  transaction.sender = in.fixed<PublicKey>();
  transaction.nonce = in.u64();
  transaction.valid_until_height = in.u64();
  const std::uint32_t count = in.count(1, kOperationsMax, kOperationBytesMin);
  transaction.operations.reserve(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    transaction.operations.push_back(decode_operation(in));
  }
  transaction.memo = to_bytes(in.bytes(kMemoBytesMax));
  return transaction;
}

Result<void> check_size(ByteView bytes) {
  if (bytes.size() <= kTransactionBytesMax) return {};
  return fail(Errc::limit_exceeded, "a transaction of " + std::to_string(bytes.size()) +
                                        " bytes; at most " + std::to_string(kTransactionBytesMax) +
                                        " are allowed");
}

std::size_t encoded_size_guess(const Transaction& transaction) {
  return 57 + transaction.operations.size() * 30 + transaction.memo.size() + Signature::kSize;
}

}  // namespace

Bytes encode(const Transaction& transaction) {
  crypto::Writer out;
  out.reserve(encoded_size_guess(transaction));
  encode_to(out, transaction);
  return std::move(out).take();
}

Bytes encode(const SignedTransaction& transaction) {
  crypto::Writer out;
  out.reserve(encoded_size_guess(transaction.transaction));
  encode_to(out, transaction.transaction);
  out.raw(transaction.signature);
  return std::move(out).take();
}

Result<SignedTransaction> decode_signed_transaction(ByteView bytes) {
  QUORATE_CHECK(check_size(bytes));
  crypto::Reader in(bytes);
  SignedTransaction out;
  out.transaction = decode_from(in);
  out.signature = in.fixed<Signature>();
  QUORATE_CHECK(in.finish());
  return out;
}

Result<Transaction> decode_transaction(ByteView bytes) {
  QUORATE_CHECK(check_size(bytes));
  crypto::Reader in(bytes);
  Transaction out = decode_from(in);
  QUORATE_CHECK(in.finish());
  return out;
}

Digest transaction_id(const Digest& chain_id, const Transaction& transaction) {
  return crypto::hash(kIdTag, {chain_id, encode(transaction)});
}

Bytes transaction_signing_bytes(const Digest& chain_id, const Transaction& transaction) {
  crypto::Writer out;
  out.reserve(kSigningTag.size() + 1 + chain_id.size() + encoded_size_guess(transaction));
  out.raw(as_bytes(kSigningTag));
  out.u8(0);
  out.raw(chain_id);
  encode_to(out, transaction);
  return std::move(out).take();
}

SignedTransaction sign(const Digest& chain_id, Transaction transaction, const crypto::Signer& key) {
  transaction.sender = key.public_key();
  SignedTransaction out;
  out.signature = key.sign(transaction_signing_bytes(chain_id, transaction));
  out.transaction = std::move(transaction);
  return out;
}

Result<TransactionPtr> verify_transaction(const Digest& chain_id, ByteView encoded,
                                          const crypto::Verifier& verifier) {
  auto out = std::make_shared<VerifiedTransaction>();
  QUORATE_TRY(out->signed_transaction, decode_signed_transaction(encoded));
  const SignedTransaction& transaction = out->signed_transaction;
  // The encoding is canonical, so the unsigned form is the signed one without its last 64 bytes.
  const ByteView unsigned_bytes = encoded.first(encoded.size() - Signature::kSize);
  crypto::Writer signing;
  signing.reserve(kSigningTag.size() + 1 + chain_id.size() + unsigned_bytes.size());
  signing.raw(as_bytes(kSigningTag));
  signing.u8(0);
  signing.raw(chain_id);
  signing.raw(unsigned_bytes);
  if (!verifier.verify(transaction.transaction.sender, signing.view(), transaction.signature)) {
    return fail(Errc::bad_signature,
                "the signature does not fit the sender's key, the content and this chain's id");
  }
  out->encoded = to_bytes(encoded);
  out->id = crypto::hash(kIdTag, {chain_id, unsigned_bytes});
  out->sender = crypto::address_of(transaction.transaction.sender);
  return TransactionPtr(std::move(out));
}

}  // namespace quorate::ledger
