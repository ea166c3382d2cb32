// Threads that turn bytes into what the replica may see: frames of peers, payloads of proposals,
// transactions of clients. Everything is verified here, once per node, and nowhere else.
//
// Order: the frames of one peer and class come out in the order in which they arrived (one thread
// at a time serves such a lane). Between lanes there is none: transactions never hold up votes.
// Priority: consensus frames, then payload checks, then sync, then transactions. The first thread
// leaves sync and transactions to the others, if there are any; the others take from the back of
// that list now and then, and every thread takes a payload check first now and then, so that
// nothing starves: without those checks nobody votes, however many frames somebody sends.
//
// Fairness: the lanes of one class take turns, and whoever had more bytes verified than the others
// while they waited too lets them go first (deficit round robin). So a peer that floods, or that
// sends the longest messages there are, gets its share of the threads and no more.
//
// Bounds: each lane by its budget of bytes (a full consensus lane drops its oldest frames, the
// others the new one); clients by a count, above which submissions are refused; payloads by the
// engine's window. And each peer has an allowance of frames a second, several times what a correct
// replica sends: whatever stands in them, and if it is one valid message of somebody else again and
// again, each costs a look, and what comes of it a step of the engine. What is above is dropped
// unread. Messages that no signature stands behind, and requests for blocks, have a smaller one of
// their own. Who keeps at it is reported.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "node/replica.hpp"
#include "node/runtime/budget.hpp"
#include "node/runtime/statistics.hpp"

namespace quorate::node {

// So many at once, so many a second.
struct FrameAllowance {
  std::uint64_t burst = 0;
  std::uint64_t per_second = 0;
};

struct VerifyPoolConfig {
  VerifyContext context;
  std::uint32_t replicas = 0;
  unsigned threads = 2;
  std::array<std::size_t, kTrafficClasses> lane_bytes_max = {64U << 20U, 32U << 20U, 8U << 20U};
  std::size_t client_transactions_max = 20'000;
  // Of one peer, by class; relayed transactions by KiB begun, since a frame holds a thousand. A
  // replica that votes for two thousand heights a second stays below. So many frames above that
  // count together as one invalid message; ten times as many are more than a connection can hold
  // back while a correct replica hangs, and then deliver at once.
  std::array<FrameAllowance, kTrafficClasses> allowances = {
      {{16'384, 8'192}, {2'048, 1'024}, {32'768, 16'384}}};
  std::uint64_t excess_max = 100'000;
  // Unsigned messages (VerifiedMessage::is_unsigned) and requests for blocks of one peer: so many
  // at once, so many a second. So many above that count together as one invalid message; what a
  // connection can hold back while a correct replica hangs, and then deliver at once, is far less.
  std::uint64_t unsigned_burst = 1'024;
  std::uint64_t unsigned_per_second = 512;
  std::uint64_t unsigned_excess_max = 10'000;
};

// Called on a pool thread; on_invalid also by frame(), for frames above their allowance.
struct VerifyCallbacks {
  // `credit` travels with the message until the replica has seen it.
  std::function<void(ReplicaId from, TrafficClass, PeerMessage, Budget::Credit credit)> on_message;
  std::function<void(ReplicaId from, TrafficClass, const Error&)> on_invalid;
  std::function<void(PayloadChecked)> on_payload;
};

class VerifyPool final : public PayloadChecker {
 public:
  // What was submitted, and one result per transaction in the same order.
  using ClientDone =
      std::function<void(std::vector<Bytes>, std::vector<Result<ledger::TransactionPtr>>)>;

  VerifyPool(VerifyPoolConfig config, VerifyCallbacks callbacks);
  ~VerifyPool() override;  // stops

  void frame(ReplicaId from, TrafficClass traffic, Bytes body);
  // The peer's connection ended: what it had sent and nobody looked at yet is dropped.
  void forget(ReplicaId peer);
  void check(Digest id, Height height, Bytes payload) override;
  // False when too many wait; `done` is then not called. Otherwise it is called on a pool thread,
  // or by stop() with errors.
  bool client_transactions(std::vector<Bytes> encoded, ClientDone done);

  // Drops what waits, answers clients with unavailable, joins the threads.
  void stop();
  VerifyStatistics statistics() const;

 private:
  struct Lane;
  struct Job;
  struct Chunk;
  enum class Kind : std::uint8_t { consensus, payload, sync, transactions };

  void run(bool bulk_too);
  // With the lock held: runs one piece of work of this kind, if there is one.
  bool work(std::unique_lock<std::mutex>& lock, Kind kind);
  bool work_lane(std::unique_lock<std::mutex>& lock, TrafficClass traffic);
  Lane* next_lane(TrafficClass traffic);
  bool work_chunk(std::unique_lock<std::mutex>& lock, std::deque<Chunk>& chunks);
  void verify_frame(Lane& lane, Bytes body, Budget::Credit credit);
  // Whether it is an unsigned message above the lane's allowance; counts and reports it then.
  bool is_excess(Lane& lane, const PeerMessage& message);
  void report_excess(ReplicaId from, TrafficClass traffic) const;
  void verify_chunk(const Chunk& chunk);
  void finish(Job& job);
  void add_job(const std::shared_ptr<Job>& job, std::deque<Chunk>& chunks);
  bool has_work(bool bulk_too) const;
  // With the lock held: wakes one thread that may do this, if one sleeps.
  void wake(bool urgent);

  const VerifyPoolConfig config_;
  const VerifyCallbacks callbacks_;
  mutable std::mutex mutex_;
  std::condition_variable urgent_changed_;  // the first thread waits here, if it is not alone
  std::condition_variable bulk_changed_;    // the others here
  bool urgent_idle_ = false;                // the first thread is waiting
  std::array<std::vector<std::unique_ptr<Lane>>, kTrafficClasses> lanes_;  // by class and peer
  std::array<std::size_t, kTrafficClasses> next_lane_{};                   // round robin
  std::array<std::size_t, kTrafficClasses> frames_waiting_{};              // in idle lanes or not
  std::deque<Chunk> payload_chunks_;
  std::deque<Chunk> client_chunks_;
  bool clients_next_ = false;  // clients and relayed transactions take turns
  bool stopping_ = false;
  VerifyStatistics statistics_;
  std::vector<std::thread> threads_;
};

}  // namespace quorate::node
