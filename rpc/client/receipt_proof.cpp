#include "rpc/client/receipt_proof.hpp"

namespace quorate::rpc {
namespace {

// More headers than this are not a proof a node needs to give.
constexpr std::size_t kHeadersMax = 10'000;

}  // namespace

Result<std::vector<ledger::Header>> read_descent(const Fields& answer) {
  QUORATE_TRY(const Json* items, answer.array("headers", kHeadersMax));
  std::vector<ledger::Header> headers;
  for (const Json& item : *items) {
    QUORATE_TRY(ledger::Header header, header_from_json(item));
    if (!headers.empty() && header.parent_hash != ledger::block_hash(headers.back())) {
      return fail(Errc::rejected, "the headers of the proof do not follow each other");
    }
    headers.push_back(header);
  }
  if (headers.empty()) return fail(Errc::bad_encoding, "headers: there must be at least one");
  return headers;
}

Result<ReceiptProof> check_receipt_proof(const Fields& answer, const Digest& transaction_id) {
  QUORATE_TRY(const Json* receipt_json, answer.get("receipt"));
  ReceiptProof out;
  QUORATE_TRY(out.receipt, receipt_from_json(*receipt_json));
  if (out.receipt.transaction_id != transaction_id) {
    return fail(Errc::conflict, "the proof is for transaction " +
                                    to_0x(out.receipt.transaction_id) + ", not for " +
                                    to_0x(transaction_id));
  }
  // A block may hold a copy that it skips beside the one that is executed, or hold it too early.
  if (out.receipt.outcome == ledger::Outcome::skipped) {
    return fail(Errc::rejected,
                "the receipt is of a copy that its block skipped, which decides "
                "nothing about the transaction; do not trust this node");
  }
  QUORATE_TRY(const Json* path_json, answer.get("path"));
  QUORATE_TRY(const ledger::MerkleProof path, merkle_proof_from_json(*path_json));
  QUORATE_TRY(out.headers, read_descent(answer));
  const ledger::Header& own = out.headers.front();
  if (!ledger::merkle_verify(own.receipts_root, ledger::receipt_leaf(out.receipt), path) ||
      path.count != own.transaction_count) {
    return fail(Errc::rejected, "the receipt does not stand under the block's receipts root");
  }
  return out;
}

}  // namespace quorate::rpc
