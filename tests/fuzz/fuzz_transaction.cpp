// Transactions, receipts and payloads: whatever decodes encodes to the same bytes, and a payload
// that splits is made of exactly its parts.
#include "crypto/base/assert.hpp"
#include "ledger/types/block.hpp"
#include "ledger/types/receipt.hpp"
#include "ledger/types/transaction.hpp"

using namespace quorate;
using namespace quorate::ledger;

namespace {

void transactions_have_one_encoding(ByteView input) {
  if (const auto transaction = decode_signed_transaction(input)) {
    QUORATE_ASSERT(encode(*transaction) == to_bytes(input));
    QUORATE_ASSERT(input.size() <= kTransactionBytesMax);
    const auto& operations = transaction->transaction.operations;
    QUORATE_ASSERT(!operations.empty() && operations.size() <= kOperationsMax);
    // The unsigned form is the signed one without the signature: verify_transaction relies on it.
    const ByteView content = input.first(input.size() - Signature::kSize);
    QUORATE_ASSERT(encode(transaction->transaction) == to_bytes(content));
  }
  if (const auto transaction = decode_transaction(input)) {
    QUORATE_ASSERT(encode(*transaction) == to_bytes(input));
  }
}

void payloads_are_their_parts(ByteView input) {
  const auto parts = split_payload(input);
  if (!parts || input.empty()) return;
  std::vector<TransactionPtr> transactions;
  for (const ByteView part : *parts) {
    auto transaction = std::make_shared<VerifiedTransaction>();
    transaction->encoded = to_bytes(part);
    transactions.push_back(std::move(transaction));
  }
  QUORATE_ASSERT(encode_payload(transactions) == to_bytes(input));
}

void receipts_have_one_encoding(ByteView input) {
  crypto::Reader in(input);
  const Receipt receipt = decode_receipt(in);
  if (!in.finish()) return;
  crypto::Writer out;
  encode(out, receipt);
  QUORATE_ASSERT(to_bytes(out.view()) == to_bytes(input));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  transactions_have_one_encoding(input);
  payloads_are_their_parts(input);
  receipts_have_one_encoding(input);
  return 0;
}
