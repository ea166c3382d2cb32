// Virtual time: one heap of (time, sequence) events. Events of the same time run in the order in
// which they were scheduled, so that a run depends on nothing but its seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "crypto/base/instant.hpp"

namespace quorate::sim {

class Timeline {
 public:
  using Action = std::function<void()>;

  Instant now() const { return now_; }
  void at(Instant when, Action action) {
    heap_.push_back({std::max(when, now_), next_sequence_++, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }
  // Runs the next event; false when there is none.
  bool run_next() {
    if (heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Entry entry = std::move(heap_.back());
    heap_.pop_back();
    now_ = entry.when;
    ++events_run_;
    entry.action();
    return true;
  }
  std::uint64_t events_run() const { return events_run_; }

 private:
  struct Entry {
    Instant when;
    std::uint64_t sequence;
    Action action;
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.when != b.when ? a.when > b.when : a.sequence > b.sequence;
  }

  Instant now_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t events_run_ = 0;
  std::vector<Entry> heap_;
};

}  // namespace quorate::sim
