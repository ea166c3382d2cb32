// The vote log port: one thread that writes whatever is waiting and syncs once for all of it. While
// a sync runs, records gather for the next. Completions never drop, so the queue has no bound of
// its own: the engine never has more votes under way than its window allows.
//
// A write or sync error ends the process: what is on the disk is unknown, and a vote that was
// promised to be durable must never leave this node again without being so.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "node/ports.hpp"
#include "node/runtime/log.hpp"
#include "node/runtime/statistics.hpp"
#include "node/runtime/vote_log_store.hpp"
#include "node/runtime/work_queue.hpp"

namespace quorate::node {

class LogWriter final : public VoteLog {
 public:
  // Called on the log thread once all records up to this token are durable.
  using Persisted = std::function<void(consensus::PersistToken)>;

  // `store` null: an observer. Nothing is written, every record is answered at once; an observer
  // signs nothing, and the files stay as they were found.
  LogWriter(std::unique_ptr<VoteLogStore> store, Persisted persisted, Log& log);
  ~LogWriter() override;  // stops

  void append(consensus::PersistToken token, Bytes record, bool snapshot) override;
  // Writes and syncs what is waiting, then the validator state, and joins the thread.
  void stop();
  VoteLogStatistics statistics() const;

 private:
  struct Pending {
    consensus::PersistToken token;
    VoteLogEntry entry;
  };
  void run();
  void write(std::deque<Pending> group);
  void settle();

  std::unique_ptr<VoteLogStore> store_;
  const Persisted persisted_;
  Log& log_;
  WorkQueue<Pending> queue_;
  mutable std::mutex statistics_mutex_;
  VoteLogStatistics statistics_;
  std::thread thread_;
};

}  // namespace quorate::node
