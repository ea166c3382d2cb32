#include "node/catch_up.hpp"

#include <algorithm>

#include "crypto/base/mutant.hpp"

namespace quorate::node {
namespace {

constexpr Duration kAnswerTimeout = std::chrono::seconds(2);
// A round whose blocks lead nowhere ends, so that the engine can judge the situation anew.
constexpr Duration kStallTimeout = std::chrono::seconds(10);
// How far fetching and delivery may run ahead of execution.
constexpr std::uint64_t kFetchAhead = 512;
constexpr std::uint64_t kDeliverAhead = 64;
constexpr std::size_t kFetchedBytesMax = 8U << 20U;
constexpr std::size_t kDeliveredBytesMax = 8U << 20U;

}  // namespace

CatchUp::CatchUp(std::optional<ReplicaId> self, std::uint32_t replicas, Transport& transport)
    : replicas_(replicas), transport_(transport), last_asked_(self.value_or(ReplicaId(0))) {}

void CatchUp::start(Height evidence, Instant now) {
  if (round_) {
    round_->evidence = std::max(round_->evidence, evidence);
    ++round_->requests;
    return;
  }
  round_ = Round{};
  round_->evidence = evidence;
  round_->progress_at = now;
  // Deliver again what an earlier round delivered in vain.
  delivered_to_ = executed_;
}

void CatchUp::executed(Height height, Instant now) {
  executed_ = height;
  delivered_to_ = std::max(delivered_to_, height);
  if (round_) round_->progress_at = now;
  while (!buffered_.empty() && buffered_.begin()->first <= height) {
    buffered_bytes_ -= buffered_.begin()->second.block.bytes;
    buffered_.erase(buffered_.begin());
  }
  while (!delivered_bytes_.empty() && delivered_bytes_.begin()->first <= height) {
    executing_bytes_ -= delivered_bytes_.begin()->second;
    delivered_bytes_.erase(delivered_bytes_.begin());
  }
}

void CatchUp::peer_connected(ReplicaId peer) { peers_.insert(peer); }

void CatchUp::peer_disconnected(ReplicaId peer) {
  peers_.erase(peer);
  if (!round_) return;
  round_->owing.erase(peer);
  if (round_->asked && round_->asked->peer == peer) give_up_on_peer();
}

// Useful is an answer that holds the next missing block: any other, however well proved, could be
// repeated for ever without getting anybody further.
void CatchUp::on_blocks(ReplicaId from, BlocksResponse response) {
  if (!round_ || round_->owing.erase(from) == 0) return;
  const bool useful = take(from, std::move(response));
  if (useful) round_->fruitless = 0;
  if (!round_->asked || round_->asked->peer != from) return;
  if (!useful) return give_up_on_peer();
  round_->asked.reset();
  round_->ask_same_again = true;
}

// Takes what continues the blocks that are there; everything else is dropped, so no answer can fill
// the buffer with blocks that have to wait.
bool CatchUp::take(ReplicaId from, BlocksResponse response) {
  const Height to_max = executed_.saturating_add(kFetchAhead);
  bool taken = false;
  for (CommittedBlock& block : response.blocks) {
    const Height height = block.height;
    if (height > to_max || buffered_bytes_ >= kFetchedBytesMax) break;
    if (height != fetched_to().saturating_add(1)) continue;
    buffered_bytes_ += block.bytes;
    buffered_.emplace(height, Delivery{from, std::move(block)});
    taken = true;
  }
  return taken;
}

void CatchUp::poll(Instant now) {
  if (!round_) return;
  if (executed_ >= round_->evidence || now >= round_->progress_at + kStallTimeout) return finish();
  if (round_->asked && now >= round_->asked->since + kAnswerTimeout) give_up_on_peer();
  // Every peer had its turn in vain, or there is none.
  const bool nothing_to_wait_for = buffered_.empty() && delivered_bytes_.empty();
  if (nothing_to_wait_for && !round_->asked && round_->fruitless >= peers_.size()) return finish();
  if (may_ask()) ask(now);
}

std::optional<Instant> CatchUp::next_deadline() const {
  if (!round_) return std::nullopt;
  const Instant stall = round_->progress_at + kStallTimeout;
  if (!round_->asked) return stall;
  return std::min(stall, round_->asked->since + kAnswerTimeout);
}

std::optional<CatchUp::Delivery> CatchUp::next_delivery() {
  if (!round_ || buffered_.empty()) return std::nullopt;
  const auto next = buffered_.begin();
  if (next->first != delivered_to_.saturating_add(1)) return std::nullopt;
  if (next->first > executed_.saturating_add(kDeliverAhead)) return std::nullopt;
  if (executing_bytes_ >= kDeliveredBytesMax) return std::nullopt;
  Delivery out = std::move(next->second);
  buffered_.erase(next);
  buffered_bytes_ -= out.block.bytes;
  delivered_to_ = out.block.height;
  if (delivered_bytes_.emplace(out.block.height, out.block.bytes).second) {
    executing_bytes_ += out.block.bytes;
  }
  return out;
}

std::uint32_t CatchUp::take_finished() { return std::exchange(finished_, 0); }

Height CatchUp::fetched_to() const {
  return buffered_.empty() ? delivered_to_ : buffered_.rbegin()->first;
}

bool CatchUp::may_ask() const {
  if (round_->asked || peers_.empty() || round_->fruitless >= peers_.size()) return false;
  const Height to = fetched_to();
  return to < round_->evidence && to < executed_.saturating_add(kFetchAhead) &&
         buffered_bytes_ < kFetchedBytesMax;
}

void CatchUp::ask(Instant now) {
  const auto peer = next_peer();
  if (!peer) return;
  last_asked_ = *peer;
  round_->asked = Asked{*peer, now};
  round_->owing.insert(*peer);
  transport_.send(*peer, TrafficClass::sync, encode_blocks_request(fetched_to().next()));
}

void CatchUp::give_up_on_peer() {
  round_->asked.reset();
  round_->ask_same_again = QUORATE_MUTANT(bad_peer_asked_again);
  ++round_->fruitless;
}

// Round robin over the connected peers, so that a bad one costs one timeout. Whoever answers well
// is asked again, but only within the round: if its blocks led nowhere, the next one is due.
std::optional<ReplicaId> CatchUp::next_peer() {
  if (round_->ask_same_again && peers_.count(last_asked_) != 0) return last_asked_;
  for (std::uint32_t step = 1; step <= replicas_; ++step) {
    const ReplicaId candidate((last_asked_.value() + step) % replicas_);
    if (peers_.count(candidate) != 0) return candidate;
  }
  return std::nullopt;
}

void CatchUp::finish() {
  finished_ += round_->requests;
  round_.reset();
  buffered_.clear();
  buffered_bytes_ = 0;
}

}  // namespace quorate::node
