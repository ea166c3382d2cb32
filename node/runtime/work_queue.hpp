// Work for one thread that sleeps while there is none: many producers, one consumer that takes all
// that is there. It has no bound of its own; each user says what bounds it (completions never drop,
// votes are bounded by the engine's window, blocks by the proposals in flight, reads by one per
// peer). Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace quorate::node {

template <class T>
class WorkQueue {
 public:
  // False once the queue is closed; `item` is then dropped.
  bool push(T item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return false;
      items_.push_back(std::move(item));
    }
    changed_.notify_one();
    return true;
  }

  // Waits until there is something, the queue is closed, or `timeout` has passed; then takes
  // everything. What was pushed before close() still comes out.
  std::deque<T> take_all(std::optional<std::chrono::milliseconds> timeout = std::nullopt) {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return !items_.empty() || closed_; };
    if (timeout) {
      changed_.wait_for(lock, *timeout, ready);
    } else {
      changed_.wait(lock, ready);
    }
    return std::exchange(items_, {});
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }
  // Closed and empty: the consumer may end.
  bool finished() const {
    const std::lock_guard lock(mutex_);
    return closed_ && items_.empty();
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace quorate::node
