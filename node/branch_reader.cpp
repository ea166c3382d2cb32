#include "node/branch_reader.hpp"

#include <algorithm>

#include "crypto/work/header.hpp"
#include "node/chain_reader.hpp"

namespace quorate::node {
namespace {

namespace work = crypto::work;

constexpr std::uint32_t kCarriersMax = 64;

Height tip_of(const ledger::Chain& chain, const TentativeBranch& above) {
  const Height head = chain.head().height;
  return above.empty() ? head : std::max(head, above.rbegin()->first);
}

// The ledger first: what has been executed since `above` was copied is there.
Result<Bytes> certificate_at(const ledger::Chain& chain, const TentativeBranch& above,
                             Height height) {
  if (height > chain.head().height) {
    const auto found = above.find(height);
    if (found != above.end() && !found->second.certificate.empty()) {
      return found->second.certificate;
    }
  }
  auto stored = chain.commit_certificate(height);
  if (stored) return stored;
  return fail(Errc::unavailable, "the branch is being switched at height " +
                                     std::to_string(height.value()) + "; ask again");
}

Result<work::Header> header_at(const ledger::Chain& chain, const TentativeBranch& above,
                               Height height) {
  QUORATE_TRY(const Bytes encoded, certificate_at(chain, above, height));
  auto header = work::decode_header(encoded);
  if (header) return *header;
  return fail(Errc::corrupt, "the work header of height " + std::to_string(height.value()) + ": " +
                                 header.error().detail);
}

// The ledger's block of height h is carried by the header of height h + this.
std::uint64_t carrier_distance(std::uint32_t commit_depth) { return commit_depth + 1ULL; }

}  // namespace

Result<rpc::WorkHeaders> read_work_headers(const ledger::Chain& chain, const TentativeBranch& above,
                                           Height from, std::uint32_t limit) {
  rpc::WorkHeaders out;
  out.tip = tip_of(chain, above);
  Digest parent;
  for (Height at = from; at <= out.tip && out.headers.size() < limit; at = at.next()) {
    QUORATE_TRY(Bytes encoded, certificate_at(chain, above, at));
    QUORATE_TRY(const work::Header header, header_at(chain, above, at));
    if (at > from && header.parent != parent) {
      return fail(Errc::unavailable, "the branch is being switched at height " +
                                         std::to_string(at.value()) + "; ask again");
    }
    parent = work::id_of_encoded(encoded);
    out.headers.push_back(std::move(encoded));
  }
  return out;
}

Result<Carried> read_carried(const ledger::Chain& chain, const TentativeBranch& above,
                             std::uint32_t commit_depth, Height height) {
  const Height tip = tip_of(chain, above);
  const Height first = height.saturating_add(carrier_distance(commit_depth));
  if (first > tip) {
    return fail(Errc::unavailable, "block " + std::to_string(height.value()) +
                                       " is carried by the work header of height " +
                                       std::to_string(first.value()) + ", and the tip is " +
                                       std::to_string(tip.value()));
  }
  Carried out;
  out.work.first = first;
  for (std::uint64_t i = 0; i < kCarriersMax; ++i) {
    const Height carrier = first.saturating_add(i);
    if (carrier > tip) break;
    QUORATE_TRY(const ledger::Header header, chain.header(height.saturating_add(i)));
    QUORATE_TRY(const work::Header carrying, header_at(chain, above, carrier));
    out.headers.push_back(header);
    out.work.block_ids.push_back(work::id_of(carrying));
  }
  return out;
}

Result<rpc::TransactionProof> prove_transaction_by_work(const ledger::Chain& chain,
                                                        const TentativeBranch& above,
                                                        std::uint32_t commit_depth,
                                                        const Digest& id) {
  QUORATE_TRY(PlacedReceipt placed, prove_receipt(chain, id));
  QUORATE_TRY(Carried carried, read_carried(chain, above, commit_depth, placed.height));
  placed.proof.headers = std::move(carried.headers);
  placed.proof.work = std::move(carried.work);
  return std::move(placed.proof);
}

Result<rpc::AccountProof> prove_account_by_work(const ledger::Chain& chain,
                                                const TentativeBranch& above,
                                                std::uint32_t commit_depth,
                                                const crypto::Address& address,
                                                std::uint32_t carriers) {
  const std::uint64_t distance = carrier_distance(commit_depth);
  const Height tip = tip_of(chain, above);
  // After a start the states of the past are not in memory: then fewer headers carry the proof.
  Height height = tip.saturating_sub(distance + std::max(carriers, 1U) - 1);
  auto state = chain.state_at(height);
  while (!state && height.saturating_add(distance) < tip) {
    height = height.next();
    state = chain.state_at(height);
  }
  if (!state) {
    return fail(
        Errc::unavailable,
        "no state that work headers carry is in memory yet; ask again after the next blocks");
  }
  rpc::AccountProof out{address, (*state)->prove(address), {}, {}, {}};
  if (height == Height(0)) {
    QUORATE_TRY(const ledger::Header genesis, chain.header(height));
    out.headers.push_back(genesis);
    out.work = rpc::CarriedByWork{height.saturating_add(carrier_distance(commit_depth)), {}};
    return out;
  }
  QUORATE_TRY(Carried carried, read_carried(chain, above, commit_depth, height));
  out.headers = std::move(carried.headers);
  out.work = std::move(carried.work);
  return out;
}

std::optional<rpc::TransactionView::Placement> read_placement(const ledger::Chain& chain,
                                                              const TentativeBranch& above,
                                                              Height height) {
  const Height tip = tip_of(chain, above);
  if (height > tip) return std::nullopt;
  const std::uint64_t depth = tip.saturating_sub(height.value()).value() + 1;
  if (height > chain.head().height) {
    const auto found = above.find(height);
    if (found != above.end()) {
      return rpc::TransactionView::Placement{height, found->second.id, depth};
    }
  }
  const auto header = chain.header(height);
  if (!header) return std::nullopt;
  return rpc::TransactionView::Placement{height, header->payload_id, depth};
}

Height decided_at(const ledger::Chain& chain, const SeenTransaction& transaction,
                  ledger::Reason reason) {
  if (reason == ledger::Reason::expired) return transaction.valid_until;
  Height height = chain.head().height;
  while (height != Height(0)) {
    const auto before = chain.state_at(height.previous());
    if (!before) break;
    const auto sender = (*before)->account(transaction.sender);
    if (!sender || sender->nonce < transaction.nonce) break;
    height = height.previous();
  }
  return height;
}

rpc::BranchView view_of(const consensus::Status::Branch& branch,
                        const std::optional<MiningStatistics>& mining) {
  rpc::BranchView out;
  out.tip = branch.tip;
  out.tip_id = branch.tip_id;
  out.best_header = branch.best_header;
  out.tip_time = WallMs(branch.tip_time_s * 1000);
  out.bits = branch.bits;
  out.expected_hashes = branch.expected_hashes;
  out.blocks_mined = branch.blocks_mined;
  out.stale_blocks = branch.stale_blocks;
  out.branch_switches = branch.branch_switches;
  out.deepest_switch = branch.deepest_switch;
  out.rewinds = branch.rewinds;
  out.orphans = branch.orphans;
  out.mining = branch.mining;
  if (mining) {
    out.hashes = mining->hashes;
    out.hashes_per_second = mining->hashes_per_second;
  }
  return out;
}

}  // namespace quorate::node
