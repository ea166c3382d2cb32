#include "node/dry_run.hpp"

namespace quorate::node {

rpc::SubmitRefusal refusal_view(const Refusal& refusal) {
  return {refusal.reason, refusal.detail, refusal.expected, refusal.got};
}

rpc::SubmitResult refused(const Digest& id, ledger::Reason reason, std::string detail,
                          std::optional<std::uint64_t> expected, std::optional<std::uint64_t> got) {
  return {id, rpc::SubmitRefusal{reason, std::move(detail), expected, got}};
}

rpc::SubmitResult dry_run(const ledger::Chain& chain, const MempoolLimits& limits,
                          const ledger::TransactionPtr& transaction, const CheckBasis& basis) {
  const Digest& id = transaction->id;
  if (basis.waiting) return {id, {}};
  if (const auto executed = chain.find(id)) {
    return refused(id, ledger::Reason::duplicate,
                   "executed in block " + std::to_string(executed->height.value()) + " already");
  }
  const std::uint64_t nonce = transaction->signed_transaction.transaction.nonce;
  // A pool of its own, so that only this transaction and the newest state decide.
  Mempool pool(limits, chain.genesis());
  if (const auto refusal = pool.admit(transaction, *basis.state, Instant{})) {
    return {id, refusal_view(*refusal)};
  }
  if (nonce < basis.next_nonce) {
    return refused(id, ledger::Reason::nonce_too_low,
                   "another transaction with this nonce is waiting; next nonce is " +
                       std::to_string(basis.next_nonce),
                   basis.next_nonce, nonce);
  }
  if (nonce > basis.next_nonce) {
    return refused(id, ledger::Reason::nonce_too_high,
                   "next nonce is " + std::to_string(basis.next_nonce), basis.next_nonce, nonce);
  }
  return {id, {}};
}

}  // namespace quorate::node
