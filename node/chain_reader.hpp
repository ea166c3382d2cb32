// What the API reads from the chain alone: blocks, proofs, and what became of a transaction. Pure
// functions over const Chain; any thread.
#pragma once

#include "ledger/chain.hpp"
#include "rpc/backend.hpp"

namespace quorate::node {

// Errors: not_found, io, corrupt.
Result<rpc::BlockView> read_block(const ledger::Chain& chain, Height height);

// The same without transactions, receipts and commit certificate.
Result<rpc::BlockView> read_block_summary(const ledger::Chain& chain, Height height);

// A transaction that was executed: final or failed when its block, or one after it, has a block
// certificate here, else pending. Error not_found when it was never executed here.
Result<rpc::TransactionView> read_transaction(const ledger::Chain& chain, const Digest& id);

// Errors: not_found (never executed), unavailable (no certificate at or after its block yet).
Result<rpc::TransactionProof> prove_transaction(const ledger::Chain& chain, const Digest& id);

// The receipt of an executed transaction with its place under the receipts root of its block, but
// without what proves that block. Errors: not_found, io, corrupt.
struct PlacedReceipt {
  Height height;
  rpc::TransactionProof proof;
};
Result<PlacedReceipt> prove_receipt(const ledger::Chain& chain, const Digest& id);

// At the newest certified height. Error unavailable when that state has left the memory.
Result<rpc::AccountProof> prove_account(const ledger::Chain& chain, const crypto::Address& address);

}  // namespace quorate::node
