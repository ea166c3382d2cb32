#include "node/primary_pace.hpp"

#include <algorithm>
#include <utility>

#include "crypto/base/mutant.hpp"

namespace quorate::node {
namespace {

// Judged slow for so long before anybody hears of it; the samples reach back further.
constexpr Duration kLateMin = std::chrono::milliseconds(2'500);
// A slow answer counts for so long without another.
constexpr Duration kSampleLives = std::chrono::seconds(10);
constexpr std::uint64_t kFloorPercent = 70;
constexpr std::uint64_t kRoomPercent = kFloorPercent / 2;
// What is left at the end of a first window would take the primary longer.
constexpr Duration kLeftFor = std::chrono::seconds(60);
constexpr Duration kPause = 3 * PrimaryPace::kTick;
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
  entered_at_ = idle_since_ = now;
  proposed_.clear();
  queue_ = false;
  samples_.clear();
  late_since_.reset();
  tick_ = {now, 0, {}, {}, 0};
  backlog_.clear();
  left_.clear();
  view_transactions_ = 0;
  view_time_ = Duration(0);
  told_.reset();
  tell_ = below_floor_ = leaves_room_ = false;
}

// ---- delay ----

void PrimaryPace::pre_prepared(const PacedProposal& proposal, Instant now) {
  count_to(now);
  Proposal fresh{now, 0, true, std::nullopt};
  if (nothing_on_its_way()) fresh.idle_since = idle_since_;
  Proposal& known = proposed_.try_emplace(proposal.height, fresh).first->second;
  known.transactions = proposal.transactions;
  known.full = proposal.full;
}

void PrimaryPace::executed(PacedBlock block, Instant now) {
  count_to(now);
  tick_.transactions += block.transactions;
  const bool queued = std::exchange(queue_, block.full) || block.full;
  // Not among them: taken over from an earlier view, or fetched.
  const auto found = proposed_.find(block.height);
  std::optional<Proposal> proposal;
  if (found != proposed_.end()) proposal = found->second;
  const bool busy = !nothing_on_its_way();
  executed_ = block.height;
  proposed_.erase(proposed_.begin(), proposed_.upper_bound(block.height));
  if (busy && nothing_on_its_way()) idle_since_ = now;
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

// ---- floor and room ----

void PrimaryPace::count_to(Instant until) {
  const Duration passed = between(tick_.at, until);
  tick_.at = until;
  const OnItsWay there = on_its_way();
  if (there.proposals == 0) {
    tick_.idle += passed;
  } else if (!there.full && there.proposals < in_flight_max_) {
    tick_.spare += passed;
  }
}

PrimaryPace::OnItsWay PrimaryPace::on_its_way() const {
  OnItsWay out;
  Height next = executed_.saturating_add(1);
  for (auto it = proposed_.find(next); it != proposed_.end() && it->first == next; ++it) {
    ++out.proposals;
    out.transactions += it->second.transactions;
    out.full = it->second.full;
    next = next.saturating_add(1);
  }
  return out;
}

void PrimaryPace::Window::add(const Tick& tick, Duration length) {
  ticks_.push_back(tick);
  while (ticks_.size() > 2 && ticks_[1].at + length <= tick.at) ticks_.pop_front();
}

const PrimaryPace::Tick& PrimaryPace::Window::before(Instant time) const {
  const auto after = std::upper_bound(ticks_.begin(), ticks_.end(), time,
                                      [](Instant t, const Tick& tick) { return t < tick.at; });
  return after == ticks_.begin() ? first() : *std::prev(after);
}

PrimaryPace::Tick PrimaryPace::Window::sum() const {
  Tick out;
  for (std::size_t i = 1; i < ticks_.size(); ++i) {
    out.transactions += ticks_[i].transactions;
    out.idle += ticks_[i].idle;
    out.spare += ticks_[i].spare;
  }
  return out;
}

void PrimaryPace::tick(const PacedWork& work, Instant now) {
  count_to(now);
  Tick tick = std::exchange(tick_, {now, 0, {}, {}, 0});
  tick.newest = work.newest;
  // Nobody looked for a while, for nothing waited: that was no slow time.
  if (now - std::exchange(ticked_at_, now) > kPause) {
    backlog_.clear();
    left_.clear();
  }
  if (work.backlog) {
    if (!backlog_.empty()) {
      view_transactions_ += tick.transactions;
      view_time_ += now - backlog_.last().at;
    }
    backlog_.add(tick, kWindow);
  } else {
    backlog_.clear();
  }
  const std::size_t left = work.ready - std::min(work.ready, on_its_way().transactions);
  if (left >= kLeftMin) {
    left_.add(tick, room_window());
  } else {
    left_.clear();
  }
  below_floor_ = judge_floor();
  judge_room(work, left, now);
}

bool PrimaryPace::judge_floor() const {
  if (backlog_.empty() || rates_.empty()) return false;
  const Duration span = backlog_.span();
  if (span < kWindow) return false;
  const Tick sum = backlog_.sum();
  return rate_of(sum.transactions, span) * 100 < median(rates_) * kFloorPercent &&
         sum.idle * 100 >= span * kIdlePercentLittle;
}

Duration PrimaryPace::room_window() const {
  return std::max(rates_.empty() ? kFirstWindow : kWindow, 2 * view_timeout_);
}

void PrimaryPace::judge_room(const PacedWork& work, std::size_t left, Instant now) {
  leaves_room_ = false;
  const Duration half = room_window() / 2;
  if (left_.empty() || left_.span() < half || !slow_with_room(left)) return;
  // Whatever is on its way may be among them.
  const std::size_t many = kLeftMin + on_its_way().transactions;
  const auto wait = [&](std::uint64_t after, std::uint64_t up_to) {
    return work.count(after, up_to, many) >= many;
  };
  const std::uint64_t until_half = left_.before(now + -half).newest;
  if ((!told_ || told_->at + 2 * half <= now) && wait(0, until_half)) tell_ = true;
  if (left_.span() < 2 * half) return;
  const bool fresh = wait(left_.first().newest, until_half);
  leaves_room_ = QUORATE_MUTANT(latency_is_slowness) || fresh ||
                 (told_ && told_->at + half <= now && wait(0, told_->up_to));
}

bool PrimaryPace::slow_with_room(std::size_t left) const {
  const Duration span = left_.span();
  const Tick sum = left_.sum();
  if ((sum.idle + sum.spare) * 100 < span * kIdlePercentLittle) return false;
  const std::uint64_t rate = rate_of(sum.transactions, span);
  if (!rates_.empty()) return rate * 100 < median(rates_) * kRoomPercent;
  const auto ticks = [](Duration time) { return static_cast<std::uint64_t>(time / kTick); };
  return left * ticks(span) > sum.transactions * ticks(kLeftFor);
}

}  // namespace quorate::node
