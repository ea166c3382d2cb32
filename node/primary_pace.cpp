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
// Of the time: with less, the primary is not what is waited for.
constexpr std::int64_t kIdlePercentLate = 30;
constexpr std::int64_t kIdlePercentLittle = 50;

template <class T>
T median(std::vector<T> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Transactions a second.
std::uint64_t rate_of(std::uint64_t transactions, Duration time) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  return transactions * 1'000 / static_cast<std::uint64_t>(ms);
}

Duration between(Instant from, Instant to) { return std::max(Duration(0), to - from); }

}  // namespace

void PrimaryPace::entered_view(Instant now) {
  if (view_time_ >= kWindow) rates_.push_back(rate_of(view_transactions_, view_time_));
  if (rates_.size() > views_remembered_) rates_.erase(rates_.begin());
  entered_at_ = idle_since_ = idle_counted_to_ = now;
  proposed_.clear();
  queue_ = false;
  samples_.clear();
  late_since_.reset();
  ticks_.clear();
  idle_in_tick_ = Duration(0);
  view_transactions_ = 0;
  view_time_ = Duration(0);
  too_little_ = false;
}

// ---- delay ----

void PrimaryPace::pre_prepared(Height height, Instant now) {
  Proposal proposal{now, std::nullopt};
  if (proposed_.empty()) {
    proposal.idle_since = idle_since_;
    count_idle(now);
  }
  proposed_.emplace(height, proposal);
}

void PrimaryPace::executed(PacedBlock block, Instant now) {
  executed_in_tick_ += block.transactions;
  const bool queued = std::exchange(queue_, block.full) || block.full;
  // Not among them: taken over from an earlier view, or fetched.
  const auto found = proposed_.find(block.height);
  std::optional<Proposal> proposal;
  if (found != proposed_.end()) proposal = found->second;
  const bool busy = !proposed_.empty();
  proposed_.erase(proposed_.begin(), proposed_.upper_bound(block.height));
  if (busy && proposed_.empty()) idle_since_ = idle_counted_to_ = now;
  if (proposal && !block.ready_since.empty()) judge(std::move(block), *proposal, queued, now);
}

void PrimaryPace::judge(PacedBlock block, const Proposal& proposal, bool queued, Instant now) {
  const Instant ready = std::max(median(std::move(block.ready_since)), entered_at_);
  const Instant idle_since = std::max(ready, proposal.idle_since.value_or(proposal.at));
  if (!queued && view_timeout_ > Duration(0) && proposal.at - ready > 2 * view_timeout_) return;
  // With a queue it counts half: what the primary is short of then may well be the processor.
  const Duration idle = between(idle_since, proposal.at);
  const Duration delay = queued ? idle / 2 : between(ready, proposal.at);
  samples_.push_back({now, delay, between(proposal.at, now), idle});
  while (samples_.size() > kSamplesMin && samples_.front().at + kWindow < now) {
    samples_.pop_front();
  }
  judge_delay(now);
}

void PrimaryPace::judge_delay(Instant now) {
  if (samples_.size() < kSamplesMin) return;
  std::vector<Duration> delays;
  std::vector<Duration> agreements;
  Duration idle{0};
  for (const Sample& sample : samples_) {
    delays.push_back(sample.delay);
    agreements.push_back(sample.agreement);
    idle += sample.idle;
  }
  idle -= samples_.front().idle;  // before the time that the samples span
  const Duration span = samples_.back().at - samples_.front().at;
  const Duration limit =
      std::max(4 * median(std::move(agreements)) + kDelayFree, view_timeout_ / 4);
  const bool late = idle * 100 >= span * kIdlePercentLate && median(std::move(delays)) > limit;
  if (!late) late_since_.reset();
  if (late && !late_since_) late_since_ = now;
}

bool PrimaryPace::too_late(Instant now) const {
  return late_since_ && now >= *late_since_ + kLateMin && now < samples_.back().at + kSampleLives;
}

// ---- floor ----

// Nothing was on its way up to `until`.
void PrimaryPace::count_idle(Instant until) {
  idle_in_tick_ += between(idle_counted_to_, until);
  idle_counted_to_ = until;
}

void PrimaryPace::tick(bool backlog, Instant now) {
  if (proposed_.empty()) count_idle(now);
  const std::uint64_t transactions = std::exchange(executed_in_tick_, 0);
  const Duration idle = std::exchange(idle_in_tick_, Duration(0));
  if (!backlog) {
    ticks_.clear();
    too_little_ = false;
    return;
  }
  if (!ticks_.empty()) {
    view_transactions_ += transactions;
    view_time_ += now - ticks_.back().at;
  }
  ticks_.push_back({now, transactions, idle});
  while (ticks_.size() > 2 && ticks_[1].at + kWindow <= now) ticks_.pop_front();
  judge_rate();
}

// The first tick only marks where the window begins: what happened before it does not count.
void PrimaryPace::judge_rate() {
  const Duration span = ticks_.back().at - ticks_.front().at;
  if (span < kWindow || rates_.empty()) return;
  std::uint64_t transactions = 0;
  Duration idle{0};
  for (std::size_t i = 1; i < ticks_.size(); ++i) {
    transactions += ticks_[i].transactions;
    idle += ticks_[i].idle;
  }
  too_little_ = rate_of(transactions, span) * 100 < median(rates_) * kFloorPercent &&
                idle * 100 >= span * kIdlePercentLittle;
}

}  // namespace quorate::node
