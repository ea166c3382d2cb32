#include "testnet/simulate/svg_frame.hpp"

#include <algorithm>

#include "testnet/simulate/svg_shapes.hpp"
#include "testnet/simulate/svg_style.hpp"

namespace quorate::testnet::svg {

namespace {

constexpr double kLaneMin = 9;
// Lanes closer than this are named at every fifth.
constexpr double kNamedLane = 11;
constexpr double kAxisBelowLanes = 10;

double width_of(const std::string& label) { return 5.7 * static_cast<double>(label.size()); }

}  // namespace

Frame::Frame(const SimulationReport& report, Window window, const std::vector<Window>& busy,
             double lanes_height, double lane_max)
    : report_(report),
      window_(window),
      lanes_(report.scene.replicas),
      lane_(std::clamp(lanes_height / static_cast<double>(lanes_), kLaneMin, lane_max)),
      scale_(window, busy, kLeft, kRight) {}

double Frame::lane_top(std::size_t lane) const {
  return lanes_begin_ + lane_ * static_cast<double>(lane);
}

double Frame::x_inside(Duration when) const { return std::clamp(x(when), kLeft, kRight); }

bool Frame::overlaps(Duration begin, Duration end) const {
  return end > window_.begin && begin < window_.end && begin != end;
}

std::string Frame::page(const std::string& title, const std::string& subtitle,
                        const std::string& style, double below, const std::string& content) const {
  const double height = lanes_end() + kAxisBelowLanes + below;
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) +
                    " " + number(height) + "\" width=\"" + number(kWidth) + "\" height=\"" +
                    number(height) + "\" role=\"img\">\n";
  out += "<title>" + escaped(title) + "</title>\n<desc>" +
         escaped(replay_command(report_.options, report_.scene.costs)) + "</desc>\n";
  out += style_and_patterns() + style;
  out += rect(0, 0, kWidth, height, "paper");
  out += "<clipPath id=\"window\"><rect x=\"" + number(kLeft - 4) + "\" y=\"0\" width=\"" +
         number(kRight - kLeft + 16) + "\" height=\"" + number(height) + "\"/></clipPath>\n";
  out += text_at(28, 44, "title", title) + text_at(28, 66, "soft", subtitle);
  return out + content + "</svg>\n";
}

std::string Frame::clipped(const std::string& content) {
  return "<g clip-path=\"url(#window)\">\n" + content + "</g>\n";
}

std::string Frame::lane_name(std::size_t lane, const std::string& place) const {
  if (lane_ < kNamedLane && lane % 5 != 0) return {};
  const bool two_lines = !place.empty() && lane_ >= 34;
  std::string out =
      text_at(kLeft - 14, lane_y(lane) + (two_lines ? -1 : 4),
              lane_ < 16 ? "ink small" : "ink name", "node" + std::to_string(lane), "end");
  if (two_lines) out += text_at(kLeft - 14, lane_y(lane) + 13, "soft small", place, "end");
  return out;
}

std::string Frame::cut(const sim::timed::Fault& fault, const std::string& label) const {
  const Duration end = fault.until.value_or(report_.end.ended);
  if (fault.replicas.empty() || !overlaps(fault.at, end)) return {};
  const double left = x_inside(fault.at);
  const double width = x_inside(end) - left;
  const double inset = std::min(3.0, lane_ * 0.1);
  std::string out;
  for (const ReplicaId replica : fault.replicas) {
    out += rect(left, lane_top(replica.value()) + inset, width, lane_ - 2 * inset, "cut", 5);
  }
  if (lane_ <= 30 || width <= 20 + width_of(label)) return out;
  return out + text_at(left + 8, lane_top(fault.replicas.front().value()) + 15, "cut-label", label);
}

std::string Frame::callouts(const std::vector<Callout>& all, double top) const {
  std::string out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double at = x(all[i].when);
    const double y = top + kCalloutRow * static_cast<double>(i);
    const bool left_of = at > kWidth / 2;
    const std::string css = all[i].fault ? "fault" : "event";
    out += line(at, y + 3, at, lanes_end(), "leader " + css);
    out += text_at(at + (left_of ? -7 : 7), y + 6, "callout " + css, all[i].label,
                   left_of ? "end" : "start");
    out += element("circle", "cx=\"" + number(at) + "\" cy=\"" + number(y + 2) +
                                 "\" r=\"3.2\" class=\"dot " + css + "\"");
  }
  return out;
}

std::string Frame::axis() const {
  const double y = lanes_end() + kAxisBelowLanes;
  std::string out = line(kLeft, y, kRight, y, "axis");
  for (const TimeScale::Tick& tick : scale_.ticks()) {
    if (tick.x < kLeft - 1 || tick.x > kRight + 1) continue;
    out += line(tick.x, y, tick.x, y + 6, "axis");
    out += text_at(tick.x, y + 21, "soft small", tick.label, "middle");
  }
  return out;
}

}  // namespace quorate::testnet::svg
