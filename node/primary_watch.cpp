#include "node/primary_watch.hpp"

#include <algorithm>

namespace quorate::node {
namespace {

constexpr std::size_t kLengthBytes = 4;  // of one transaction in a payload

// Blocks that empty a full mempool, twice over.
std::uint32_t full_blocks_max(const WatchLimits& limits) {
  const std::size_t by_count = limits.pool_transactions_max / limits.payload_transactions_max;
  const std::size_t by_bytes = limits.pool_bytes_max / limits.payload_bytes_max;
  return static_cast<std::uint32_t>(2 * (1 + std::max(by_count, by_bytes)));
}

}  // namespace

PrimaryWatch::PrimaryWatch(WatchLimits limits)
    : limits_(limits),
      crowded_max_(full_blocks_max(limits)),
      pace_(limits.validators, limits.proposals_in_flight) {}

void PrimaryWatch::entered_view(Instant now) {
  pace_.entered_view(now);
  custody_.reset();
  new_view_ = true;
  next_look_ = now;
}

void PrimaryWatch::pre_prepared(Height height, Instant now, const std::optional<Content>& content) {
  proposed_ = std::max(proposed_, height);
  PacedProposal paced;
  paced.height = height;
  if (content) {
    paced.transactions = content->transactions;
    paced.full = is_full(content->transactions, content->payload_bytes);
  }
  pace_.pre_prepared(paced, now);
}

bool PrimaryWatch::is_full(std::size_t transactions, std::size_t payload_bytes) const {
  return transactions >= limits_.payload_transactions_max ||
         payload_bytes * 10 >= limits_.payload_bytes_max * 9;
}

void PrimaryWatch::executed(Block block, Instant now) {
  const bool full = is_full(block.transactions, block.payload_bytes);
  if (custody_ && last_.judging && block.height > custody_->above) {
    const bool room = block.transactions < limits_.payload_transactions_max &&
                      block.payload_bytes + custody_->payload_bytes <= limits_.payload_bytes_max;
    if (room) {
      ++custody_->roomy;
    } else if (block.departed.newest_order > custody_->order) {
      ++custody_->crowded;
    }
  }
  pace_.executed({block.height, block.transactions, full, std::move(block.departed.ready_since)},
                 now);
}

void PrimaryWatch::begin(const Look& look) {
  Custody fresh;
  fresh.order = look.oldest->order;
  fresh.payload_bytes = look.oldest->transaction->encoded.size() + kLengthBytes;
  fresh.above = proposed_;
  fresh.relay_at = look.view_timeout / 2;
  custody_ = fresh;
  // It went to everybody when it was taken in; the primary of a new view may not have been there.
  if (std::exchange(new_view_, false)) relay_ = true;
}

void PrimaryWatch::look(const Look& look, Instant now) {
  if (now < next_look_) return;
  next_look_ = now + kLook;
  // Time counts only between two looks that found nobody else to wait for.
  const bool counts = looked_at_ && last_.judging && look.judging && last_.view == look.view;
  const Duration passed = counts ? std::min(now - *looked_at_, 2 * kLook) : Duration(0);
  last_ = look;
  pace_.set_view_timeout(look.view_timeout);
  looked_at_ = now;
  if (!look.oldest) {
    custody_.reset();
  } else if (!custody_ || custody_->order != look.oldest->order) {
    begin(look);
  } else {
    custody_->waited = custody_->waited + passed;
    if (passed > Duration(0) && custody_->waited >= custody_->relay_at) {
      custody_->relay_at = custody_->waited + look.view_timeout / 2;
      relay_ = true;
    }
  }
  if (now < next_tick_) return;
  next_tick_ = now + PrimaryPace::kTick;
  PacedWork work;
  if (look.judging) {
    work.ready = look.pool.ready;
    work.backlog = work.ready > 2 * limits_.payload_transactions_max ||
                   (work.ready > 0 && look.pool.bytes > 2 * limits_.payload_bytes_max);
    work.newest = look.newest_order;
    if (look.count_ready) work.count = look.count_ready;
  }
  pace_.tick(work, now);
}

bool PrimaryWatch::censored() const {
  return custody_ && custody_->waited >= kTimeouts * last_.view_timeout &&
         (custody_->roomy >= kRoomyMax || custody_->crowded >= crowded_max_);
}

std::optional<consensus::PrimarySuspected> PrimaryWatch::take_suspicion(Instant now) {
  if (!last_.judging || now < repeat_at_) return std::nullopt;
  const bool slow = pace_.too_late(now) || pace_.too_little();
  if (!slow && !censored()) return std::nullopt;
  repeat_at_ = now + kRepeat;
  return consensus::PrimarySuspected{last_.view, censored()
                                                     ? consensus::SuspicionReason::censorship
                                                     : consensus::SuspicionReason::throughput};
}

}  // namespace quorate::node
