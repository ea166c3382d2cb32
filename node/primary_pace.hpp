// Whether the primary is slow although it answers: two judgements that need no clock of its own and
// no word of its. Both look only at times when work waited that it could have proposed.
//
// Delay: how long transactions waited for their proposal, compared with how long the replicas then
// took to agree on it, which is not in the primary's hands. In a full block, or behind one, they
// waited in a queue: there the primary owes a proposal only since everything before was executed.
// Floor: under a backlog, the rate of committed transactions against the median of the last views.
//
// Neither counts unless for much of the time nothing was on its way: while proposals wait to be
// agreed on or executed, the primary is not what is slow. Under overload it may not even know what
// waits elsewhere.
//
// Pure, integers only; owned by the replica.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "crypto/base/instant.hpp"
#include "crypto/base/strong_int.hpp"

namespace quorate::node {

// A block as it was executed here.
struct PacedBlock {
  Height height;
  std::size_t transactions = 0;
  bool full = false;
  std::vector<Instant> ready_since;  // of its transactions that waited here
};

class PrimaryPace {
 public:
  explicit PrimaryPace(std::uint32_t views_remembered) : views_remembered_(views_remembered) {}

  // A measure of how much latency varies here. A delay must exceed a quarter of it; and one of more
  // than twice as much is no delay: the primary did not know the transactions, or leaves them out.
  void set_view_timeout(Duration timeout) { view_timeout_ = timeout; }
  // A new primary begins: what it is measured by starts now.
  void entered_view(Instant now);
  // Its proposal was accepted here.
  void pre_prepared(Height height, Instant now);
  void executed(PacedBlock block, Instant now);
  // To be called every kTick while work waits. `backlog`: more than two payloads could be filled.
  void tick(bool backlog, Instant now);

  bool too_late(Instant now) const;
  bool too_little() const { return too_little_; }

  static constexpr Duration kTick = std::chrono::milliseconds(500);
  // The delay that is always allowed, besides four times what agreement takes.
  static constexpr Duration kDelayFree = std::chrono::milliseconds(100);
  static constexpr Duration kWindow = std::chrono::seconds(5);
  static constexpr std::size_t kSamplesMin = 5;

 private:
  struct Proposal {
    Instant at;
    std::optional<Instant> idle_since;  // nothing else was on its way then, since this long
  };
  struct Sample {
    Instant at;
    Duration delay{0};
    Duration agreement{0};
    Duration idle{0};  // nothing was on its way before it, though its transactions waited
  };
  struct Tick {
    Instant at;
    std::uint64_t transactions = 0;
    Duration idle{0};
  };
  void judge(PacedBlock block, const Proposal& proposal, bool queued, Instant now);
  void judge_delay(Instant now);
  void judge_rate();
  void count_idle(Instant until);

  const std::uint32_t views_remembered_;
  Duration view_timeout_{0};
  Instant entered_at_;
  std::map<Height, Proposal> proposed_;  // accepted and not yet executed
  Instant idle_since_;                   // while there are none
  bool queue_ = false;                   // the last block was full

  std::deque<Sample> samples_;
  std::optional<Instant> late_since_;

  std::deque<Tick> ticks_;  // without a pause in the backlog, at most kWindow
  std::uint64_t executed_in_tick_ = 0;
  Duration idle_in_tick_{0};
  Instant idle_counted_to_;
  std::uint64_t view_transactions_ = 0;  // of this view, under a backlog
  Duration view_time_{0};
  std::vector<std::uint64_t> rates_;  // of earlier views, transactions a second, oldest first
  bool too_little_ = false;
};

}  // namespace quorate::node
