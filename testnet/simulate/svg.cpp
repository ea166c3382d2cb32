#include "testnet/simulate/svg.hpp"

#include "crypto/certificate/quorum.hpp"
#include "testnet/simulate/reigns.hpp"
#include "testnet/simulate/svg_shapes.hpp"
#include "testnet/simulate/svg_style.hpp"
#include "testnet/simulate/svg_work.hpp"
#include "testnet/simulate/timescale.hpp"

namespace quorate::testnet {

namespace {

using sim::timed::FaultKind;
using sim::timed::MessageType;
using namespace svg;  // this file is about nothing else

constexpr double kWidth = 1360;
constexpr double kLeft = 132;
constexpr double kRight = kWidth - 28;
constexpr double kLegendTop = 92;
constexpr double kCalloutsTop = 136;
constexpr double kCalloutRow = 17;
constexpr std::size_t kCalloutsMax = 10;
constexpr double kRibbon = 22;
// With more messages than this each broadcast is one path, and there are no arrowheads.
constexpr std::size_t kArrowsMax = 1800;
// With more than this, only every k-th broadcast is drawn, and the picture says so.
constexpr std::size_t kSegmentsMax = 30'000;

double lane_height(std::size_t lanes) {
  return std::clamp(1080.0 / static_cast<double>(lanes), 9.0, 84.0);
}

class Drawing {
 public:
  Drawing(const SimulationReport& report, Window window)
      : report_(report),
        window_(window),
        lanes_(report.scene.replicas),
        lane_(lane_height(lanes_)),
        scale_(window, moments(report, window), kLeft, kRight) {
    for (const RecordedMessage& message : report.record.messages()) {
      if (message.sent < window.begin || message.sent > window.end) continue;
      if (message.again) {
        ++repeated_;
      } else {
        messages_.push_back(&message);
      }
    }
    skip_ = 1 + messages_.size() / kSegmentsMax;
  }

  std::string draw() {
    const std::string callouts = draw_callouts();
    const double axis = lane_top(lanes_) + 10;
    const double height = axis + 62;
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) +
                      " " + number(height) + "\" width=\"" + number(kWidth) + "\" height=\"" +
                      number(height) + "\" role=\"img\">\n";
    out += "<title>" + escaped(title()) + "</title>\n<desc>" +
           escaped(replay_command(report_.options, report_.scene.costs)) + "</desc>\n";
    out += style_and_patterns();
    out += rect(0, 0, kWidth, height, "paper");
    out += text_at(28, 44, "title", title()) + text_at(28, 66, "soft", subtitle()) + legend();
    out += "<clipPath id=\"window\"><rect x=\"" + number(kLeft - 4) + "\" y=\"0\" width=\"" +
           number(kRight - kLeft + 12) + "\" height=\"" + number(height) + "\"/></clipPath>\n";
    out += draw_lanes() + draw_ribbon() + draw_cuts();
    out += "<g clip-path=\"url(#window)\">\n" + draw_messages() + draw_blocks() + "</g>\n";
    out += draw_gaps() + callouts + draw_axis(axis);
    if (const std::string note = footnote(); !note.empty()) {
      out += text_at(kRight, 66, "soft", note, "end");
    }
    return out + "</svg>\n";
  }

 private:
  // What the time scale must make room for.
  static std::vector<Window> moments(const SimulationReport& report, Window window) {
    std::vector<Window> out;
    for (const RecordedMessage& message : report.record.messages()) {
      if (message.again || message.sent < window.begin || message.sent > window.end) continue;
      out.push_back({message.sent, std::max(message.sent, message.ended)});
    }
    for (const ExecutedMark& mark : report.record.executed()) out.push_back({mark.when, mark.when});
    for (const StoryEntry& entry : report.record.story()) {
      out.push_back({entry.first, entry.first});
    }
    return out;
  }

  std::string title() const {
    return std::to_string(lanes_) + " replicas, " + report_.options.network + ", " +
           std::to_string(report_.scene.rate) + " transactions per second";
  }
  std::string subtitle() const {
    const std::uint32_t n = report_.scene.replicas;
    return seconds(window_.begin) + " to " + seconds(window_.end) +
           " of virtual time; tolerates f = " + std::to_string(crypto::faults_tolerated(n)) +
           ", quorum " + std::to_string(crypto::quorum_size(n)) + "; seed " +
           std::to_string(report_.scene.seed);
  }

  std::string footnote() const {
    std::string out;
    if (repeated_ > 0) {
      out = "not drawn: " + std::to_string(repeated_) +
            " votes of the new view for blocks executed before it";
    }
    if (skip_ > 1) {
      out += (out.empty() ? "" : "; ") + std::string("drawn: one of ") + std::to_string(skip_) +
             " broadcasts";
    }
    return out;
  }

  std::string legend() const {
    std::string out;
    double x = 28;
    for (const LegendEntry& entry : kLegend) {
      const auto count = std::count_if(
          messages_.begin(), messages_.end(),
          [&entry](const RecordedMessage* message) { return message->type == entry.type; });
      const std::string css = count == 0 ? "soft absent" : "ink";
      const std::string name(to_string(entry.type));
      out += "<g class=\"" + std::string(entry.css) + (count == 0 ? " absent" : "") + "\">" +
             line(x, kLegendTop - 4, x + 22, kLegendTop - 4, "message sample") + "</g>\n";
      out += text_at(x + 29, kLegendTop, css, name);
      x += 29 + 8.2 * static_cast<double>(name.size()) + 20;
    }
    out += element("path", "class=\"block\" d=\"" + diamond(x + 6, kLegendTop - 4, 4.5) + "\"");
    return out + text_at(x + 16, kLegendTop, "ink", "block executed");
  }

  // ---- lanes ----

  double lanes_begin() const {
    return kCalloutsTop + kCalloutRow * static_cast<double>(callout_rows_) + kRibbon + 16;
  }
  double lane_top(std::size_t lane) const {
    return lanes_begin() + lane_ * static_cast<double>(lane);
  }
  double lane_y(std::size_t lane) const { return lane_top(lane) + lane_ / 2; }
  double clamp_x(double x) const { return std::clamp(x, kLeft, kRight); }

  std::string draw_lanes() const {
    std::string out;
    const double band = std::min(lane_ * 0.58, 34.0);
    for (std::size_t i = 0; i < lanes_; ++i) {
      const auto& states = report_.record.lanes().at(i);
      for (std::size_t k = 0; k < states.size(); ++k) {
        const Duration end = k + 1 < states.size() ? states[k + 1].since : report_.end.ended;
        if (end <= window_.begin || states[k].since >= window_.end || end == states[k].since) {
          continue;
        }
        const double left = clamp_x(scale_.x(states[k].since));
        const double right = clamp_x(scale_.x(end));
        out += rect(left, lane_y(i) - band / 2, right - left, band, band_css(states[k]),
                    std::min(4.0, band / 4));
        if (states[k].kind == LaneState::Kind::down && states[k].since >= window_.begin) {
          out += cross(left, lane_y(i), std::min(7.0, lane_ / 2.4), "crash");
        }
      }
      out += line(kLeft, lane_y(i), kRight, lane_y(i), "lane");
      out += lane_name(i);
    }
    return out;
  }

  std::string lane_name(std::size_t i) const {
    const auto replica = static_cast<std::uint32_t>(i);
    if (lane_ < 11 && i % 5 != 0) return {};
    const std::string place = place_of(report_.options, replica);
    const bool two_lines = !place.empty() && lane_ >= 34;
    std::string out =
        text_at(kLeft - 14, lane_y(i) + (two_lines ? -1 : 4), lane_ < 16 ? "ink small" : "ink name",
                "node" + std::to_string(i), "end");
    if (two_lines) out += text_at(kLeft - 14, lane_y(i) + 13, "soft small", place, "end");
    return out;
  }

  static std::string band_css(const LaneState& state) {
    switch (state.kind) {
      case LaneState::Kind::down: return "down";
      case LaneState::Kind::changing: return "changing";
      case LaneState::Kind::in_view: break;
    }
    return "view" + std::to_string(state.view % kViewTints);
  }

  std::string draw_ribbon() const {
    std::string out;
    const double top = lanes_begin() - kRibbon - 8;
    out += text_at(kLeft - 14, top + 15, "soft small", "view of a quorum", "end");
    for (const Reign& reign : reigns(report_)) {
      if (reign.end <= window_.begin || reign.begin >= window_.end) continue;
      const double left = clamp_x(scale_.x(reign.begin));
      const double right = clamp_x(scale_.x(reign.end));
      const std::string css =
          reign.view ? "view" + std::to_string(*reign.view % kViewTints) + " reign" : "changing";
      out += rect(left, top, right - left, kRibbon, css, 4);
      std::string label = "no view";
      if (reign.view) {
        const std::uint64_t primary = *reign.view % lanes_;
        label = "view " + std::to_string(*reign.view);
        if (right - left > 150) label += ", primary node" + std::to_string(primary);
        out += line(left, lane_y(primary), right, lane_y(primary), "primary");
      }
      if (right - left > 8.0 * static_cast<double>(label.size())) {
        out += text_at((left + right) / 2, top + 15, "ink small", label, "middle");
      }
    }
    return out;
  }

  std::string draw_cuts() const {
    std::string out;
    for (const auto& fault : report_.scene.faults) {
      const Duration end = fault.until.value_or(report_.end.ended);
      const bool visible =
          fault.kind == FaultKind::partition && end > window_.begin && fault.at < window_.end;
      if (!visible) continue;
      const double left = clamp_x(scale_.x(fault.at));
      const double right = clamp_x(scale_.x(end));
      for (const ReplicaId replica : fault.replicas) {
        const double inset = std::min(3.0, lane_ * 0.1);
        out += rect(left, lane_top(replica.value()) + inset, right - left, lane_ - 2 * inset, "cut",
                    5);
      }
      if (!fault.replicas.empty() && lane_ > 30 && right - left > 60) {
        out += text_at(left + 8, lane_top(fault.replicas.front().value()) + 15, "cut-label",
                       "cut off");
      }
    }
    return out;
  }

  // ---- messages and blocks ----

  std::string draw_messages() const {
    std::string out;
    const bool arrows = messages_.size() <= kArrowsMax;
    for (const LegendEntry& entry : kLegend) {
      std::string group;
      for (std::size_t i = 0; i < messages_.size();) {
        std::size_t end = i + 1;
        while (end < messages_.size() && same_broadcast(*messages_[i], *messages_[end])) ++end;
        if (messages_[i]->type == entry.type && i / lanes_ % skip_ == 0) {
          group += broadcast(i, end, arrows);
        }
        i = end;
      }
      if (group.empty()) continue;
      const bool rare = entry.type == MessageType::suspect ||
                        entry.type == MessageType::view_change ||
                        entry.type == MessageType::new_view;
      const std::string marker =
          arrows ? " marker-end=\"url(#head-" + std::string(entry.css) + ")\"" : "";
      out += "<g class=\"" + std::string(entry.css) +
             (arrows ? ""
              : rare ? " thin"
                     : " dense") +
             "\"" + (arrows ? "" : "") + ">\n" + with_marker(group, marker) + "</g>\n";
    }
    return out;
  }

  static std::string with_marker(std::string group, const std::string& marker) {
    const std::string place = " @";
    std::size_t at = 0;
    while ((at = group.find(place, at)) != std::string::npos) {
      group.replace(at, place.size(), marker);
      at += marker.size();
    }
    return group;
  }

  static bool same_broadcast(const RecordedMessage& a, const RecordedMessage& b) {
    return a.type == b.type && a.from == b.from && a.sent == b.sent && a.view == b.view &&
           a.height == b.height;
  }

  std::string broadcast(std::size_t begin, std::size_t end, bool arrows) const {
    std::string out;
    std::string path;
    for (std::size_t i = begin; i < end; ++i) {
      const RecordedMessage& message = *messages_[i];
      const double x1 = scale_.x(message.sent);
      const double y1 = lane_y(message.from);
      double x2 = scale_.x(message.ended);
      double y2 = lane_y(message.to);
      const bool vanished = message.lost || message.ended == Duration(0);
      if (vanished) {
        y2 = y1 + (y2 - y1) * 0.3;
        x2 = std::max(x1, message.ended == Duration(0) ? x1 : x2) + 5;
      }
      const std::string segment =
          "M" + number(x1) + " " + number(y1) + "L" + number(x2) + " " + number(y2);
      if (!arrows) {
        path += segment;
        continue;
      }
      const std::string title = "<title>" + escaped(describe(message)) + "</title>";
      out += element("path",
                     "class=\"message" + std::string(vanished ? " lost" : "") + "\" d=\"" +
                         segment + "\"" + (vanished ? "" : " @"),
                     title);
      if (vanished) out += cross(x2, y2, 3, "lost-end");
    }
    if (path.empty()) return out;
    const RecordedMessage& first = *messages_[begin];
    return element("path", "class=\"message\" d=\"" + path + "\"",
                   "<title>" + escaped(describe_broadcast(first, end - begin)) + "</title>");
  }

  std::string draw_blocks() const {
    std::string out;
    const double size = std::clamp(lane_ / 9, 1.6, 4.5);
    std::vector<double> labelled(lanes_, -100);
    for (const ExecutedMark& mark : report_.record.executed()) {
      if (mark.when < window_.begin || mark.when > window_.end) continue;
      const double x = scale_.x(mark.when);
      const double y = lane_y(mark.replica);
      if (x < kLeft + 1) continue;
      out += element("path", "class=\"block\" d=\"" + diamond(x, y, size) + "\"",
                     "<title>node" + std::to_string(mark.replica) + " executed block " +
                         std::to_string(mark.height) + " at " + seconds(mark.when) + "</title>");
      if (lane_ < 40 || x - labelled[mark.replica] < 34) continue;
      labelled[mark.replica] = x;
      out += text_at(x, y + std::min(lane_ * 0.29, 17.0) + 11, "block-label",
                     std::to_string(mark.height), "middle");
    }
    return out;
  }

  // ---- what frames it ----

  std::string draw_callouts() {
    struct Callout {
      double x;
      std::string label;
      std::string css;
    };
    std::vector<Callout> callouts;
    for (const StoryEntry& entry : report_.record.story()) {
      const bool visible = entry.first >= window_.begin && entry.first <= window_.end;
      if (!visible || callouts.size() >= kCalloutsMax) continue;
      if (entry.kind == StoryEntry::Kind::entered) continue;  // the bands show it
      callouts.push_back({scale_.x(entry.first), in_words(entry, report_.scene.replicas),
                          entry.kind == StoryEntry::Kind::fault ? "fault" : "event"});
    }
    callout_rows_ = callouts.size();
    std::string out;
    const double bottom = lane_top(lanes_);
    for (std::size_t i = 0; i < callouts.size(); ++i) {
      const Callout& callout = callouts[i];
      const double y = kCalloutsTop + kCalloutRow * static_cast<double>(i);
      const bool left_of = callout.x > kWidth / 2;
      out += line(callout.x, y + 3, callout.x, bottom, "leader " + callout.css);
      out += text_at(callout.x + (left_of ? -7 : 7), y + 6, "callout " + callout.css, callout.label,
                     left_of ? "end" : "start");
      out += element("circle", "cx=\"" + number(callout.x) + "\" cy=\"" + number(y + 2) +
                                   "\" r=\"3.2\" class=\"dot " + callout.css + "\"");
    }
    return out;
  }

  std::string draw_gaps() const {
    std::string out;
    const double top = lanes_begin() - kRibbon - 8;
    for (const TimeScale::Stretch& stretch : scale_.stretches()) {
      if (!stretch.gap) continue;
      const double bottom = lane_top(lanes_) + 4;
      out += rect(stretch.left, top, stretch.right - stretch.left, bottom - top, "gap");
      out += line(stretch.left, top, stretch.left, bottom, "gap-edge");
      out += line(stretch.right, top, stretch.right, bottom, "gap-edge");
      out += text_at((stretch.left + stretch.right) / 2, lane_top(lanes_) + 46, "soft small",
                     short_duration(stretch.end - stretch.begin), "middle");
      out += text_at((stretch.left + stretch.right) / 2, lane_top(lanes_) + 60, "soft small",
                     "quiet", "middle");
    }
    return out;
  }

  std::string draw_axis(double y) const {
    std::string out = line(kLeft, y, kRight, y, "axis");
    for (const TimeScale::Tick& tick : scale_.ticks()) {
      if (tick.x < kLeft - 1 || tick.x > kRight + 1) continue;
      out += line(tick.x, y, tick.x, y + 6, "axis");
      out += text_at(tick.x, y + 21, "soft small", tick.label, "middle");
    }
    return out;
  }

  const SimulationReport& report_;
  Window window_;
  std::size_t lanes_;
  double lane_;
  TimeScale scale_;
  std::vector<const RecordedMessage*> messages_;
  std::size_t skip_ = 1;
  std::size_t repeated_ = 0;
  std::size_t callout_rows_ = 0;
};

}  // namespace

std::string draw_timeline(const SimulationReport& report) {
  if (report.scene.work) {
    return draw_work_timeline(report, report.record.window().value_or(default_work_window(report)));
  }
  const Window window = report.record.window().value_or(default_window(report));
  return Drawing(report, window).draw();
}

}  // namespace quorate::testnet
