// What work proves of the ledger. The work header of height h carries, as exec_ref, the hash of the
// ledger's block of height h - 1 - depth, where depth is the chain's commit depth. A miner can lie
// in it, so what counts is by how many more headers carry a block (or its descendants) than do not.
// Reads the work chain; the thread that owns it.
#pragma once

#include "rpc/client/trusted_chain.hpp"
#include "rpc/client/work_chain.hpp"

namespace quorate::rpc {

// More carriers than this are not looked at.
inline constexpr std::uint64_t kCarriersCounted = 64;

// Consecutive headers of the ledger, each the child of the one before: how strongly the first one
// is proved. The prover does not choose where the count ends: what it leaves out of the newest
// carriers known here, up to kCarriersCounted, counts as contradicting it. Errors: conflict
// (another chain), rejected (not carried by more headers than contradict it), unavailable (of
// another branch, too new to be carried, or too much is left out: a node that is behind does so
// too).
Result<ProvedByWork> check_carried(const WorkChain& chain,
                                   const std::vector<ledger::Header>& headers);

// Errors as of TrustedChain's and check_carried.
Result<ProvedReceipt> check_transaction_proof(const WorkChain& chain, const Json& answer,
                                              const Digest& transaction_id);
Result<ProvedAccount> check_account_proof(const WorkChain& chain, const TrustedChain& trusted,
                                          const Json& answer, const crypto::Address& address);

// How probable it is that miners with this share of the hash rate were ever ahead by `carried`
// headers on a branch of `tip` blocks. Ahead from one given block on: (q / (1 - q))^carried; but
// whoever lies chooses the block.
double lie_probability(double attacker_share, std::uint64_t carried, Height tip);

// By how many headers a block must be carried, on a branch up to `tip`, so that its result is at
// least as safe against `attacker_share` as its place in the order is at `depth`; never more than
// can be counted.
std::uint64_t carried_enough(double attacker_share, std::uint64_t depth, Height tip);

}  // namespace quorate::rpc
