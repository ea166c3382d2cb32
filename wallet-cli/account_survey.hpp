// What the nodes of a profile say about an account, asked of all at once, so that one node that
// lags or lies does not decide it. What is proved counts wherever it comes from; of what is only
// said, the median.
#pragma once

#include "wallet-cli/network.hpp"

namespace quorate::wallet {

// The newest of the proofs that hold, on a chain whose blocks are sealed. Goes on with the node
// that gave it. Failures: unreachable, timed_out, failed when no node's proof holds.
struct NewestProof {
  rpc::ProvedAccount proved;
  std::vector<std::string> warnings;  // nodes whose proofs do not hold, and why
};
Outcome<NewestProof> newest_account_proof(Network& network, const rpc::TrustedChain& chain,
                                          const crypto::Address& address);

// An account that is about to pay.
struct PayingAccount {
  std::uint64_t next_nonce = 1;  // said, counting what waits in mempools
  Height height;                 // of the newest block: proved, or only said where nothing is
  std::optional<rpc::ProvedAccount> proved;  // none under proof of work
  std::vector<std::string> warnings = {};
};
Outcome<PayingAccount> survey_account(Network& network, const rpc::TrustedChain& chain,
                                      const crypto::Address& address);

// True when some node holds this transaction, waiting or decided.
bool is_known_to_a_node(Network& network, const Digest& transaction_id);

}  // namespace quorate::wallet
