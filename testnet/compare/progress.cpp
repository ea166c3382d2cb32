#include "testnet/compare/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace quorate::testnet::comparison {

namespace {

constexpr std::chrono::milliseconds kRedraw{250};
constexpr std::size_t kBar = 24;
constexpr std::size_t kUsualWidth = 80;
constexpr double kMinute = 60;
constexpr double kHour = 3600;

std::size_t terminal_width() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsualWidth;
}

}  // namespace

std::string in_words(double seconds) {
  char buffer[32];
  if (seconds < 1.5 * kMinute) {
    std::snprintf(buffer, sizeof(buffer), "%.0f s", seconds);
  } else if (seconds < 1.5 * kHour) {
    std::snprintf(buffer, sizeof(buffer), "%.0f min", seconds / kMinute);
  } else {
    std::snprintf(buffer, sizeof(buffer), "%.1f h", seconds / kHour);
  }
  return buffer;
}

std::string progress_line(double done_s, double planned_s, const std::string& what,
                          std::size_t width) {
  const double share = planned_s <= 0 ? 0 : std::clamp(done_s / planned_s, 0.0, 1.0);
  const auto filled = static_cast<std::size_t>(std::lround(share * kBar));
  char percent[16];
  std::snprintf(percent, sizeof(percent), "%3.0f %%", 100 * share);
  std::string out = "[" + std::string(filled, '#') + std::string(kBar - filled, '-') + "] " +
                    percent + "  about " + in_words(std::max(0.0, planned_s - done_s)) + " left  " +
                    what;
  if (out.size() > width) out.resize(width);
  return out;
}

Progress::Progress(ProgressForm form, double planned_s) : form_(form), planned_s_(planned_s) {
  if (form_ == ProgressForm::bar) thread_ = std::thread([this] { run(); });
}

Progress::~Progress() {
  if (form_ != ProgressForm::bar) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  std::fprintf(stderr, "\r\033[K");
  std::fflush(stderr);
}

void Progress::step(const std::string& what, double planned_s) {
  const std::lock_guard lock(mutex_);
  before_s_ += step_s_;
  step_s_ = planned_s;
  step_began_ = Clock::now();
  what_ = what;
  if (form_ == ProgressForm::lines) {
    std::fprintf(stderr, "  %3.0f %%  %s (about %s)\n",
                 planned_s_ <= 0 ? 0 : std::min(100.0, 100 * before_s_ / planned_s_), what.c_str(),
                 in_words(planned_s).c_str());
  }
  changed_.notify_all();
}

void Progress::detail(const std::string& what) {
  const std::lock_guard lock(mutex_);
  what_ = what;
  changed_.notify_all();
}

// A step that takes longer than it should stands still at its end.
double Progress::done() const {
  const double spent = std::chrono::duration<double>(Clock::now() - step_began_).count();
  return before_s_ + std::min(spent, step_s_);
}

void Progress::draw() {
  const std::string line =
      progress_line(done(), planned_s_, what_, std::max<std::size_t>(terminal_width(), 20) - 1);
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

void Progress::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    draw();
    changed_.wait_for(lock, kRedraw);
  }
}

}  // namespace quorate::testnet::comparison
