// The thread that owns the replica: one loop over what arrives and the replica's next deadline,
// asleep in between. Others reach the replica only through post and inspect.
//
// A turn takes, in this order: everything that this node did or asked for itself (completions,
// connections, questions), some frames of peers, and a few bundles of transactions. Each step also
// does what has become due, so timers never wait behind a queue.
//
// Fairness: the frames of each peer and class wait in a queue of their own, and the queues are
// served in turn, one frame each; transactions likewise, with this node's clients as one source
// among the peers and up to eight bundles in a turn. So a peer that sends more than this thread can
// take delays itself, whatever its frames are, and everybody else by one of them at a time, or by
// the bundles of one turn, which hold 4,096 transactions each at the very most.
//
// Bounds: of one peer and class at most kWaitingMax frames, then the oldest gives way (the protocol
// sends again), and never more bytes than its budget, which the credits return here. Submissions
// are bounded by the verify pool, completions by what was asked for.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>

#include "node/replica.hpp"
#include "node/runtime/budget.hpp"
#include "node/runtime/fair_queue.hpp"
#include "node/runtime/statistics.hpp"

namespace quorate::node {

class ConsensusThread {
 public:
  // Several seconds of an honest peer's messages under full load.
  static constexpr std::size_t kWaitingMax = 4'096;
  using Read = std::function<void(const Replica&)>;

  ConsensusThread() = default;
  ~ConsensusThread();  // stops
  ConsensusThread(const ConsensusThread&) = delete;
  ConsensusThread& operator=(const ConsensusThread&) = delete;

  // Starts to step `replica`, which it owns from now on, with `started` first. What was posted
  // before is kept.
  void start(std::unique_ptr<Replica> replica, ReplicaStarted started);

  // Any thread. Dropped after stop().
  // What this node did or asked for itself.
  void post(ReplicaInput input);
  // A verified message. `credit` goes back when the replica has seen it, or when it gave way.
  void post_received(TrafficClass traffic, PeerMessageReceived received,
                     Budget::Credit credit = {});
  // What a client of this node handed in.
  void post_submitted(TransactionsSubmitted submitted);
  // Runs `read` between two steps. After stop() on the calling thread.
  void inspect(Read read);

  // Ends after the step under way; runs the inspections that wait, drops the rest.
  void stop();
  ConsensusStatistics statistics() const;

 private:
  struct Posted {
    ReplicaInput input;
    Budget::Credit credit;
  };
  using Item = std::variant<Posted, Read>;

  void run(ReplicaStarted started);
  bool wait_for_work(std::optional<Instant> deadline);
  std::deque<Item> take_turn();
  void handle(Item item);
  void step(ReplicaInput input);
  void answer_inspections();

  std::unique_ptr<Replica> replica_;
  std::mutex at_rest_;  // held while an inspection runs after the thread has ended

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> own_;
  FairQueue<Posted> frames_;        // consensus and sync, each by peer
  FairQueue<Posted> transactions_;  // of this node's clients, and by peer
  bool stopping_ = false;
  bool ended_ = false;
  ConsensusStatistics statistics_;
  std::thread thread_;
};

}  // namespace quorate::node
