// What the pictures of both engines share: the page with its heading, a lane for each replica on
// one time scale, callouts that point down into the lanes, cut links and the time axis. Pure.
#pragma once

#include <string>
#include <vector>

#include "testnet/simulate/report.hpp"
#include "testnet/simulate/timescale.hpp"

namespace quorate::testnet::svg {

inline constexpr double kWidth = 1360;
inline constexpr double kLeft = 132;
inline constexpr double kRight = kWidth - 28;
inline constexpr double kLegendTop = 92;
inline constexpr double kCalloutRow = 17;

struct Callout {
  Duration when{0};
  std::string label;
  bool fault = false;
};

class Frame {
 public:
  // `busy`: what the time scale must make room for. All lanes together are at most `lanes_height`
  // high, one at most `lane_max`.
  Frame(const SimulationReport& report, Window window, const std::vector<Window>& busy,
        double lanes_height, double lane_max);

  // Where the first lane begins; what stands below follows.
  void place_lanes(double top) { lanes_begin_ = top; }

  std::size_t lanes() const { return lanes_; }
  double lane_height() const { return lane_; }
  double lane_top(std::size_t lane) const;
  double lane_y(std::size_t lane) const { return lane_top(lane) + lane_ / 2; }
  double lanes_end() const { return lane_top(lanes_); }
  double x(Duration when) const { return scale_.x(when); }
  // The same within the picture's edges.
  double x_inside(Duration when) const;
  bool shows(Duration when) const { return when >= window_.begin && when <= window_.end; }
  // Whether any part of the time is within the window.
  bool overlaps(Duration begin, Duration end) const;
  const Window& window() const { return window_; }
  const TimeScale& scale() const { return scale_; }

  // `below`: the room under the lanes. `style`: what the picture needs besides the common one.
  std::string page(const std::string& title, const std::string& subtitle, const std::string& style,
                   double below, const std::string& content) const;
  // What may reach beyond the picture's edges.
  static std::string clipped(const std::string& content);
  // Empty for the lanes that stand too close to be named. `place`: under the name, where there is
  // room.
  std::string lane_name(std::size_t lane, const std::string& place = {}) const;
  // The lanes of a fault's replicas while it lasts.
  std::string cut(const sim::timed::Fault& fault, const std::string& label) const;
  // The first of them stands at `top`.
  std::string callouts(const std::vector<Callout>& all, double top) const;
  std::string axis() const;

 private:
  const SimulationReport& report_;
  const Window window_;
  const std::size_t lanes_;
  const double lane_;
  const TimeScale scale_;
  double lanes_begin_ = 0;
};

}  // namespace quorate::testnet::svg
