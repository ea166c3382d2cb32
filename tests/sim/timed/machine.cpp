#include "tests/sim/timed/machine.hpp"

namespace quorate::sim::timed {
namespace {

constexpr Duration kSlice = std::chrono::microseconds(1000);
// How far a thread that slept may come before those that did not.
constexpr Duration kSleeperBonus = std::chrono::milliseconds(3);

}  // namespace

Machine::ThreadId Machine::add(Next next) {
  threads_.push_back({std::move(next), State::asleep, Duration(0), std::nullopt, false});
  return threads_.size() - 1;
}

void Machine::wake(ThreadId thread) {
  Thread& woken = threads_[thread];
  if (woken.state == State::running) woken.woken = true;
  if (woken.state != State::asleep) return;
  woken.used = std::max(woken.used, floor_ - kSleeperBonus);
  make_ready(thread);
  dispatch();
}

void Machine::make_ready(ThreadId thread) {
  threads_[thread].state = State::ready;
  ready_.emplace(threads_[thread].used, thread);
}

// Asking a thread for work may wake others: the outermost call serves them all.
void Machine::dispatch() {
  if (dispatching_) return;
  dispatching_ = true;
  while (cores_free_ > 0 && !ready_.empty()) {
    const ThreadId thread = ready_.begin()->second;
    floor_ = std::max(floor_, ready_.begin()->first);
    ready_.erase(ready_.begin());
    run(thread);
  }
  dispatching_ = false;
}

void Machine::run(ThreadId thread) {
  Thread& running = threads_[thread];
  running.state = State::running;
  running.woken = false;
  if (!running.work) running.work = running.next();
  if (!running.work) {
    running.state = State::asleep;
    if (running.woken) make_ready(thread);
    return;
  }
  --cores_free_;
  const Duration slice = std::min(running.work->cpu, kSlice);
  timeline_.after(slice, [this, thread, slice] { end_slice(thread, slice); });
}

void Machine::end_slice(ThreadId thread, Duration slice) {
  Thread& ran = threads_[thread];
  ++cores_free_;
  ran.used += slice;
  used_ += slice;
  ran.work->cpu -= slice;
  if (ran.work->cpu <= Duration(0)) {
    const Work finished = std::move(*ran.work);
    ran.work.reset();
    finished.done();
  }
  make_ready(thread);
  dispatch();
}

}  // namespace quorate::sim::timed
