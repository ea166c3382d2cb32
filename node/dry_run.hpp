// What would become of a transaction: what the node would answer to its submission, and what
// execution on the newest state would give. Changes nothing. Pure functions; any thread.
#pragma once

#include "ledger/chain.hpp"
#include "node/mempool.hpp"
#include "rpc/backend.hpp"

namespace quorate::node {

rpc::SubmitRefusal refusal_view(const Refusal& refusal);
rpc::SubmitResult refused(const Digest& id, ledger::Reason reason, std::string detail,
                          std::optional<std::uint64_t> expected = {},
                          std::optional<std::uint64_t> got = {});

// What the replica knows about a transaction that a client wants checked.
struct CheckBasis {
  ledger::StateViewPtr state;
  std::uint64_t next_nonce = 0;
  bool waiting = false;  // it is in the mempool already
};

rpc::SubmitResult dry_run(const ledger::Chain& chain, const MempoolLimits& limits,
                          const ledger::TransactionPtr& transaction, const CheckBasis& basis);

}  // namespace quorate::node
