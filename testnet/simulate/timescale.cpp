#include "testnet/simulate/timescale.hpp"

#include <algorithm>
#include <cstdio>

namespace quorate::testnet {

namespace {

constexpr double kGapWidth = 54;
// A pause that would be less than this wide is drawn to scale.
constexpr double kGapWorthIt = 2.5 * kGapWidth;
constexpr double kTickDistance = 82;
constexpr double kBeyond = 6;
constexpr double kNanosecondsPerSecond = 1e9;

double width_of(Duration duration) { return static_cast<double>(duration.count()); }

// 1, 2 or 5 times a power of ten, at least `least`.
std::int64_t round_step(double least) {
  std::int64_t unit = 1;
  while (true) {
    for (const std::int64_t times : {1, 2, 5}) {
      if (static_cast<double>(unit * times) >= least) return unit * times;
    }
    unit *= 10;
  }
}

std::string label(std::int64_t nanoseconds, std::int64_t step) {
  int digits = 0;
  for (std::int64_t unit = 1'000'000'000; unit > step && digits < 6; unit /= 10) ++digits;
  char buffer[48];
  std::snprintf(buffer, sizeof(buffer), "%.*f s", digits,
                static_cast<double>(nanoseconds) / kNanosecondsPerSecond);
  return buffer;
}

// Pauses between what is busy, the longest first.
std::vector<Window> pauses(Window window, std::vector<Window> busy) {
  std::sort(busy.begin(), busy.end(),
            [](const Window& a, const Window& b) { return a.begin < b.begin; });
  std::vector<Window> out;
  Duration reached = window.begin;
  for (const Window& one : busy) {
    const Duration begin = std::clamp(one.begin, window.begin, window.end);
    if (begin > reached) out.push_back({reached, begin});
    reached = std::max(reached, std::clamp(one.end, window.begin, window.end));
  }
  if (window.end > reached) out.push_back({reached, window.end});
  std::stable_sort(out.begin(), out.end(), [](const Window& a, const Window& b) {
    return a.end - a.begin > b.end - b.begin;
  });
  return out;
}

}  // namespace

TimeScale::TimeScale(Window window, std::vector<Window> busy, double left, double right) {
  Duration shown = window.end - window.begin;
  double width = right - left;
  std::vector<Window> gaps;
  for (const Window& pause : pauses(window, std::move(busy))) {
    // A little room on both sides, so that nothing stands on the edge of a gap.
    const Duration room = (pause.end - pause.begin) / 100;
    const Duration cut = pause.end - pause.begin - room * 2;
    if (width_of(cut) * width / width_of(shown) < kGapWorthIt || width < 4 * kGapWidth) break;
    gaps.push_back({pause.begin + room, pause.end - room});
    shown -= cut;
    width -= kGapWidth;
  }
  std::sort(gaps.begin(), gaps.end(),
            [](const Window& a, const Window& b) { return a.begin < b.begin; });
  Duration begin = window.begin;
  for (const Window& gap : gaps) {
    stretches_.push_back({begin, gap.begin, 0, 0, false});
    stretches_.push_back({gap.begin, gap.end, 0, 0, true});
    begin = gap.end;
  }
  stretches_.push_back({begin, window.end, 0, 0, false});
  lay_out(left, width / std::max(1.0, width_of(shown)));
}

void TimeScale::lay_out(double left, double scale) {
  for (Stretch& stretch : stretches_) {
    stretch.left = left;
    left += stretch.gap ? kGapWidth : width_of(stretch.end - stretch.begin) * scale;
    stretch.right = left;
  }
}

double TimeScale::x(Duration when) const {
  if (when < stretches_.front().begin) return stretches_.front().left - kBeyond;
  for (const Stretch& stretch : stretches_) {
    if (when > stretch.end) continue;
    const double span = std::max(1.0, width_of(stretch.end - stretch.begin));
    return stretch.left + (stretch.right - stretch.left) * width_of(when - stretch.begin) / span;
  }
  return stretches_.back().right + kBeyond;
}

std::vector<TimeScale::Tick> TimeScale::ticks() const {
  std::vector<Tick> out;
  double busy_width = 0;
  double busy_time = 0;
  for (const Stretch& stretch : stretches_) {
    if (stretch.gap) continue;
    busy_width += stretch.right - stretch.left;
    busy_time += width_of(stretch.end - stretch.begin);
  }
  const std::int64_t step = round_step(busy_time * kTickDistance / std::max(1.0, busy_width));
  for (const Stretch& stretch : stretches_) {
    if (stretch.gap) continue;
    const std::int64_t first = (stretch.begin.count() + step - 1) / step * step;
    for (std::int64_t at = first; at <= stretch.end.count(); at += step) {
      out.push_back({x(Duration(at)), label(at, step)});
    }
  }
  return out;
}

}  // namespace quorate::testnet
