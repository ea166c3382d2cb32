#include "consensus/pow/tip_choice.hpp"

#include <algorithm>
#include <utility>

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pow {

namespace {

constexpr std::size_t kToldMax = 8;  // peers that one replica tells of somebody else's block

}  // namespace

void TipChoice::advance() {
  const Block& best = state_.tree->tip();
  if (best.id == tip_->id) return;
  const Block& shared = state_.tree->fork_point(*tip_, best);
  count_switch(shared, *tip_);
  tip_ = &best;
  changed_at_ = state_.now;
  tell_peers(shared);
}

void TipChoice::count_switch(const Block& shared, const Block& left) {
  const std::uint64_t taken_back = left.header.height.value() - shared.header.height.value();
  if (taken_back == 0) return;
  ++branch_switches_;
  deepest_switch_ = std::max(deepest_switch_, taken_back);
  state_.progress(Progress::Phase::branch_switched, shared.header.height, taken_back);
}

void TipChoice::tell_peers(const Block& shared) {
  const StoredBody* body = state_.bodies.find(tip_->id);
  if (unsent_.erase(tip_->id) != 0 && body != nullptr) {
    const PersistToken after = QUORATE_MUTANT(own_block_told_early) ? PersistToken(0) : body->token;
    state_.outbox.send(std::nullopt, FullBlock{{tip_->header, tip_->id}, body->payload}, after);
    state_.for_each_peer([this](ReplicaId peer) { known_[peer] = tip_->id; });
    return;
  }
  // While this replica is catching up it has nothing to tell that others do not have.
  if (state_.tree->best_header().id != tip_->id || tip_->proved_above()) return;
  Announce news;
  PersistToken after;  // of the last that got into the log, which need not be the highest
  for (const Block* block = tip_; block->id != shared.id && news.headers.size() < kAnnouncedMax;
       block = block->parent) {
    news.headers.push_back({block->header, block->id});
    if (const StoredBody* known = state_.bodies.find(block->id)) {
      after = std::max(after, known->token);
    }
  }
  std::reverse(news.headers.begin(), news.headers.end());
  // Its miner has shown it to everybody: this is for those who missed it, and in a large network
  // others tell the rest.
  const std::uint32_t members = state_.settings.members();
  const std::uint64_t first = state_.own_id().value() + tip_->height().value();
  std::size_t told = 0;
  for (std::uint32_t i = 0; i < members && told < kToldMax; ++i) {
    const ReplicaId peer(static_cast<std::uint32_t>((first + i) % members));
    if (state_.settings.is_self(peer)) continue;
    ++told;
    if (std::exchange(known_[peer], tip_->id) == tip_->id) continue;
    state_.outbox.send(peer, news, after);
  }
}

}  // namespace quorate::consensus::pow
