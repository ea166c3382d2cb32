// What work proves of the ledger. The work header of height h carries, as exec_ref, the hash of the
// ledger's block of height h - 1 - depth, where depth is the chain's commit depth. A miner can lie
// in it, so what counts is by how many more headers carry a block (or its descendants) than carry
// something else: somebody with a share q of the hash rate ever gets ahead by z with the
// probability (q / (1 - q))^z. Reads the work chain; the thread that owns it.
#pragma once

#include "rpc/client/trusted_chain.hpp"
#include "rpc/client/work_chain.hpp"

namespace quorate::rpc {

// Consecutive headers of the ledger, each the child of the one before: how strongly the first one
// is proved. Errors: conflict (another chain), rejected (another branch, or not carried by more
// headers than contradict it), unavailable (too new to be carried).
Result<ProvedByWork> check_carried(const WorkChain& chain,
                                   const std::vector<ledger::Header>& headers);

// Errors as of TrustedChain's and check_carried.
Result<ProvedReceipt> check_transaction_proof(const WorkChain& chain, const Json& answer,
                                              const Digest& transaction_id);
Result<ProvedAccount> check_account_proof(const WorkChain& chain, const TrustedChain& trusted,
                                          const Json& answer, const crypto::Address& address);

// By how many headers a block must be carried so that its result is at least as safe against
// `attacker_share` as its place in the order is at `depth`.
std::uint64_t carried_enough(double attacker_share, std::uint64_t depth);

}  // namespace quorate::rpc
