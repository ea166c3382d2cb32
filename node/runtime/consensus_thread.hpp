// The thread that owns the replica: one loop over what arrives and the replica's next deadline,
// asleep in between. Others reach the replica only through post and inspect.
//
// Two queues: urgent (consensus and sync messages, completions, questions) and bulk (transactions).
// Urgent goes first; bulk is taken a little at a time, so that a flood of transactions delays a
// vote by a few of them and not by all. Neither has a bound of its own: frames are bounded by the
// peers' budgets, which their credits return here, submissions by the verify pool, completions by
// what was asked for.
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
#include "node/runtime/statistics.hpp"

namespace quorate::node {

class ConsensusThread {
 public:
  enum class Lane : std::uint8_t { urgent, bulk };
  using Read = std::function<void(const Replica&)>;

  ConsensusThread() = default;
  ~ConsensusThread();  // stops
  ConsensusThread(const ConsensusThread&) = delete;
  ConsensusThread& operator=(const ConsensusThread&) = delete;

  // Starts to step `replica`, which it owns from now on, with `started` first. What was posted
  // before is kept.
  void start(std::unique_ptr<Replica> replica, ReplicaStarted started);

  // Any thread. Dropped after stop().
  void post(Lane lane, ReplicaInput input, Budget::Credit credit = {});
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
  void handle(Item item);
  void step(ReplicaInput input);

  std::unique_ptr<Replica> replica_;
  std::mutex at_rest_;  // held while an inspection runs after the thread has ended

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> urgent_;
  std::deque<Item> bulk_;
  bool stopping_ = false;
  bool ended_ = false;
  ConsensusStatistics statistics_;
  std::thread thread_;
};

}  // namespace quorate::node
