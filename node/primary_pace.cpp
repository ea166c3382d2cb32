#include "node/primary_pace.hpp"

#include <algorithm>
#include <utility>

namespace quorate::node {
namespace {

// Judged slow for so long before anybody hears of it; the samples reach back further.
constexpr Duration kLateMin = std::chrono::milliseconds(2'500);
// A slow answer counts for so long without another.
constexpr Duration kSampleLives = std::chrono::seconds(10);
constexpr std::uint64_t kFloorPercent = 70;
constexpr std::uint64_t kIdlePercentMin = 30;

template <class T>
T median(std::vector<T> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

void PrimaryPace::entered_view(Instant now) {
  if (best_rate_ > 0) rates_.push_back(best_rate_);
  if (rates_.size() > views_remembered_) rates_.erase(rates_.begin());
  entered_at_ = idle_since_ = now;
  proposed_.clear();
  queue_ = false;
  samples_.clear();
  late_since_.reset();
  ticks_.clear();
  best_rate_ = 0;
  too_little_ = false;
}

// ---- delay ----

void PrimaryPace::pre_prepared(Height height, Instant now) {
  Proposal proposal{now, std::nullopt};
  if (proposed_.empty()) proposal.idle_since = idle_since_;
  proposed_.emplace(height, proposal);
}

void PrimaryPace::executed(PacedBlock block, Instant now) {
  executed_in_tick_ += block.transactions;
  const bool queued = std::exchange(queue_, block.full) || block.full;
  const auto found = proposed_.find(block.height);
  // Otherwise it was taken over from an earlier view, or fetched.
  if (found != proposed_.end()) {
    const Proposal proposal = found->second;
    proposed_.erase(proposed_.begin(), std::next(found));
    if (!block.ready_since.empty()) judge(std::move(block), proposal, queued, now);
  }
  if (proposed_.empty()) idle_since_ = now;
}

void PrimaryPace::judge(PacedBlock block, const Proposal& proposal, bool queued, Instant now) {
  Instant owed = std::max(median(std::move(block.ready_since)), entered_at_);
  if (queued) owed = proposal.idle_since ? std::max(owed, *proposal.idle_since) : proposal.at;
  samples_.push_back({now, std::max(Duration(0), proposal.at - owed), now - proposal.at});
  while (samples_.size() > kSamplesMin && samples_.front().at + kWindow < now) {
    samples_.pop_front();
  }
  judge_delay(now);
}

void PrimaryPace::judge_delay(Instant now) {
  if (samples_.size() < kSamplesMin) return;
  std::vector<Duration> delays;
  std::vector<Duration> agreements;
  for (const Sample& sample : samples_) {
    delays.push_back(sample.delay);
    agreements.push_back(sample.agreement);
  }
  const bool late = median(std::move(delays)) > 4 * median(std::move(agreements)) + kDelayFree;
  if (!late) late_since_.reset();
  if (late && !late_since_) late_since_ = now;
}

bool PrimaryPace::too_late(Instant now) const {
  return late_since_ && now >= *late_since_ + kLateMin && now < samples_.back().at + kSampleLives;
}

// ---- floor ----

void PrimaryPace::tick(bool backlog, bool idle, Instant now) {
  const std::uint64_t transactions = std::exchange(executed_in_tick_, 0);
  if (!backlog) {
    ticks_.clear();
    too_little_ = false;
    return;
  }
  ticks_.push_back({now, transactions, idle});
  while (ticks_.size() > 2 && ticks_[1].at + kWindow <= now) ticks_.pop_front();
  judge_rate();
}

// The first tick only marks where the window begins: what was executed before it does not count.
void PrimaryPace::judge_rate() {
  const auto span =
      std::chrono::duration_cast<std::chrono::milliseconds>(ticks_.back().at - ticks_.front().at);
  if (span < kWindow) return;
  std::uint64_t transactions = 0;
  std::uint64_t idle = 0;
  for (std::size_t i = 1; i < ticks_.size(); ++i) {
    transactions += ticks_[i].transactions;
    idle += ticks_[i].idle ? 1U : 0U;
  }
  const std::uint64_t rate = transactions * 1'000 / static_cast<std::uint64_t>(span.count());
  best_rate_ = std::max(best_rate_, rate);
  std::vector<std::uint64_t> known = rates_;
  known.push_back(best_rate_);
  too_little_ = rate * 100 < median(std::move(known)) * kFloorPercent &&
                idle * 100 >= (ticks_.size() - 1) * kIdlePercentMin;
}

}  // namespace quorate::node
