#include "ledger/types/block.hpp"

#include "crypto/base/assert.hpp"
#include "crypto/hash.hpp"

namespace quorate::ledger {

namespace {
constexpr std::uint8_t kHeaderVersion = 1;
constexpr std::size_t kHeaderBytes = 1 + 9 * 32 + 3 * 8 + 4;
}  // namespace

Bytes encode(const Header& header) {
  crypto::Writer out;
  out.reserve(kHeaderBytes);
  out.u8(header.version);
  out.raw(header.chain_id);
  out.integer_of(header.epoch);
  out.integer_of(header.height);
  out.raw(header.parent_hash);
  out.integer_of(header.time);
  out.raw(header.proposer);
  out.raw(header.payload_id);
  out.u32(header.transaction_count);
  out.raw(header.transactions_root);
  out.raw(header.receipts_root);
  out.raw(header.state_root);
  out.raw(header.config_hash);
  out.raw(header.next_config_hash);
  return std::move(out).take();
}

Result<Header> decode_header(ByteView bytes) {
  crypto::Reader in(bytes);
  Header header;
  header.version = in.u8();
  if (in.ok() && header.version != kHeaderVersion) {
    in.reject("header version " + std::to_string(header.version) + ", only 1 is known");
  }
  header.chain_id = in.fixed<Digest>();
  header.epoch = in.integer_of<Epoch>();
  header.height = in.integer_of<Height>();
  header.parent_hash = in.fixed<Digest>();
  header.time = in.integer_of<WallMs>();
  header.proposer = in.fixed<PublicKey>();
  header.payload_id = in.fixed<Digest>();
  header.transaction_count = in.u32();
  header.transactions_root = in.fixed<Digest>();
  header.receipts_root = in.fixed<Digest>();
  header.state_root = in.fixed<Digest>();
  header.config_hash = in.fixed<Digest>();
  header.next_config_hash = in.fixed<Digest>();
  QUORATE_CHECK(in.finish());
  return header;
}

Digest block_hash(const Header& header) {
  return crypto::hash("quorate/block/1", {encode(header)});
}

Digest checkpoint_digest(const Header& header) {
  return crypto::hash("quorate/checkpoint/1", {header.state_root, block_hash(header),
                                               header.config_hash, header.next_config_hash});
}

Bytes encode_payload(const std::vector<TransactionPtr>& transactions) {
  QUORATE_ASSERT(transactions.size() <= 0xFFFFFFFFU);
  std::size_t size = 4;
  for (const TransactionPtr& transaction : transactions) size += 4 + transaction->encoded.size();
  crypto::Writer out;
  out.reserve(size);
  out.u32(static_cast<std::uint32_t>(transactions.size()));
  for (const TransactionPtr& transaction : transactions) out.bytes(transaction->encoded);
  return std::move(out).take();
}

Result<std::vector<ByteView>> split_payload(ByteView payload) {
  std::vector<ByteView> out;
  if (payload.empty()) return out;
  crypto::Reader in(payload);
  const std::uint32_t count = in.count(0, 0xFFFFFFFFU, 4);
  out.reserve(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    out.push_back(in.bytes(kTransactionBytesMax));
  }
  QUORATE_CHECK(in.finish());
  return out;
}

Result<std::vector<TransactionPtr>> decode_committed_payload(const Digest& chain_id,
                                                             ByteView payload) {
  QUORATE_TRY(const auto parts, split_payload(payload));
  std::vector<TransactionPtr> out;
  out.reserve(parts.size());
  for (const ByteView part : parts) {
    QUORATE_TRY(auto decoded, decode_signed_transaction(part));
    VerifiedTransaction transaction;
    transaction.id = transaction_id(chain_id, decoded.transaction);
    transaction.sender = crypto::address_of(decoded.transaction.sender);
    transaction.encoded = to_bytes(part);
    transaction.signed_transaction = std::move(decoded);
    out.push_back(std::make_shared<const VerifiedTransaction>(std::move(transaction)));
  }
  return out;
}

}  // namespace quorate::ledger
