// What the API reads of a branch that work orders: its headers up to the tip, and which of them
// carry a block of the ledger. A work header is the block's commit certificate: below the executed
// head it is in the chain, above it `above` has it (Replica::branch_certificates). Pure functions
// over a chain that goes on meanwhile; any thread.
#pragma once

#include <map>

#include "ledger/chain.hpp"
#include "node/replica.hpp"
#include "node/runtime/statistics.hpp"
#include "rpc/backend.hpp"

namespace quorate::node {

using BranchCertificates = std::map<Height, Bytes>;

// Up to `limit` from `from` on. Error unavailable when they do not follow each other, as while the
// branch is being switched.
Result<rpc::WorkHeaders> read_work_headers(const ledger::Chain& chain,
                                           const BranchCertificates& above, Height from,
                                           std::uint32_t limit);

struct Carried {
  std::vector<ledger::Header> headers;  // of the ledger, from the height asked for on
  rpc::CarriedByWork work;
};
// At most `blocks_max`. Error unavailable when no header of the branch carries that height yet.
Result<Carried> read_carried(const ledger::Chain& chain, const BranchCertificates& above,
                             std::uint32_t commit_depth, Height height, std::uint32_t blocks_max);

// As many headers as carry it, up to 64. Errors: not_found, unavailable (none does yet).
Result<rpc::TransactionProof> prove_transaction_by_work(const ledger::Chain& chain,
                                                        const BranchCertificates& above,
                                                        std::uint32_t commit_depth,
                                                        const Digest& id);

// The newest account state that `commit_depth` headers carry, or fewer when it is not in memory.
// Error unavailable when none is.
Result<rpc::AccountProof> prove_account_by_work(const ledger::Chain& chain,
                                                const BranchCertificates& above,
                                                std::uint32_t commit_depth,
                                                const crypto::Address& address);

// Where a transaction stands in the tentative order. On the thread of the replica.
std::optional<rpc::TransactionView::Placement> tentative_placement(const Replica& replica,
                                                                   const Digest& id);

rpc::BranchView view_of(const consensus::Status::Branch& branch,
                        const std::optional<MiningStatistics>& mining);

}  // namespace quorate::node
