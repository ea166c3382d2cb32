#include "node/chain_reader.hpp"

namespace quorate::node {
namespace {

// Heights without a certificate of their own occur after catch-up only; a proof that would need
// more headers than this is not worth sending.
constexpr std::size_t kProofHeadersMax = 1024;

bool is_final(const ledger::Chain& chain, Height height) {
  return height <= chain.certified_height();
}

rpc::TransactionStatus status_of(const ledger::Receipt& receipt) {
  return receipt.outcome == ledger::Outcome::succeeded ? rpc::TransactionStatus::final
                                                       : rpc::TransactionStatus::failed;
}

Result<std::vector<ledger::SignedTransaction>> decode_payload(ByteView payload) {
  std::vector<ledger::SignedTransaction> out;
  if (payload.empty()) return out;  // a null block
  QUORATE_TRY(const std::vector<ByteView> parts, ledger::split_payload(payload));
  for (const ByteView part : parts) {
    QUORATE_TRY(ledger::SignedTransaction transaction, ledger::decode_signed_transaction(part));
    out.push_back(std::move(transaction));
  }
  return out;
}

}  // namespace

Result<rpc::BlockView> read_block(const ledger::Chain& chain, Height height) {
  QUORATE_TRY(ledger::StoredBlock block, chain.block(height));
  rpc::BlockView out;
  auto transactions = decode_payload(block.payload);
  if (!transactions) {
    return fail(Errc::corrupt, "the stored payload of height " + std::to_string(height.value()) +
                                   ": " + transactions.error().detail);
  }
  out.transactions = std::move(*transactions);
  QUORATE_TRY(out.receipts, chain.receipts(height));
  out.hash = ledger::block_hash(block.header);
  out.header = block.header;
  out.commit_certificate = std::move(block.commit_certificate);
  out.certified = is_final(chain, height);
  for (const ledger::Receipt& receipt : out.receipts) {
    out.transaction_ids.push_back(receipt.transaction_id);
  }
  return out;
}

Result<rpc::BlockView> read_block_summary(const ledger::Chain& chain, Height height) {
  rpc::BlockView out;
  QUORATE_TRY(out.header, chain.header(height));
  out.hash = ledger::block_hash(out.header);
  out.certified = is_final(chain, height);
  return out;
}

Result<rpc::TransactionView> read_transaction(const ledger::Chain& chain, const Digest& id) {
  QUORATE_TRY(const ledger::TransactionLocation location, chain.find(id));
  rpc::TransactionView out;
  out.id = id;
  out.height = location.height;
  out.index = location.index;
  QUORATE_TRY(const ledger::StoredBlock block, chain.block(location.height));
  QUORATE_TRY(const std::vector<ByteView> parts, ledger::split_payload(block.payload));
  if (location.index >= parts.size()) {
    return fail(Errc::corrupt, "the index of transaction " + to_0x(id) + " is wrong");
  }
  QUORATE_TRY(out.transaction, ledger::decode_signed_transaction(parts[location.index]));
  if (!is_final(chain, location.height)) {
    out.status = rpc::TransactionStatus::pending;
    return out;
  }
  out.status = status_of(location.receipt);
  out.receipt = location.receipt;
  return out;
}

Result<PlacedReceipt> prove_receipt(const ledger::Chain& chain, const Digest& id) {
  QUORATE_TRY(const ledger::TransactionLocation location, chain.find(id));
  QUORATE_TRY(const std::vector<ledger::Receipt> receipts, chain.receipts(location.height));
  if (location.index >= receipts.size()) {
    return fail(Errc::corrupt, "the index of transaction " + to_0x(id) + " is wrong");
  }
  rpc::TransactionProof out;
  out.receipt = receipts[location.index];
  std::vector<Digest> leaves;
  leaves.reserve(receipts.size());
  for (const ledger::Receipt& receipt : receipts) leaves.push_back(ledger::receipt_leaf(receipt));
  out.path = ledger::merkle_prove(leaves, location.index);
  return PlacedReceipt{location.height, std::move(out)};
}

Result<rpc::TransactionProof> prove_transaction(const ledger::Chain& chain, const Digest& id) {
  QUORATE_TRY(PlacedReceipt placed, prove_receipt(chain, id));
  rpc::TransactionProof& out = placed.proof;
  const Height certified = chain.certified_height();
  for (Height at = placed.height; at <= certified; at = at.next()) {
    if (out.headers.size() == kProofHeadersMax) break;
    QUORATE_TRY(ledger::Header header, chain.header(at));
    out.headers.push_back(std::move(header));
    auto certificate = chain.certificate(at);
    if (certificate) {
      out.certificate = std::move(*certificate);
      return std::move(out);
    }
    if (certificate.error().code != Errc::not_found) return tl::unexpected(certificate.error());
  }
  return fail(Errc::unavailable, "block " + std::to_string(placed.height.value()) +
                                     " has no block certificate here yet; try again soon");
}

Result<rpc::AccountProof> prove_account(const ledger::Chain& chain,
                                        const crypto::Address& address) {
  const auto state = chain.certified_state();
  if (!state) {
    return fail(Errc::unavailable, "the state at the certified height " +
                                       std::to_string(chain.certified_height().value()) +
                                       " is no longer in memory; certificates are being collected");
  }
  rpc::AccountProof out;
  out.address = address;
  out.proof = (*state)->prove(address);
  QUORATE_TRY(out.certificate, chain.certificate((*state)->height()));
  return out;
}

}  // namespace quorate::node
