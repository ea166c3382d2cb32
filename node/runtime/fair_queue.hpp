// What several sources want from one consumer, served in turn: one queue per source, one item of
// each that has any. So whoever sends much waits for itself and holds up another by one item a
// turn. In order within a source, in none between them. Not thread-safe: its owner has the lock.
#pragma once

#include <cstddef>
#include <deque>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace quorate::node {

template <class T>
class FairQueue {
 public:
  static constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();

  // Sources count from 0. Where `most` items of this source wait already its oldest gives way; it
  // is handed back, so that it can be destroyed after the lock was released.
  std::optional<T> push(std::size_t source, T item, std::size_t most = kUnbounded) {
    if (source >= queues_.size()) queues_.resize(source + 1);
    std::deque<T>& queue = queues_[source];
    std::optional<T> dropped;
    if (queue.size() >= most) {
      dropped.emplace(std::move(queue.front()));
      queue.pop_front();
      --size_;
    }
    queue.push_back(std::move(item));
    ++size_;
    return dropped;
  }

  // Moves at most `count` items behind `out`; the next call goes on with the next source.
  template <class Out>
  void take(std::size_t count, Out& out) {
    for (; count > 0 && size_ > 0; next_ = (next_ + 1) % queues_.size()) {
      std::deque<T>& queue = queues_[next_];
      if (queue.empty()) continue;
      out.push_back(std::move(queue.front()));
      queue.pop_front();
      --size_;
      --count;
    }
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  std::vector<std::deque<T>> queues_;
  std::size_t next_ = 0;  // whose turn it is
  std::size_t size_ = 0;
};

}  // namespace quorate::node
