// Judges the primary where the engine cannot, since payloads are opaque to it: does it leave out a
// transaction that it should have proposed (censorship), is it slow (throughput)? What is found is
// told to the engine once a second while it holds; whether anything follows, f+1 replicas decide.
//
// Censorship: the transaction that has been proposable here for longest is sent to everybody again
// every half view timeout. It counts as left out when five view timeouts have passed since the
// first time, and the primary has meanwhile made enough blocks that had room for it, or so many
// full ones with younger transactions that a full mempool of its own must have come to an end. A
// new view starts this anew. Transactions behind a nonce gap are not proposable, so they never
// count, and neither does one whose sender cannot pay.
//
// Pure, integers only; owned by the replica.
#pragma once

#include <optional>

#include "consensus/engine.hpp"
#include "node/mempool.hpp"
#include "node/primary_pace.hpp"

namespace quorate::node {

struct WatchLimits {
  std::size_t payload_transactions_max = 4096;
  std::size_t payload_bytes_max = 1U << 20U;
  std::size_t pool_transactions_max = 100'000;
  std::size_t pool_bytes_max = 64U << 20U;
  std::uint32_t validators = 4;
  std::size_t proposals_in_flight = 32;
};

class PrimaryWatch {
 public:
  // The replica's circumstances at one look.
  struct Look {
    View view;
    Duration view_timeout{0};
    // The primary is another replica, and nothing but the primary is waited for: this replica
    // votes, the view is open, the window has room, it neither fetches blocks nor executes a
    // backlog.
    bool judging = false;
    std::optional<Mempool::Oldest> oldest;
    MempoolStatus pool;
    std::uint64_t newest_order = 0;  // of the pool
    PacedWork::Count count_ready;    // Mempool::count_ready; may be empty while little is ready
  };
  struct Block {
    Height height;
    std::size_t transactions = 0;
    std::size_t payload_bytes = 0;
    Departed departed;
  };

  // What a proposal holds.
  struct Content {
    std::size_t transactions = 0;
    std::size_t payload_bytes = 0;
  };

  explicit PrimaryWatch(WatchLimits limits);

  void started(Height head) { pace_.started(head); }
  void entered_view(Instant now);
  // A proposal is here with its body; again, with its content, once its payload was checked.
  void pre_prepared(Height height, Instant now, const std::optional<Content>& content = {});
  void executed(Block block, Instant now);
  // Due at next_look() while work waits; sooner does no harm.
  void look(const Look& look, Instant now);
  // Whether to send the oldest transaction to everybody, since the last question.
  bool take_relay() { return std::exchange(relay_, false); }
  // Whether to send everybody what has been ready for longest, since the last question, and how far
  // that went.
  bool take_tell() { return pace_.take_tell(); }
  void told(std::uint64_t up_to, Instant now) { pace_.told(up_to, now); }
  // What to tell the engine now.
  std::optional<consensus::PrimarySuspected> take_suspicion(Instant now);
  Instant next_look() const { return next_look_; }

 private:
  static constexpr Duration kLook = std::chrono::milliseconds(100);
  static constexpr Duration kRepeat = std::chrono::seconds(1);
  static constexpr std::uint32_t kRoomyMax = 8;
  static constexpr std::uint32_t kTimeouts = 5;

  // The oldest transaction, and what the primary did since it was sent to everybody.
  struct Custody {
    std::uint64_t order = 0;
    std::size_t payload_bytes = 0;
    Height above;  // blocks up to it were proposed before
    Duration waited{0};
    Duration relay_at{0};
    std::uint32_t roomy = 0;
    std::uint32_t crowded = 0;
  };
  void begin(const Look& look);
  bool censored() const;
  bool is_full(std::size_t transactions, std::size_t payload_bytes) const;

  const WatchLimits limits_;
  const std::uint32_t crowded_max_;
  PrimaryPace pace_;
  std::optional<Custody> custody_;
  bool relay_ = false;
  bool new_view_ = false;
  Height proposed_;  // the highest accepted proposal
  Look last_;
  std::optional<Instant> looked_at_;
  Instant next_look_;
  Instant next_tick_;
  Instant repeat_at_;
};

}  // namespace quorate::node
