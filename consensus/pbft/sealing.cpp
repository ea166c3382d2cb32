#include "consensus/pbft/sealing.hpp"

#include "consensus/pbft/disagreement.hpp"
#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

void Sealing::restore(const Digest& head_hash) {
  const auto logged = state_.durable.seals.find(state_.last_executed);
  const bool sealed_other =
      logged != state_.durable.seals.end() && logged->second.block_hash != head_hash;
  // What was sealed before the ledger was replaced may have been wrong.
  if (sealed_other && state_.last_executed > state_.executed_before) {
    return state_.diverge(state_.last_executed,
                          "the ledger's head is not the block that this replica sealed");
  }
  sealed_to_ = state_.low.saturating_sub(1);
  collect_below(state_.last_executed);
  if (state_.last_executed > sealed_to_) own_hashes_.emplace(state_.last_executed, head_hash);
  for (const auto& [height, seal] : state_.durable.seals) {
    if (height <= sealed_to_ || height > highest_taken()) continue;
    if (height <= state_.last_executed && height > state_.executed_before) {
      own_hashes_.try_emplace(height, seal.block_hash);
    }
    collected_[height].emplace(seal.replica, Entry{seal.block_hash, seal.signature});
  }
}

void Sealing::sign_pending() {
  for (const auto& [height, hash] : own_hashes_) sign(height, hash);
}

void Sealing::on_executed(Height height, const Digest& block_hash) {
  collect_below(height);
  // Below a stable checkpoint nobody waits for seals any more: it proves what lies below.
  if (height <= sealed_to_ || height < state_.stable_known) return;
  if (!sealed_.contains(height)) own_hashes_.insert_or_assign(height, block_hash);
  sign(height, block_hash);
  check(height);
}

void Sealing::sign(Height height, const Digest& block_hash) {
  if (!state_.may_sign() || !state_.durable.may_seal(height)) return;
  Seal seal{height, block_hash, state_.self(), {}};
  seal.signature =
      state_.sign(crypto::seal_signing_digest(state_.settings.membership, height, block_hash));
  signed_at_.insert_or_assign(height, state_.now);
  state_.record(SealedRecord{seal}, OwnSealDurable{height});
  state_.outbox.send_durably(std::nullopt, seal);
}

Height Sealing::highest_taken() const {
  return std::max(state_.low, state_.last_executed).saturating_add(state_.settings.buffer_window());
}

void Sealing::on_own_seal_durable(Height height) {
  const auto own = state_.durable.seals.find(height);
  if (own == state_.durable.seals.end() || height <= sealed_to_) return;
  collected_[height].insert_or_assign(state_.self(),
                                      Entry{own->second.block_hash, own->second.signature});
  check(height);
}

void Sealing::on_seal(const Seal& seal) {
  const bool out_of_reach = seal.height <= sealed_to_ || seal.height > highest_taken();
  if (out_of_reach || sealed_.contains(seal.height)) return;
  const Entry entry{seal.block_hash, seal.signature};
  const auto [known, added] = collected_[seal.height].try_emplace(seal.replica, entry);
  if (added) {
    check(seal.height);
  } else if (known->second.block_hash != seal.block_hash &&
             state_.evidence.first(seal.replica, Offence::seal, seal.height)) {
    const Seal first{seal.height, known->second.block_hash, seal.replica, known->second.signature};
    state_.accuse(seal.replica, "two seals for height " + std::to_string(seal.height.value()),
                  first, seal);
  }
}

// A quorum for one hash certifies the block, once it is executed here.
void Sealing::check(Height height) {
  const auto found = collected_.find(height);
  if (found == collected_.end() || height > state_.last_executed) return;
  const auto& seals = found->second;
  std::uint32_t needed = state_.settings.quorum();
  if (QUORATE_MUTANT(certificate_of_f_plus_1)) needed = state_.settings.membership.weak_quorum();
  if (seals.size() < needed) return;
  for (const auto& candidate : seals) {
    const Digest hash = candidate.second.block_hash;
    std::vector<crypto::ReplicaSignature> signatures;
    for (const auto& [replica, entry] : seals) {
      if (entry.block_hash == hash || QUORATE_MUTANT(seals_of_any_block_count))
        signatures.push_back({replica, entry.signature});
    }
    if (signatures.size() < needed) continue;
    if (diverged(height, hash)) return;
    signatures.resize(needed);
    collected_.erase(found);
    own_hashes_.erase(height);
    sealed_.insert(height);
    advance_sealed_to();
    state_.progress(Progress::Phase::sealed, height);
    state_.outbox.emit(Sealed{height, hash, std::move(signatures)});
    return;
  }
  std::map<Digest, std::uint32_t> supporters;
  for (const auto& entry : seals) ++supporters[entry.second.block_hash];
  if (irreconcilable(supporters, state_.settings)) {
    state_.halt("correct replicas disagree on the block at height " +
                std::to_string(height.value()) + ": execution is not deterministic");
  }
}

bool Sealing::diverged(Height height, const Digest& sealed_hash) {
  const auto own = own_hashes_.find(height);
  if (own == own_hashes_.end() || own->second == sealed_hash) return false;
  state_.diverge(height, "a quorum sealed another block than this replica's");
  return true;
}

void Sealing::advance_sealed_to() {
  while (!sealed_.empty() && *sealed_.begin() <= sealed_to_.saturating_add(1)) {
    sealed_to_ = std::max(sealed_to_, *sealed_.begin());
    sealed_.erase(sealed_.begin());
  }
}

// The q replicas that committed `executed` were within L of a stable checkpoint, whether or not it
// is known here yet. In normal operation the own one is never further away.
void Sealing::collect_below(Height executed) {
  collect_garbage(executed.saturating_sub(state_.settings.window()));
}

void Sealing::collect_garbage(Height low) {
  sealed_to_ = std::max(sealed_to_, low.saturating_sub(1));
  advance_sealed_to();
  collected_.erase(collected_.begin(), collected_.upper_bound(sealed_to_));
  own_hashes_.erase(own_hashes_.begin(), own_hashes_.upper_bound(sealed_to_));
  signed_at_.erase(signed_at_.begin(), signed_at_.lower_bound(low));
}

std::vector<ReplicaSet> Sealing::report() const {
  std::vector<ReplicaSet> out;
  for (Height height = sealed_to_.saturating_add(1);
       height <= state_.last_executed && out.size() < kSealReportsMax; height = height.next()) {
    ReplicaSet set(state_.settings.members());
    const auto found = collected_.find(height);
    if (found != collected_.end()) {
      for (const auto& entry : found->second) set.insert(entry.first);
    }
    if (sealed_.contains(height)) {
      for (std::uint32_t i = 0; i < state_.settings.members(); ++i) set.insert(ReplicaId(i));
    }
    out.push_back(std::move(set));
  }
  return out;
}

Instant Sealing::signed_at(Height height) const {
  const auto found = signed_at_.find(height);
  return found == signed_at_.end() ? Instant{} : found->second;
}

void Sealing::assert_bounds() const {
  const std::uint64_t window = state_.settings.window();
  QUORATE_ASSERT(collected_.size() <= window + state_.settings.buffer_window() + 2);
  QUORATE_ASSERT(own_hashes_.size() <= window + 2);
  QUORATE_ASSERT(sealed_.size() <= window + 2);
}

std::size_t Sealing::memory_bytes() const {
  constexpr std::size_t kNode = 48;
  std::size_t bytes = own_hashes_.size() * (sizeof(Digest) + kNode) +
                      signed_at_.size() * (sizeof(Instant) + kNode) + sealed_.size() * kNode;
  for (const auto& [height, seals] : collected_) {
    bytes += kNode + seals.size() * (sizeof(Entry) + kNode);
  }
  return bytes;
}

}  // namespace quorate::consensus::pbft
