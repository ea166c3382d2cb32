// Getting one signed transaction to finality, and believing it only when it is proved. The same
// bytes may always be submitted again without paying twice: that is how the wallet goes on at
// another node when one dies, and how it decides a timeout.
#pragma once

#include <chrono>

#include "wallet-cli/network.hpp"
#include "wallet-cli/payment.hpp"

namespace quorate::wallet {

struct FinalTransaction {
  rpc::ProvedReceipt proved;
  std::chrono::milliseconds elapsed{0};
  std::string url;  // the node that gave the proof
};

// Hands it to the first node that takes it now. Whether a node may have it since; nobody's answer
// counts but as that: what becomes of the payment is the business of the two functions below.
bool offer(Network& network, const rpc::TrustedChain& chain, const Payment& payment);

// Submits, waits and verifies. Failures: rejected (refused by every node, or final but failed),
// timed_out with the network's own reason, unreachable when no node can have seen it, failed when
// no node's proof holds, or when the payment was final before it was signed (already_final).
Outcome<FinalTransaction> submit_until_final(Network& network, const rpc::TrustedChain& chain,
                                             const Payment& payment,
                                             std::chrono::milliseconds timeout);

std::chrono::milliseconds since_offered(const Payment& payment);

// What was proved is an earlier payment of the same bytes: this one was not made. `work`: the
// branch that it was proved on; null where seals prove.
bool is_earlier(const Payment& payment, const rpc::ProvedReceipt& proved,
                const rpc::WorkChain* work);
Failure already_final(const Payment& payment, const rpc::ProvedReceipt& proved);

// Fetches and verifies the proof of one transaction from the current node.
Outcome<rpc::ProvedReceipt> fetch_proof(Network& network, const rpc::TrustedChain& chain,
                                        const Digest& id);

// One sentence on why the network does not make progress, asked of every node: "2 of 4 nodes
// answer, below the quorum of 3"; empty when nothing is wrong with it.
std::string why_not_final(Network& network, const rpc::TrustedChain& chain);

// What a receipt says to people: "insufficient funds".
std::string describe(ledger::Reason reason);

// A transaction that was executed and proved, and had no effect.
Failure failed_transaction(const rpc::ProvedReceipt& proved);

}  // namespace quorate::wallet
