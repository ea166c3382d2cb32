// Says on standard error how far a long command is. On a terminal one line that is redrawn a few
// times a second: a bar, the share of the time that was planned, what is done now and how long it
// will still take. Elsewhere a plain line for each step. One thread calls it; a thread of its own
// draws.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace quorate::testnet::comparison {

enum class ProgressForm { none, lines, bar };

// Pure: "[#####---------------]  25 %  about 6 min left  PBFT: 800 tx/s", no wider than `width`.
std::string progress_line(double done_s, double planned_s, const std::string& what,
                          std::size_t width);
// "40 s", "6 min", "3.5 h"
std::string in_words(double seconds);

class Progress {
 public:
  Progress(ProgressForm form, double planned_s);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // takes the bar off the screen

  // From now on `what` is done, and it should take so long. What was planned for the step before
  // counts as over, however long it took.
  void step(const std::string& what, double planned_s);
  // The step goes on with something else.
  void detail(const std::string& what);

 private:
  using Clock = std::chrono::steady_clock;
  void draw();
  void run();
  // Of what was planned. The caller holds the lock.
  double done() const;

  const ProgressForm form_;
  const double planned_s_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string what_;
  double before_s_ = 0;  // planned for the steps that are over
  double step_s_ = 0;    // planned for this one
  Clock::time_point step_began_ = Clock::now();
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace quorate::testnet::comparison
