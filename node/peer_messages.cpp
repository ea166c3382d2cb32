#include "node/peer_messages.hpp"

#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"

namespace quorate::node {
namespace {

constexpr std::uint8_t kBlocksRequest = 1;
constexpr std::uint8_t kBlocksResponse = 2;
constexpr std::size_t kPayloadBytesMax = 64U << 20U;
constexpr std::size_t kCertificateBytesMax = 1U << 20U;
// payload, commit certificate and block certificate, each at least its length field.
constexpr std::size_t kServedBlockBytesMin = 12;

Result<PeerMessage> verify_relayed(const VerifyContext& context, ByteView body) {
  crypto::Reader in(body);
  const std::uint32_t count = in.count(1, kRelayedTransactionsMax, 4);
  RelayedTransactions out;
  out.transactions.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const ByteView encoded = in.bytes(ledger::kTransactionBytesMax);
    if (!in.ok()) break;
    QUORATE_TRY(auto transaction, verify_transaction(context, encoded));
    out.transactions.push_back(std::move(transaction));
  }
  QUORATE_CHECK(in.finish());
  return PeerMessage(std::move(out));
}

Result<CommittedBlock> verify_block(const VerifyContext& context, crypto::Reader& in) {
  const std::size_t left_before = in.left();
  const ByteView payload = in.bytes(kPayloadBytesMax);
  const ByteView commit_certificate = in.bytes(kCertificateBytesMax);
  const ByteView block_certificate = in.bytes(kCertificateBytesMax);
  if (!in.ok()) QUORATE_CHECK(in.finish());

  QUORATE_TRY(const auto proved, context.messages->verify_commit_certificate(commit_certificate));
  CommittedBlock out;
  out.height = proved.height;
  out.id = proved.id;
  out.bytes = left_before - in.left();
  QUORATE_TRY(out.committed,
              context.messages->verify_committed(commit_certificate, to_bytes(payload)));
  QUORATE_TRY(out.transactions, decode_committed_payload(context.chain_id, payload));
  if (block_certificate.empty()) return out;

  QUORATE_TRY(auto certificate, ledger::decode_block_certificate(block_certificate));
  QUORATE_CHECK(ledger::verify(certificate, context.membership, *context.signatures));
  if (certificate.header.height != proved.height || certificate.header.payload_id != proved.id) {
    return fail(Errc::bad_encoding,
                "the block certificate belongs to another block than the commit certificate");
  }
  out.certificate = std::move(certificate);
  return out;
}

Result<PeerMessage> verify_sync(const VerifyContext& context, ByteView body) {
  crypto::Reader in(body);
  const std::uint8_t kind = in.u8();
  if (kind == kBlocksRequest) {
    const auto from = in.integer_of<Height>();
    QUORATE_CHECK(in.finish());
    return PeerMessage(BlocksRequest{from});
  }
  if (kind != kBlocksResponse) {
    return fail(Errc::bad_encoding, "unknown kind of sync message: " + std::to_string(kind));
  }
  const std::uint32_t count = in.count(0, kBlocksPerResponseMax, kServedBlockBytesMin);
  BlocksResponse out;
  for (std::uint32_t i = 0; i < count; ++i) {
    QUORATE_TRY(auto block, verify_block(context, in));
    if (!out.blocks.empty() && block.height != out.blocks.back().height.saturating_add(1)) {
      return fail(Errc::bad_encoding, "the blocks of a response are not consecutive");
    }
    out.blocks.push_back(std::move(block));
  }
  QUORATE_CHECK(in.finish());
  return PeerMessage(std::move(out));
}

}  // namespace

Result<ledger::TransactionPtr> verify_transaction(const VerifyContext& context, ByteView encoded) {
  if (context.transactions != nullptr) return context.transactions->verify(encoded);
  return ledger::verify_transaction(context.chain_id, encoded, *context.signatures);
}

Result<PeerMessage> verify_peer_message(const VerifyContext& context, ReplicaId from,
                                        TrafficClass traffic, ByteView body) {
  switch (traffic) {
    case TrafficClass::consensus: {
      QUORATE_TRY(auto message, context.messages->verify(from, body));
      return PeerMessage(ConsensusMessage{std::move(message)});
    }
    case TrafficClass::sync: return verify_sync(context, body);
    case TrafficClass::transactions: return verify_relayed(context, body);
  }
  return fail(Errc::bad_encoding, "unknown traffic class");
}

Result<std::vector<ledger::TransactionPtr>> verify_payload(const VerifyContext& context,
                                                           ByteView payload) {
  std::vector<ledger::TransactionPtr> out;
  if (payload.empty()) return out;
  QUORATE_TRY(const auto parts, ledger::split_payload(payload));
  out.reserve(parts.size());
  for (const ByteView part : parts) {
    QUORATE_TRY(auto transaction, verify_transaction(context, part));
    out.push_back(std::move(transaction));
  }
  return out;
}

Bytes encode_transactions(const std::vector<ledger::TransactionPtr>& transactions) {
  std::size_t size = 4;
  for (const auto& transaction : transactions) size += 4 + transaction->encoded.size();
  crypto::Writer out;
  out.reserve(size);
  out.u32(static_cast<std::uint32_t>(transactions.size()));
  for (const auto& transaction : transactions) out.bytes(transaction->encoded);
  return std::move(out).take();
}

Bytes encode_blocks_request(Height from) {
  crypto::Writer out;
  out.u8(kBlocksRequest);
  out.integer_of(from);
  return std::move(out).take();
}

Bytes encode_blocks_response(const std::vector<ServedBlock>& blocks) {
  crypto::Writer out;
  out.u8(kBlocksResponse);
  out.u32(static_cast<std::uint32_t>(blocks.size()));
  for (const ServedBlock& block : blocks) {
    out.bytes(block.payload);
    out.bytes(block.commit_certificate);
    out.bytes(block.certificate ? ledger::encode(*block.certificate) : Bytes{});
  }
  return std::move(out).take();
}

}  // namespace quorate::node
