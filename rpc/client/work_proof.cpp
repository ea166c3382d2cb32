#include "rpc/client/work_proof.hpp"

#include <cmath>

#include "crypto/work/reversal.hpp"
#include "rpc/client/receipt_proof.hpp"

namespace quorate::rpc {
namespace {

std::string block_name(Height height) { return "block " + std::to_string(height.value()); }

// The ledger's header must belong to the block that stands at its height on the branch.
Result<void> check_place(const WorkChain& chain, const ledger::Header& header) {
  if (header.chain_id != chain.chain_id()) {
    return fail(Errc::conflict, "the proof's " + block_name(header.height) + " is of chain " +
                                    to_0x(header.chain_id) + ", not of " + to_0x(chain.chain_id()));
  }
  if (header.height == Height(0)) return {};
  QUORATE_TRY(const Digest id, chain.id(header.height));
  if (header.payload_id != id) {
    return fail(Errc::unavailable, "the proof's " + block_name(header.height) +
                                       " is not on the branch with the most work: this node lags "
                                       "behind or stands on a lighter one");
  }
  return {};
}

}  // namespace

Result<ProvedByWork> check_carried(const WorkChain& chain,
                                   const std::vector<ledger::Header>& headers) {
  QUORATE_ASSERT(!headers.empty());
  const Height first = headers.front().height;
  const Height first_carrier = first.saturating_add(chain.parameters().depth + 1);
  const std::uint64_t counted = std::min(chain.depth(first_carrier), kCarriersCounted);
  if (counted == 0) {
    return fail(Errc::unavailable, block_name(first) + " is carried by the work header of height " +
                                       std::to_string(first_carrier.value()) + ", and the tip is " +
                                       std::to_string(chain.tip().value()));
  }
  std::uint64_t agree = 0, contradict = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(headers.size(), counted); ++i) {
    const ledger::Header& header = headers[i];
    if (header.height != first.saturating_add(i)) {
      return fail(Errc::rejected, "the headers of the proof skip a height");
    }
    const auto placed = check_place(chain, header);
    if (!placed && i > 0) break;  // from here on the prover is on another branch
    QUORATE_CHECK(placed);
    QUORATE_TRY(const crypto::work::Header carrying, chain.header(first_carrier.saturating_add(i)));
    ++(carrying.exec_ref == ledger::block_hash(header) ? agree : contradict);
  }
  if (agree <= contradict) {
    return fail(Errc::rejected, std::to_string(contradict) + " of " +
                                    std::to_string(agree + contradict) +
                                    " work headers carry another result than the proof's for " +
                                    block_name(first) + " and after");
  }
  const std::uint64_t left_out = counted - agree - contradict;
  if (agree <= contradict + left_out) {
    return fail(Errc::unavailable, "the proof for " + block_name(first) + " leaves out " +
                                       std::to_string(left_out) + " of " + std::to_string(counted) +
                                       " blocks that known work headers carry");
  }
  return ProvedByWork{first, chain.depth(first), agree - contradict - left_out, chain.tip()};
}

Result<ProvedReceipt> check_transaction_proof(const WorkChain& chain, const Json& answer,
                                              const Digest& transaction_id) {
  QUORATE_TRY(const Fields fields, Fields::of(answer, "proof"));
  QUORATE_TRY(const ReceiptProof proof, check_receipt_proof(fields, transaction_id));
  QUORATE_TRY(const ProvedByWork work, check_carried(chain, proof.headers));
  const ledger::Header& own = proof.headers.front();
  const Digest hash = ledger::block_hash(own);
  return ProvedReceipt{proof.receipt, own.height, hash, ProvedHeader{own, hash, 0, 0}, work};
}

Result<ProvedAccount> check_account_proof(const WorkChain& chain, const TrustedChain& trusted,
                                          const Json& answer, const crypto::Address& address) {
  QUORATE_TRY(const Fields fields, Fields::of(answer, "proof"));
  QUORATE_TRY(const std::vector<ledger::Header> headers, read_descent(fields));
  const ledger::Header& own = headers.front();
  if (own.height == Height(0)) {
    ProvedAccount out = trusted.account_at_genesis(address);
    out.work = ProvedByWork{Height(0), chain.tip().value() + 1, 0, chain.tip()};
    return out;
  }
  QUORATE_TRY(const ProvedByWork work, check_carried(chain, headers));
  QUORATE_TRY(const Json* proof_json, fields.get("proof"));
  QUORATE_TRY(const ledger::StateProof proof, state_proof_from_json(*proof_json));
  QUORATE_TRY(const std::optional<ledger::Account> account,
              ledger::verify_state_proof(own.state_root, address, proof));
  return ProvedAccount{account, ProvedHeader{own, ledger::block_hash(own), 0, 0}, work};
}

double lie_probability(double attacker_share, std::uint64_t carried, Height tip) {
  const double ratio = attacker_share / (1 - attacker_share);
  const double of_one = std::pow(ratio, static_cast<double>(carried));
  return std::min(1.0, of_one * static_cast<double>(std::max<std::uint64_t>(tip.value(), 1)));
}

std::uint64_t carried_enough(double attacker_share, std::uint64_t depth, Height tip) {
  const auto known =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(depth, crypto::work::kReversalDepthMax));
  const double bound = crypto::work::reversal_probability(attacker_share, known);
  std::uint64_t z = 1;
  while (z < kCarriersCounted && lie_probability(attacker_share, z, tip) > bound) ++z;
  return z;
}

}  // namespace quorate::rpc
