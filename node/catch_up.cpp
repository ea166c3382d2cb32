#include "node/catch_up.hpp"

#include <algorithm>

#include "crypto/base/mutant.hpp"

namespace quorate::node {
namespace {

constexpr Duration kAnswerTimeout = std::chrono::seconds(2);
// The block that everything waits for is worth a second request after this.
constexpr Duration kHedgeAfter = std::chrono::milliseconds(500);
// A round whose blocks lead nowhere ends, so that the engine can judge the situation anew.
constexpr Duration kStallTimeout = std::chrono::seconds(10);
constexpr std::size_t kInFlightMax = 3;
constexpr std::size_t kOwedMax = 16;  // late answers of one peer that would still count
// What an answer may hold, and so what is not asked for elsewhere meanwhile.
constexpr std::uint64_t kRange = 64;
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

void CatchUp::rewound(Height height, Instant now) {
  executed_ = delivered_to_ = height;
  buffered_.clear();
  buffered_bytes_ = 0;
  delivered_bytes_.clear();
  executing_bytes_ = 0;
  if (round_) round_->progress_at = now;
}

void CatchUp::peer_connected(ReplicaId peer) { peers_.insert(peer); }

void CatchUp::peer_disconnected(ReplicaId peer) {
  peers_.erase(peer);
  if (!round_) return;
  round_->owed.erase(peer);
  give_up(peer);
}

// ---- answers ----

void CatchUp::on_blocks(ReplicaId from, BlocksResponse response) {
  if (!round_) return;
  const auto owed = round_->owed.find(from);
  if (owed == round_->owed.end()) return;
  // Any other answer, however well proved, could be repeated for ever without getting anybody
  // further.
  const bool proper =
      !response.blocks.empty() && owed->second.erase(response.blocks.front().height) != 0;
  if (!proper || owed->second.empty()) round_->owed.erase(owed);
  if (!proper) return give_up(from);
  const auto asked = round_->asked.find(from);
  const bool in_time =
      asked != round_->asked.end() && asked->second.from == response.blocks.front().height;
  if (in_time) round_->asked.erase(asked);
  if (!take(from, response)) return;
  round_->fruitless = 0;
  if (in_time) round_->again = from;
}

// Takes the blocks that are missing, as far as they follow one another. True if there was one.
bool CatchUp::take(ReplicaId from, BlocksResponse& response) {
  const Height to_max = executed_.saturating_add(kFetchAhead);
  Height expected = response.blocks.front().height;
  bool taken = false;
  for (CommittedBlock& block : response.blocks) {
    const Height height = block.height;
    if (height != expected || height > to_max) break;
    expected = height.next();
    if (height <= delivered_to_ || buffered_.count(height) != 0) continue;
    if (!make_room(height)) break;
    buffered_bytes_ += block.bytes;
    buffered_.emplace(height, Delivery{from, std::move(block)});
    taken = true;
  }
  return taken;
}

// What is needed later gives way, or blocks from far ahead could keep out the one that all wait
// for.
bool CatchUp::make_room(Height height) {
  while (buffered_bytes_ >= kFetchedBytesMax) {
    const auto last = std::prev(buffered_.end());
    if (last->first < height) return false;
    buffered_bytes_ -= last->second.block.bytes;
    buffered_.erase(last);
  }
  return true;
}

// ---- asking ----

void CatchUp::poll(Instant now) {
  if (!round_) return;
  if (executed_ >= round_->evidence || now >= round_->progress_at + kStallTimeout) return finish();
  for (const ReplicaId peer : std::set<ReplicaId>(peers_)) {
    const auto asked = round_->asked.find(peer);
    const bool overdue =
        asked != round_->asked.end() && now >= asked->second.since + kAnswerTimeout;
    if (overdue) give_up(peer);
  }
  ask(now);
  // Every peer had its turn in vain, or there is none.
  if (round_->asked.empty() && !deliverable() && delivered_bytes_.empty()) finish();
}

void CatchUp::ask(Instant now) {
  while (round_->fruitless < peers_.size()) {
    const auto from = next_range(now);
    const auto peer = from ? next_peer() : std::nullopt;
    if (!peer) return;
    last_asked_ = *peer;
    round_->again.reset();
    round_->asked.insert_or_assign(*peer, Asked{*from, now});
    auto& owed = round_->owed[*peer];
    owed.insert(*from);
    if (owed.size() > kOwedMax) owed.erase(owed.begin());
    transport_.send(*peer, TrafficClass::sync, encode_blocks_request(*from));
  }
}

// What to ask for next: the missing block that everything waits for, once more if its answer is
// slow, and then ranges behind it.
std::optional<Height> CatchUp::next_range(Instant now) const {
  const Height to_max = wanted_to();
  Height from = next_missing(delivered_to_);
  if (from > to_max) return std::nullopt;
  const auto due = hedge_due();
  if (asked_for(from).empty() || (due && now >= *due)) return from;
  while (round_->asked.size() < kInFlightMax && buffered_bytes_ < kFetchedBytesMax) {
    if (asked_for(from).empty()) return from;
    from = next_missing(from.saturating_add(kRange - 1));
    if (from > to_max) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Instant> CatchUp::hedge_due() const {
  if (QUORATE_MUTANT(bad_peer_asked_again)) return std::nullopt;
  const Height missing = next_missing(delivered_to_);
  if (missing > wanted_to()) return std::nullopt;
  const auto asked = asked_for(missing);
  if (asked.size() != 1 || round_->fruitless >= peers_.size() || !next_peer()) return std::nullopt;
  return asked.front() + kHedgeAfter;
}

Height CatchUp::wanted_to() const {
  return std::min(round_->evidence, executed_.saturating_add(kFetchAhead));
}

Height CatchUp::next_missing(Height from) const {
  Height out = from.saturating_add(1);
  for (auto it = buffered_.lower_bound(out); it != buffered_.end() && it->first == out; ++it) {
    out = out.saturating_add(1);
  }
  return out;
}

std::vector<Instant> CatchUp::asked_for(Height height) const {
  std::vector<Instant> out;
  for (const auto& entry : round_->asked) {
    const Asked& asked = entry.second;
    const bool covers = asked.from <= height && height < asked.from.saturating_add(kRange);
    if (covers) out.push_back(asked.since);
  }
  return out;
}

bool CatchUp::free(ReplicaId peer) const {
  return peers_.count(peer) != 0 && round_->asked.count(peer) == 0;
}

// Round robin over the connected peers, so that a bad one costs one timeout. Whoever answers well
// is asked again, but only within the round: if its blocks led nowhere, the next one is due.
std::optional<ReplicaId> CatchUp::next_peer() const {
  if (round_->again && free(*round_->again)) return round_->again;
  for (std::uint32_t step = 1; step <= replicas_; ++step) {
    const ReplicaId candidate((last_asked_.value() + step) % replicas_);
    if (free(candidate)) return candidate;
  }
  return std::nullopt;
}

void CatchUp::give_up(ReplicaId peer) {
  if (round_->asked.erase(peer) == 0) return;
  ++round_->fruitless;
  if (QUORATE_MUTANT(bad_peer_asked_again)) round_->again = peer;
}

std::optional<Instant> CatchUp::next_deadline() const {
  if (!round_) return std::nullopt;
  Instant out = round_->progress_at + kStallTimeout;
  for (const auto& entry : round_->asked) {
    out = std::min(out, entry.second.since + kAnswerTimeout);
  }
  const auto hedge = hedge_due();
  return hedge ? std::min(out, *hedge) : out;
}

// ---- delivery ----

bool CatchUp::deliverable() const {
  return !buffered_.empty() && buffered_.begin()->first == delivered_to_.saturating_add(1);
}

std::optional<CatchUp::Delivery> CatchUp::next_delivery() {
  if (!round_ || !deliverable()) return std::nullopt;
  const auto next = buffered_.begin();
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

void CatchUp::finish() {
  finished_ += round_->requests;
  round_.reset();
  buffered_.clear();
  buffered_bytes_ = 0;
}

}  // namespace quorate::node
