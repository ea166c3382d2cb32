#include "testnet/simulate/svg.hpp"

#include "crypto/certificate/quorum.hpp"
#include "testnet/simulate/reigns.hpp"
#include "testnet/simulate/svg_frame.hpp"
#include "testnet/simulate/svg_shapes.hpp"
#include "testnet/simulate/svg_style.hpp"
#include "testnet/simulate/svg_work.hpp"

namespace quorate::testnet {

namespace {

using sim::timed::FaultKind;
using sim::timed::MessageType;
using namespace svg;  // this file is about nothing else

constexpr double kCalloutsTop = 136;
constexpr std::size_t kCalloutsMax = 10;
constexpr double kRibbon = 22;
// With more messages than this each broadcast is one path, and there are no arrowheads.
constexpr std::size_t kArrowsMax = 1800;
// With more than this, only every k-th broadcast is drawn, and the picture says so.
constexpr std::size_t kSegmentsMax = 30'000;

constexpr double kLanesHeight = 1080;
constexpr double kLaneMax = 84;

class Drawing {
 public:
  Drawing(const SimulationReport& report, Window window)
      : report_(report),
        frame_(report, window, moments(report, window), kLanesHeight, kLaneMax),
        lanes_(report.scene.replicas) {
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
    const std::vector<Callout> callouts = what_happened();
    frame_.place_lanes(kCalloutsTop + kCalloutRow * static_cast<double>(callouts.size()) + kRibbon +
                       16);
    std::string out = legend() + draw_lanes() + draw_ribbon() + draw_cuts();
    out += Frame::clipped(draw_messages() + draw_blocks());
    out += draw_gaps() + frame_.callouts(callouts, kCalloutsTop) + frame_.axis();
    if (const std::string note = footnote(); !note.empty()) {
      out += text_at(kRight, 66, "soft", note, "end");
    }
    return frame_.page(title(), subtitle(), {}, 62, out);
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
    return seconds(frame_.window().begin) + " to " + seconds(frame_.window().end) +
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

  double ribbon_top() const { return frame_.lane_top(0) - kRibbon - 8; }
  std::string draw_lanes() const {
    std::string out;
    const double band = std::min(frame_.lane_height() * 0.58, 34.0);
    for (std::size_t i = 0; i < lanes_; ++i) {
      const auto& states = report_.record.lanes().at(i);
      for (std::size_t k = 0; k < states.size(); ++k) {
        const Duration end = k + 1 < states.size() ? states[k + 1].since : report_.end.ended;
        if (!frame_.overlaps(states[k].since, end)) continue;
        const double left = frame_.x_inside(states[k].since);
        const double right = frame_.x_inside(end);
        out += rect(left, frame_.lane_y(i) - band / 2, right - left, band, band_css(states[k]),
                    std::min(4.0, band / 4));
        if (states[k].kind == LaneState::Kind::down && frame_.shows(states[k].since)) {
          out += cross(left, frame_.lane_y(i), std::min(7.0, frame_.lane_height() / 2.4), "crash");
        }
      }
      out += line(kLeft, frame_.lane_y(i), kRight, frame_.lane_y(i), "lane");
      out += frame_.lane_name(i, place_of(report_.options, static_cast<std::uint32_t>(i)));
    }
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
    const double top = ribbon_top();
    out += text_at(kLeft - 14, top + 15, "soft small", "view of a quorum", "end");
    for (const Reign& reign : reigns(report_)) {
      if (!frame_.overlaps(reign.begin, reign.end)) continue;
      const double left = frame_.x_inside(reign.begin);
      const double right = frame_.x_inside(reign.end);
      const std::string css =
          reign.view ? "view" + std::to_string(*reign.view % kViewTints) + " reign" : "changing";
      out += rect(left, top, right - left, kRibbon, css, 4);
      std::string label = "no view";
      if (reign.view) {
        const std::uint64_t primary = *reign.view % lanes_;
        label = "view " + std::to_string(*reign.view);
        if (right - left > 150) label += ", primary node" + std::to_string(primary);
        out += line(left, frame_.lane_y(primary), right, frame_.lane_y(primary), "primary");
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
      if (fault.kind == FaultKind::partition) out += frame_.cut(fault, "cut off");
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
      const double x1 = frame_.x(message.sent);
      const double y1 = frame_.lane_y(message.from);
      double x2 = frame_.x(message.ended);
      double y2 = frame_.lane_y(message.to);
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
    const double size = std::clamp(frame_.lane_height() / 9, 1.6, 4.5);
    std::vector<double> labelled(lanes_, -100);
    for (const ExecutedMark& mark : report_.record.executed()) {
      if (!frame_.shows(mark.when)) continue;
      const double x = frame_.x(mark.when);
      const double y = frame_.lane_y(mark.replica);
      if (x < kLeft + 1) continue;
      out += element("path", "class=\"block\" d=\"" + diamond(x, y, size) + "\"",
                     "<title>node" + std::to_string(mark.replica) + " executed block " +
                         std::to_string(mark.height) + " at " + seconds(mark.when) + "</title>");
      if (frame_.lane_height() < 40 || x - labelled[mark.replica] < 34) continue;
      labelled[mark.replica] = x;
      out += text_at(x, y + std::min(frame_.lane_height() * 0.29, 17.0) + 11, "block-label",
                     std::to_string(mark.height), "middle");
    }
    return out;
  }

  // ---- what frames it ----

  std::vector<Callout> what_happened() const {
    std::vector<Callout> out;
    for (const StoryEntry& entry : report_.record.story()) {
      if (!frame_.shows(entry.first) || out.size() >= kCalloutsMax) continue;
      if (entry.kind == StoryEntry::Kind::entered) continue;  // the bands show it
      out.push_back({entry.first, in_words(entry, report_.scene.replicas),
                     entry.kind == StoryEntry::Kind::fault});
    }
    return out;
  }

  std::string draw_gaps() const {
    std::string out;
    const double top = ribbon_top();
    for (const TimeScale::Stretch& stretch : frame_.scale().stretches()) {
      if (!stretch.gap) continue;
      const double bottom = frame_.lanes_end() + 4;
      out += rect(stretch.left, top, stretch.right - stretch.left, bottom - top, "gap");
      out += line(stretch.left, top, stretch.left, bottom, "gap-edge");
      out += line(stretch.right, top, stretch.right, bottom, "gap-edge");
      out += text_at((stretch.left + stretch.right) / 2, frame_.lanes_end() + 46, "soft small",
                     short_duration(stretch.end - stretch.begin), "middle");
      out += text_at((stretch.left + stretch.right) / 2, frame_.lanes_end() + 60, "soft small",
                     "quiet", "middle");
    }
    return out;
  }

  const SimulationReport& report_;
  Frame frame_;
  std::size_t lanes_;
  std::vector<const RecordedMessage*> messages_;
  std::size_t skip_ = 1;
  std::size_t repeated_ = 0;
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
