// A machine with a few cores, and the threads that share them. A thread asks for its next piece of
// work when a core is free, and is done with it when it has had the core for as long as the work
// costs. Among the threads that are ready the one with the least CPU time so far runs, a slice at a
// time, as the usual schedulers of operating systems have it; one that slept does not save up.
// Deterministic; one simulated run owns it.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "tests/sim/timeline.hpp"

namespace quorate::sim::timed {

struct Work {
  Duration cpu{0};
  std::function<void()> done;  // at the end of the work
};

class Machine {
 public:
  using ThreadId = std::size_t;
  // Called when a core is free for the thread; nothing = it sleeps until wake().
  using Next = std::function<std::optional<Work>()>;

  // A thread that slept pays `wake` more for its next piece of work. `neighbours` threads of other
  // programs take their share all the time.
  Machine(Timeline& timeline, unsigned cores, Duration wake, unsigned neighbours);

  ThreadId add(Next next);
  // The thread may have something to do.
  void wake(ThreadId thread);
  // CPU time given so far to all threads but the neighbours.
  Duration used() const { return used_; }

 private:
  enum class State : std::uint8_t { asleep, ready, running };
  struct Thread {
    Next next;
    State state = State::asleep;
    Duration used{0};
    std::optional<Work> work;  // unfinished
    bool woken = false;        // while it ran
    bool slept = true;         // before it was ready
  };
  Duration fair_start() const;
  void make_ready(ThreadId thread);
  void dispatch();
  void run(ThreadId thread);
  void end_slice(ThreadId thread, Duration slice);

  Timeline& timeline_;
  unsigned cores_free_;
  const Duration wake_;
  const unsigned neighbours_;  // the first threads
  std::vector<Thread> threads_;
  std::set<std::pair<Duration, ThreadId>> ready_;
  Duration floor_{0};  // the CPU time of the thread that was picked last
  Duration used_{0};
  bool dispatching_ = false;
};

}  // namespace quorate::sim::timed
