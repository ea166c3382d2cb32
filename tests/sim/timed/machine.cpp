#include "tests/sim/timed/machine.hpp"

namespace quorate::sim::timed {
namespace {

// What the usual scheduler of Linux gives a thread at a time on two cores.
constexpr Duration kSlice = std::chrono::microseconds(1500);

}  // namespace

Machine::Machine(Timeline& timeline, unsigned cores, Duration wake, unsigned neighbours)
    : timeline_(timeline), cores_free_(cores), wake_(wake), neighbours_(neighbours) {
  for (unsigned i = 0; i < neighbours; ++i) {
    add([] { return Work{kSlice, [] {}}; });
  }
  for (ThreadId i = 0; i < neighbours; ++i) this->wake(i);
}

Machine::ThreadId Machine::add(Next next) {
  Thread added;
  added.next = std::move(next);
  threads_.push_back(std::move(added));
  return threads_.size() - 1;
}

void Machine::wake(ThreadId thread) {
  Thread& woken = threads_[thread];
  if (woken.state == State::running) woken.woken = true;
  if (woken.state != State::asleep) return;
  woken.used = std::max(woken.used, fair_start());
  make_ready(thread);
  dispatch();
}

// A thread that slept comes neither first nor last: about half of those that wait run before it.
Duration Machine::fair_start() const {
  if (ready_.empty()) return floor_;
  Duration sum{0};
  for (const auto& [used, thread] : ready_) sum += used;
  return std::max(floor_, sum / static_cast<Duration::rep>(ready_.size()));
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
  if (!running.work) {
    running.work = running.next();
    if (running.work && running.slept) running.work->cpu += wake_;
    running.slept = false;
  }
  if (!running.work) {
    running.state = State::asleep;
    running.slept = true;
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
  if (thread >= neighbours_) used_ += slice;
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
