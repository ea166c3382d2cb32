// What the API reads of a tentative order: where a block stands in it and, where work proves the
// blocks, the work headers up to the tip and which of them carry a block of the ledger. A work
// header is the block's commit certificate: below the executed head it is in the chain, above it
// `above` has it (Replica::tentative_branch). Pure functions over a chain that goes on meanwhile;
// any thread.
#pragma once

#include <map>

#include "ledger/chain.hpp"
#include "node/finality_watch.hpp"
#include "node/replica.hpp"
#include "node/runtime/statistics.hpp"
#include "rpc/backend.hpp"

namespace quorate::node {

// Up to `limit` from `from` on. Error unavailable when they do not follow each other, as while the
// branch is being switched.
Result<rpc::WorkHeaders> read_work_headers(const ledger::Chain& chain, const TentativeBranch& above,
                                           Height from, std::uint32_t limit);

struct Carried {
  std::vector<ledger::Header> headers;  // of the ledger, from the height asked for on
  rpc::CarriedByWork work;
};
// As many as carry it, up to 64: clients count what is left out of those against the proof. Error
// unavailable when no header of the branch carries that height yet.
Result<Carried> read_carried(const ledger::Chain& chain, const TentativeBranch& above,
                             std::uint32_t commit_depth, Height height);

// Errors: not_found, unavailable (no header carries it yet).
Result<rpc::TransactionProof> prove_transaction_by_work(const ledger::Chain& chain,
                                                        const TentativeBranch& above,
                                                        std::uint32_t commit_depth,
                                                        const Digest& id);

// The newest account state that `carriers` headers carry (at least one), or fewer when it is not in
// memory. Error unavailable when none is.
Result<rpc::AccountProof> prove_account_by_work(const ledger::Chain& chain,
                                                const TentativeBranch& above,
                                                std::uint32_t commit_depth,
                                                const crypto::Address& address,
                                                std::uint32_t carriers);

// How deep a block of this height stands, and which one it is: of any engine whose order is
// tentative. None when `above` and the ledger have no such block.
std::optional<rpc::TransactionView::Placement> read_placement(const ledger::Chain& chain,
                                                              const TentativeBranch& above,
                                                              Height height);

// The lowest height known by which `transaction` could not be executed any more: the chain has
// passed valid_until, or another transaction has its nonce (states of the past are in memory for a
// while only, so it may have been earlier).
Height decided_at(const ledger::Chain& chain, const SeenTransaction& transaction,
                  ledger::Reason reason);

rpc::BranchView view_of(const consensus::Status::Branch& branch,
                        const std::optional<MiningStatistics>& mining);

}  // namespace quorate::node
