// Whether the primary is slow although it answers: judgements that need no clock of its own and no
// word of its. All look only at times when work waited that it could have proposed.
//
// Delay: how long transactions waited for their proposal, compared with how long the replicas then
// took to agree on it, which is not in the primary's hands. In a full block, or behind one, they
// waited in a queue: there the primary owes a proposal only since everything before was executed.
// Floor: under a backlog, the rate of committed transactions against the median of the last views.
// Room: likewise, of a primary whose blocks leave room although they leave out what it must know.
//
// When the primary is what everybody waits for. A proposal is on its way once it is here with its
// body: the check of its payload, agreement and execution are not in the primary's hands. One above
// a gap is not, for nothing comes of it before the gap is filled. Delay and floor count only if for
// much of the time nothing was on its way. But a primary could keep a small block there at all
// times and so never be judged. For room, therefore, it is also waited for while less than it may
// have is on its way and the newest of it is not full, if transactions wait here that are in none.
//
// Transactions that are in no proposal are no sign of anything by themselves: between here and the
// primary and back there are always as many of them as arrive in that time, at any honest primary.
// And what others hold but the primary does not, as after relays were lost, it cannot propose. So
// room counts only with transactions that an honest primary would have proposed long ago: such as
// came in the first half of the window and should be in a block by its end, or such as the primary
// was told of (again, by this replica, for this very purpose) half a window ago. Half a window is
// at least 2.5 s and at least a view timeout, which follows how long things take here.
//
// Why an honest primary is not replaced for it, on a machine however slow or busy. Where checks,
// agreement, the ledger or the disks are slow, everything that waits is on its way, or the blocks
// are full, or as many are on their way as may be: none of that counts. Under overload a primary
// may not know what waits at others, since relays are dropped, and then it leaves room without a
// fault. But it proposes whatever it knows, as fast as its machine takes it in, and so did the
// primaries before it: its rate is near theirs. So room counts only below half of the floor, a
// third of the earlier rate, which a primary that merely shares a busy machine does not fall to.
// (That alone says nothing: without an overload every rate is as low as what clients send.) In
// the first view there is nothing to compare with. There it takes four times as long, and so few
// transactions that what is left would take them more than a minute; a full mempool is through in
// less at 1,700 a second. A slower machine that is overloaded from its first view on may so change
// its view once; then there is a rate to compare with. (Waiting too little for a block whose check
// takes long is another way to lose an honest primary under overload:
// consensus/pbft/commit_latency.hpp.)
//
// Pure, integers only; owned by the replica.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/base/instant.hpp"
#include "crypto/base/strong_int.hpp"

namespace quorate::node {

// A proposal as it is known here.
struct PacedProposal {
  Height height;
  std::size_t transactions = 0;
  bool full = true;  // or not known yet: that counts for the primary
};

// A block as it was executed here.
struct PacedBlock {
  Height height;
  std::size_t transactions = 0;
  bool full = false;
  std::vector<Instant> ready_since;  // of its transactions that waited here
};

// What waits here for the primary; nothing while something else is waited for.
struct PacedWork {
  bool backlog = false;   // more than two payloads could be filled
  std::size_t ready = 0;  // transactions that could be proposed, or are in a proposal on its way
  // These have numbers, in the order in which they became ready; the youngest has this one.
  std::uint64_t newest = 0;
  // How many of them have a number in (after, up_to], counted no further than `enough`.
  using Count =
      std::function<std::size_t(std::uint64_t after, std::uint64_t up_to, std::size_t enough)>;
  Count count = [](std::uint64_t, std::uint64_t, std::size_t) { return std::size_t{0}; };
};

class PrimaryPace {
 public:
  PrimaryPace(std::uint32_t views_remembered, std::size_t proposals_in_flight)
      : views_remembered_(views_remembered), in_flight_max_(proposals_in_flight) {}

  // A measure of how much latency varies here. A delay must exceed a quarter of it; and one of more
  // than twice as much is no delay: the primary did not know the transactions, or leaves them out.
  void set_view_timeout(Duration timeout) { view_timeout_ = timeout; }
  // The ledger's head at the start of a life.
  void started(Height head) { executed_ = head; }
  // A new primary begins: what it is measured by starts now.
  void entered_view(Instant now);
  // The proposal is here with its body; called again once its payload was checked.
  void pre_prepared(const PacedProposal& proposal, Instant now);
  void executed(PacedBlock block, Instant now);
  // To be called every kTick while work waits.
  void tick(const PacedWork& work, Instant now);

  // Whether the primary should be told of what has been ready for longest, since the last question.
  bool take_tell() { return std::exchange(tell_, false); }
  // It was told of everything that is ready with a number up to this one.
  void told(std::uint64_t up_to, Instant now) { told_ = Told{now, up_to}; }

  bool too_late(Instant now) const;
  bool too_little() const { return below_floor_ || leaves_room_; }

  static constexpr Duration kTick = std::chrono::milliseconds(500);
  // The delay that is always allowed, besides four times what agreement takes.
  static constexpr Duration kDelayFree = std::chrono::milliseconds(100);
  static constexpr Duration kWindow = std::chrono::seconds(5);
  static constexpr Duration kFirstWindow = std::chrono::seconds(20);
  static constexpr std::size_t kSamplesMin = 5;
  // Fewer transactions that are in no proposal say nothing about its room.
  static constexpr std::size_t kLeftMin = 64;

 private:
  struct Proposal {
    Instant at;
    std::size_t transactions = 0;
    bool full = true;
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
    Duration idle{0};          // nothing was on its way
    Duration spare{0};         // less than could be, the newest of it not full
    std::uint64_t newest = 0;  // as in PacedWork, at its end
  };
  struct Told {
    Instant at;
    std::uint64_t up_to = 0;
  };
  // Of the proposals that follow the executed height without a gap.
  struct OnItsWay {
    std::size_t proposals = 0;
    std::size_t transactions = 0;
    bool full = true;  // the newest
  };
  // The ticks of the last time in which something held without a pause.
  class Window {
   public:
    void add(const Tick& tick, Duration length);
    void clear() { ticks_.clear(); }
    bool empty() const { return ticks_.empty(); }
    const Tick& first() const { return ticks_.front(); }
    const Tick& last() const { return ticks_.back(); }
    Duration span() const { return last().at - first().at; }
    // The last one that is this old.
    const Tick& before(Instant time) const;
    // The first tick only marks where the window begins: what happened before does not count.
    Tick sum() const;

   private:
    std::deque<Tick> ticks_;
  };
  void judge(PacedBlock block, const Proposal& proposal, bool queued, Instant now);
  void judge_delay(Instant now);
  bool judge_floor() const;
  void judge_room(const PacedWork& work, std::size_t left, Instant now);
  bool slow_with_room(std::size_t left) const;
  Duration room_window() const;
  void count_to(Instant until);
  OnItsWay on_its_way() const;
  bool nothing_on_its_way() const { return proposed_.count(executed_.saturating_add(1)) == 0; }

  const std::uint32_t views_remembered_;
  const std::size_t in_flight_max_;
  Duration view_timeout_{0};
  Instant entered_at_;
  Height executed_;
  std::map<Height, Proposal> proposed_;  // not yet executed
  Instant idle_since_;                   // while nothing is on its way
  bool queue_ = false;                   // the last block was full

  std::deque<Sample> samples_;
  std::optional<Instant> late_since_;

  Tick tick_;  // the one that is under way; `at` is where its times are counted to
  Instant ticked_at_;
  Window backlog_;                       // work.backlog held
  Window left_;                          // transactions waited that were in no proposal
  std::uint64_t view_transactions_ = 0;  // of this view, under a backlog
  Duration view_time_{0};
  std::vector<std::uint64_t> rates_;  // of earlier views, transactions a second, oldest first
  std::optional<Told> told_;          // in this view
  bool tell_ = false;
  bool below_floor_ = false;
  bool leaves_room_ = false;
};

}  // namespace quorate::node
