// The part of a receipt's proof that stands whatever proves the header: the receipt of the right
// transaction, under the receipts root of the first header. Pure functions; any thread.
#pragma once

#include <vector>

#include "rpc/json/fields.hpp"

namespace quorate::rpc {

struct ReceiptProof {
  ledger::Receipt receipt;
  std::vector<ledger::Header> headers;  // at least one; ascending, each the child of the one before
};

// Of an answer of tx_getProof. Errors: bad_encoding, conflict (another transaction's), rejected.
Result<ReceiptProof> check_receipt_proof(const Fields& answer, const Digest& transaction_id);

// The answer's `headers`, each the child of the one before. Errors: bad_encoding, rejected.
Result<std::vector<ledger::Header>> read_descent(const Fields& answer);

}  // namespace quorate::rpc
