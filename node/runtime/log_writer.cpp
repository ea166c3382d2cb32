#include "node/runtime/log_writer.hpp"

#include <pthread.h>

#include "node/runtime/fatal.hpp"

namespace quorate::node {

namespace {

// How long the log is quiet before its last index goes to validator_state.json. Under load the
// snapshots do that.
constexpr std::chrono::milliseconds kSettleAfter{1'000};

std::uint64_t nanoseconds_since(std::chrono::steady_clock::time_point start) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start)
          .count());
}

}  // namespace

LogWriter::LogWriter(std::unique_ptr<VoteLogStore> store, Persisted persisted, Log& log)
    : store_(std::move(store)), persisted_(std::move(persisted)), log_(log) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "quorate-votes");
    run();
  });
}

LogWriter::~LogWriter() { stop(); }

void LogWriter::append(consensus::PersistToken token, Bytes record, bool snapshot) {
  queue_.push({token, {std::move(record), snapshot}});
}

void LogWriter::run() {
  bool settled = true;
  while (!queue_.finished()) {
    const auto timeout = settled ? std::nullopt : std::optional(kSettleAfter);
    auto group = queue_.take_all(timeout);
    if (group.empty()) {
      settle();
      settled = true;
    } else {
      write(std::move(group));
      settled = false;
    }
  }
  settle();
}

void LogWriter::write(std::deque<Pending> group) {
  const consensus::PersistToken last = group.back().token;
  if (store_) {
    std::vector<VoteLogEntry> entries;
    entries.reserve(group.size());
    std::size_t bytes = 0;
    std::size_t snapshots = 0;
    for (Pending& pending : group) {
      bytes += pending.entry.body.size();
      snapshots += pending.entry.snapshot ? 1 : 0;
      entries.push_back(std::move(pending.entry));
    }
    const auto start = std::chrono::steady_clock::now();
    if (const auto written = store_->append_group(entries); !written) {
      end_process(log_, "votes", "the vote log cannot be written", written.error());
    }
    const std::lock_guard lock(statistics_mutex_);
    statistics_.records += entries.size();
    statistics_.bytes += bytes;
    statistics_.snapshots += snapshots;
    statistics_.sync.add(nanoseconds_since(start));
  }
  persisted_(last);
}

void LogWriter::settle() {
  if (!store_) return;
  if (const auto written = store_->settle(); !written) {
    end_process(log_, "votes", "the vote log or its state cannot be written", written.error());
  }
}

void LogWriter::stop() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

VoteLogStatistics LogWriter::statistics() const {
  const std::lock_guard lock(statistics_mutex_);
  VoteLogStatistics out = statistics_;
  out.queued = queue_.size();
  return out;
}

}  // namespace quorate::node
