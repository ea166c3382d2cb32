#include "consensus/pbft/checkpointing.hpp"

#include "consensus/pbft/disagreement.hpp"
#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

namespace {

std::vector<crypto::ReplicaSignature> signers_of(const std::map<ReplicaId, CheckpointVote>& votes,
                                                 const CheckpointClaim& claim) {
  std::vector<crypto::ReplicaSignature> out;
  for (const auto& [replica, vote] : votes) {
    if (vote.claim == claim || QUORATE_MUTANT(checkpoint_counts_any_claim))
      out.push_back({replica, vote.signature});
  }
  return out;
}

}  // namespace

void Checkpointing::restore(const Digest& head_checkpoint_digest) {
  newest_ = state_.durable.stable;
  state_.stable_known = state_.low;
  for (const auto& [height, vote] : state_.durable.checkpoints) {
    // What was signed before the ledger was replaced may have been wrong.
    if (height > state_.executed_before) own_claims_.emplace(height, vote.claim);
    if (in_window(height)) votes_[height].emplace(vote.replica, vote);
  }
  const Height head = state_.last_executed;
  forget_claims_below(head);
  const auto signed_here = own_claims_.find(head);
  const bool certified_other =
      newest_ && newest_->claim.height == head && newest_->claim.digest != head_checkpoint_digest;
  const bool signed_other =
      signed_here != own_claims_.end() && signed_here->second.digest != head_checkpoint_digest;
  if (certified_other || signed_other) {
    return state_.diverge(head,
                          std::string("the ledger's state is not the one that ") +
                              (certified_other ? "a quorum certified" : "this replica signed"));
  }
  if (head > state_.low && head.value() % state_.settings.checkpoint_interval == 0) {
    own_claims_.try_emplace(head, CheckpointClaim{head, head_checkpoint_digest, state_.epoch_last});
  }
}

void Checkpointing::sign_pending() {
  for (const auto& entry : own_claims_) sign(entry.second);
}

void Checkpointing::on_executed(Height height, const Digest& checkpoint_digest) {
  if (height.value() % state_.settings.checkpoint_interval == 0) {
    const CheckpointClaim claim{height, checkpoint_digest, state_.epoch_last};
    if (newest_ && newest_->claim.height == height && newest_->claim != claim &&
        !QUORATE_MUTANT(divergence_ignored)) {
      return diverged(height);
    }
    if (height > state_.low) own_claims_.insert_or_assign(height, claim);
    forget_claims_below(height);
    sign(claim);
  }
  adopt();
}

// A window below what was executed there is a stable checkpoint, whether or not it is known here
// yet.
void Checkpointing::forget_claims_below(Height executed) {
  own_claims_.erase(own_claims_.begin(),
                    own_claims_.lower_bound(executed.saturating_sub(state_.settings.window())));
}

void Checkpointing::diverged(Height height) {
  state_.diverge(height, "a quorum certified another state than this replica's");
}

void Checkpointing::sign(const CheckpointClaim& claim) {
  const bool stable = newest_ && newest_->claim.height >= claim.height;
  if (!state_.may_sign() || stable || !state_.durable.may_checkpoint(claim.height)) return;
  CheckpointVote vote{claim, state_.self(), {}};
  vote.signature = state_.sign(checkpoint_signing_digest(state_.settings.membership, claim));
  state_.record(CheckpointedRecord{vote}, OwnCheckpointDurable{claim.height});
  state_.outbox.send_durably(std::nullopt, vote);
}

// Votes of others further up come again when this replica is there; its own may come so far ahead
// of the low watermark while it catches up, and the checkpoint there is stable for its peers.
bool Checkpointing::in_window(Height height) const {
  return height > state_.low &&
         height <= state_.low.saturating_add(state_.settings.buffer_window());
}

void Checkpointing::on_own_vote_durable(Height height) {
  const auto own = state_.durable.checkpoints.find(height);
  if (own == state_.durable.checkpoints.end() || !in_window(height)) return;
  votes_[height].insert_or_assign(state_.self(), own->second);
  count(height);
}

void Checkpointing::on_vote(ReplicaId from, const CheckpointVote& vote) {
  const Height height = vote.claim.height;
  if (height.value() % state_.settings.checkpoint_interval != 0) {
    state_.reject(from, "a CHECKPOINT at a height where there is none");
    return;
  }
  if (!in_window(height)) return;
  const auto [known, added] = votes_[height].try_emplace(vote.replica, vote);
  if (added) {
    count(height);
  } else if (known->second.claim != vote.claim &&
             state_.evidence.first(vote.replica, Offence::checkpoint, height)) {
    state_.accuse(vote.replica, "two checkpoints for height " + std::to_string(height.value()),
                  known->second, vote);
  }
}

void Checkpointing::count(Height height) {
  const Votes& votes = votes_.at(height);
  for (const auto& candidate : votes) {
    auto signatures = signers_of(votes, candidate.second.claim);
    std::uint32_t needed = state_.settings.quorum();
    if (QUORATE_MUTANT(checkpoint_of_f_plus_1)) needed = state_.settings.membership.weak_quorum();
    if (signatures.size() < needed) continue;
    signatures.resize(needed);
    on_proof(CheckpointProof{candidate.second.claim, std::move(signatures)});
    return;
  }
  std::map<CheckpointClaim, std::uint32_t> supporters;
  for (const auto& entry : votes) ++supporters[entry.second.claim];
  if (irreconcilable(supporters, state_.settings)) {
    state_.halt("correct replicas disagree on the state at height " +
                std::to_string(height.value()) + ": execution is not deterministic");
  }
}

void Checkpointing::on_proof(const CheckpointProof& proof) {
  if (newest_ && proof.claim.height <= newest_->claim.height) {
    if (proof.claim.height == newest_->claim.height && proof.claim != newest_->claim) {
      accuse_signers(*newest_, proof);
      state_.halt("two checkpoints are certified at height " +
                  std::to_string(proof.claim.height.value()) +
                  ": more replicas are faulty than the protocol tolerates");
    }
    return;
  }
  newest_ = proof;
  state_.stable_known = proof.claim.height;
  adopt();
}

// Whoever signed both claims.
void Checkpointing::accuse_signers(const CheckpointProof& first, const CheckpointProof& second) {
  for (const crypto::ReplicaSignature& one : first.votes) {
    for (const crypto::ReplicaSignature& other : second.votes) {
      if (one.replica != other.replica) continue;
      state_.accuse(one.replica,
                    "two checkpoints for height " + std::to_string(first.claim.height.value()),
                    CheckpointVote{first.claim, one.replica, one.signature},
                    CheckpointVote{second.claim, other.replica, other.signature});
    }
  }
}

void Checkpointing::adopt() {
  if (state_.halted || adopting_ || !newest_ || newest_->claim.height <= state_.low ||
      newest_->claim.height > state_.last_executed) {
    return;
  }
  const auto own = own_claims_.find(newest_->claim.height);
  if (own != own_claims_.end() && own->second != newest_->claim &&
      !QUORATE_MUTANT(divergence_ignored)) {
    return diverged(newest_->claim.height);
  }
  adopting_ = newest_;
  if (!state_.settings.self || state_.observer || QUORATE_MUTANT(checkpoint_not_logged)) {
    on_adopted(adopting_->claim.height);  // it never votes, so it has no vote log to bind
    return;
  }
  // The certificate and everything that stays, in one record: either both are durable or neither.
  DurableState after = state_.durable;
  after.adopt(*adopting_, state_.settings.checkpoint_interval);
  state_.outbox.persist(encode_snapshot(after, state_.settings.membership), true,
                        CheckpointAdopted{adopting_->claim.height});
}

void Checkpointing::on_adopted(Height height) {
  state_.durable.adopt(*adopting_, state_.settings.checkpoint_interval);
  adopting_.reset();
  state_.low = height;
  votes_.erase(votes_.begin(), votes_.upper_bound(height));
  own_claims_.erase(own_claims_.begin(), own_claims_.upper_bound(height));
  state_.progress(Progress::Phase::checkpoint_stable, height);
  adopt();
}

Height Checkpointing::nearest_checkpoint() const {
  const std::uint64_t interval = state_.settings.checkpoint_interval;
  return Height(state_.low.value() / interval * interval).saturating_add(interval);
}

std::vector<ReplicaSet> Checkpointing::report() const {
  std::vector<ReplicaSet> out;
  for (Height height = nearest_checkpoint();
       height <= state_.high() && out.size() < kCheckpointReportsMax;
       height = height.saturating_add(state_.settings.checkpoint_interval)) {
    ReplicaSet set(state_.settings.members());
    const auto found = votes_.find(height);
    if (found != votes_.end()) {
      for (const auto& entry : found->second) set.insert(entry.first);
    }
    out.push_back(std::move(set));
  }
  return out;
}

bool Checkpointing::unstable() const { return state_.last_executed >= nearest_checkpoint(); }

void Checkpointing::assert_bounds() const {
  const std::uint64_t interval = state_.settings.checkpoint_interval;
  QUORATE_ASSERT(votes_.size() <= state_.settings.buffer_window() / interval + 1);
  QUORATE_ASSERT(own_claims_.size() <= state_.settings.window() / interval + 2);
}

std::size_t Checkpointing::memory_bytes() const {
  constexpr std::size_t kNode = 48;
  std::size_t bytes = own_claims_.size() * (sizeof(CheckpointClaim) + kNode);
  for (const auto& [height, votes] : votes_) {
    bytes += kNode + votes.size() * (sizeof(CheckpointVote) + kNode);
  }
  return bytes;
}

}  // namespace quorate::consensus::pbft
