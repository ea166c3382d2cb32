#include "testnet/simulate/svg_work.hpp"

#include <algorithm>

#include "testnet/simulate/svg_frame.hpp"
#include "testnet/simulate/svg_shapes.hpp"

namespace quorate::testnet {

namespace {

using sim::timed::FaultKind;
using sim::timed::WorkTally;
using namespace svg;  // this file is about nothing else

constexpr double kCalloutsTop = 138;
constexpr double kLanesHeight = 640;
constexpr double kLaneMax = 64;
constexpr std::size_t kCalloutsMax = 8;
constexpr double kRow = 34;  // of the tree
constexpr std::size_t kHues = 8;
constexpr double kLabel = 15;  // the room that a number needs
// In block intervals: what is shown before and after what goes wrong, and at most.
constexpr int kBefore = 8;
constexpr int kAfter = 10;
constexpr int kLongest = 75;

constexpr const char* kWorkStyle = R"css(<style>
svg{--m0:#2450e0;--m1:#0787a3;--m2:#2f8f2f;--m3:#c2410c;--m4:#8b3fd9;--m5:#8a6d1d;--m6:#be185d;--m7:#475569;
--best:#e6eefb;--beside:#f0b429}
@media (prefers-color-scheme:dark){svg{--m0:#6f92ff;--m1:#2fb4d0;--m2:#6fc654;--m3:#ff9054;--m4:#c08bff;
--m5:#d8b24a;--m6:#ff7ab0;--m7:#9aa7bd;--best:#1a2840;--beside:#8a6410}}
.m0{fill:var(--m0)}.m1{fill:var(--m1)}.m2{fill:var(--m2)}.m3{fill:var(--m3)}
.m4{fill:var(--m4)}.m5{fill:var(--m5)}.m6{fill:var(--m6)}.m7{fill:var(--m7)}
.stale{opacity:.55;stroke:var(--fault);stroke-width:1.4;stroke-dasharray:3 2}
.parent{fill:none;stroke:var(--soft);stroke-width:1.3}.parent.off{stroke:var(--fault);stroke-dasharray:4 3}
.number{font-size:10px;fill:var(--paper);font-weight:650}
.onbest{fill:var(--best)}.beside{fill:url(#hatch-beside)}
.left{font-size:11px;fill:var(--fault);font-weight:650}.rewind{fill:var(--fault)}
</style>
<defs><pattern id="hatch-beside" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect width="7" height="7" style="fill:var(--beside);opacity:.3"/><rect width="3" height="7" style="fill:var(--beside);opacity:.75"/></pattern></defs>
)css";

Duration interval_of(const SimulationReport& report) {
  return std::chrono::milliseconds(report.scene.work->chain.interval_ms);
}

class WorkDrawing {
 public:
  WorkDrawing(const SimulationReport& report, Window window)
      : report_(report),
        tally_(report.record.work()),
        frame_(report, window, {window}, kLanesHeight, kLaneMax),
        lanes_(report.scene.replicas) {
    const double shown = static_cast<double>((window.end - window.begin).count()) /
                         static_cast<double>(interval_of(report).count());
    block_ = std::clamp((kRight - kLeft) / std::max(1.0, shown) * 0.62, 6.0, 22.0);
    lay_out_tree();
  }

  std::string draw() {
    const std::vector<Callout> callouts = what_happened();
    tree_top_ = kCalloutsTop + 4 + kCalloutRow * static_cast<double>(callouts.size());
    frame_.place_lanes(tree_top_ + kRow * static_cast<double>(tree_rows_) + 16);
    std::string out = legend() + draw_lanes() + draw_cuts();
    out += frame_.callouts(callouts, kCalloutsTop);
    out += Frame::clipped(draw_tree() + draw_minds() + draw_rewinds()) + frame_.axis();
    return frame_.page(title(), subtitle(), kWorkStyle, 40, out);
  }

 private:
  bool won(const Digest& id) const { return report_.end.work->on_best.count(id) != 0; }
  static std::string hue(std::uint32_t miner) { return "m" + std::to_string(miner % kHues); }

  std::string title() const {
    const auto& chain = report_.scene.work->chain;
    return std::to_string(lanes_) + " miners, " + report_.options.network + ", a block each " +
           format_duration(std::chrono::milliseconds(chain.interval_ms)) + ", final at depth " +
           std::to_string(chain.depth);
  }
  std::string subtitle() const {
    return seconds(frame_.window().begin) + " to " + seconds(frame_.window().end) +
           " of virtual time; seed " + std::to_string(report_.scene.seed) + "; " +
           std::to_string(report_.stale()) + " of " +
           std::to_string(report_.end.work->blocks.size()) + " blocks of the whole run are stale";
  }

  std::string legend() const {
    std::string out;
    double x = 28;
    const std::size_t named = std::min<std::size_t>(lanes_, kHues);
    for (std::uint32_t i = 0; i < named; ++i) {
      out += rect(x, kLegendTop - 11, 14, 13, hue(i), 3);
      out += text_at(x + 19, kLegendTop, "ink", "mined by node" + std::to_string(i));
      x += 134;
    }
    x = 28;
    const double y = kLegendTop + 20;
    out += rect(x, y - 11, 14, 13, "m7 stale", 3) +
           text_at(x + 19, y, "ink", "not on the branch that won");
    x += 215;
    out += rect(x, y - 11, 26, 13, "onbest", 3) +
           text_at(x + 31, y, "ink", "prefers the branch that won");
    x += 230;
    out += rect(x, y - 11, 26, 13, "beside", 3) + text_at(x + 31, y, "ink", "prefers another");
    x += 150;
    out +=
        text_at(x, y, "left", "-3") + text_at(x + 19, y, "ink", "blocks left for a heavier branch");
    x += 250;
    out += element("path", "class=\"rewind\" d=\"" + triangle(x + 6, y - 5, 6) + "\"") +
           text_at(x + 17, y, "ink", "its ledger takes final blocks back");
    return out;
  }

  static std::string triangle(double x, double y, double size) {
    return "M" + number(x - size) + " " + number(y - size) + "L" + number(x + size) + " " +
           number(y - size) + "L" + number(x) + " " + number(y + size) + "Z";
  }

  // ---- the tree ----

  // The branch that won is row 0; every other one gets the first row that is free.
  void lay_out_tree() {
    std::vector<double> free_from;  // by row below the first
    for (const WorkTally::Block& block : tally_.blocks()) {
      if (!frame_.shows(block.when)) continue;
      std::size_t row = 0;
      if (!won(block.id)) {
        const auto parent = rows_.find(block.parent);
        const bool extends = parent != rows_.end() && parent->second > 0 &&
                             newest_.at(parent->second) == block.parent;
        const double x = frame_.x(block.when);
        row = extends ? parent->second : 1;
        while (!extends && row <= free_from.size() && free_from[row - 1] > x - block_) ++row;
        if (row > free_from.size()) free_from.resize(row);
        free_from[row - 1] = x + block_;
        newest_[row] = block.id;
      }
      rows_[block.id] = row;
      tree_rows_ = std::max(tree_rows_, row + 1);
    }
  }

  double row_y(std::size_t row) const {
    return tree_top_ + kRow * (static_cast<double>(row) + 0.5);
  }

  std::string draw_tree() const {
    std::string lines, blocks;
    std::map<std::size_t, double> labelled;  // by row: where the last number stands
    for (const WorkTally::Block& block : tally_.blocks()) {
      const auto row = rows_.find(block.id);
      if (row == rows_.end()) continue;
      const double x = frame_.x(block.when);
      const double y = row_y(row->second);
      const WorkTally::Block* parent = tally_.find(block.parent);
      const auto parent_row = rows_.find(block.parent);
      const double x0 = parent == nullptr ? kLeft : frame_.x(parent->when);
      const double y0 = parent_row == rows_.end() ? row_y(0) : row_y(parent_row->second);
      const double middle = (x0 + x) / 2;
      lines += element("path", "class=\"parent" + std::string(won(block.id) ? "" : " off") +
                                   "\" d=\"M" + number(x0) + " " + number(y0) + "C" +
                                   number(middle) + " " + number(y0) + " " + number(middle) + " " +
                                   number(y) + " " + number(x) + " " + number(y) + "\"");
      const auto last = labelled.try_emplace(row->second, kLeft - kLabel).first;
      const bool room = x - last->second >= kLabel;
      if (room) last->second = x;
      blocks += square(block, x, y, block_, room);
    }
    return lines + blocks;
  }

  std::string square(const WorkTally::Block& block, double x, double y, double size,
                     bool numbered) const {
    const std::string what = "block " + std::to_string(block.height) + ", mined by node" +
                             std::to_string(block.miner) + " at " + seconds(block.when) +
                             (won(block.id) ? "" : ", not on the branch that won");
    std::string out =
        element("rect",
                "x=\"" + number(x - size / 2) + "\" y=\"" + number(y - size / 2) + "\" width=\"" +
                    number(size) + "\" height=\"" + number(size) + "\" rx=\"3\" class=\"" +
                    hue(block.miner) + (won(block.id) ? "" : " stale") + "\"",
                "<title>" + escaped(what) + "</title>");
    if (!numbered || size < 13) return out;
    return out + text_at(x, y + 3.5, "number", std::to_string(block.height), "middle");
  }

  // ---- the replicas ----

  double band() const { return std::min(frame_.lane_height() * 0.62, 34.0); }

  std::string strip(std::size_t lane, Duration from, Duration to, const std::string& css) const {
    if (!frame_.overlaps(from, to)) return {};
    const double left = frame_.x_inside(from);
    return rect(left, frame_.lane_y(lane) - band() / 2, frame_.x_inside(to) - left, band(), css, 3);
  }

  std::string draw_lanes() const {
    std::string out = text_at(kLeft - 14, row_y(0) + 4, "ink name", "blocks", "end");
    std::vector<Duration> since(lanes_, Duration(0));
    std::vector<bool> on_best(lanes_, true);
    const auto css = [&](std::size_t lane) { return on_best[lane] ? "onbest" : "beside"; };
    for (const WorkTally::Preference& mind : tally_.preferences()) {
      const bool best = won(mind.tip) || mind.height == 0;
      if (best == on_best[mind.replica]) continue;
      out += strip(mind.replica, since[mind.replica], mind.when, css(mind.replica));
      since[mind.replica] = mind.when;
      on_best[mind.replica] = best;
    }
    for (std::size_t i = 0; i < lanes_; ++i) {
      out += strip(i, since[i], frame_.window().end, css(i)) + draw_down(i);
      out += line(kLeft, frame_.lane_y(i), kRight, frame_.lane_y(i), "lane");
      out += frame_.lane_name(i);
    }
    return out;
  }

  std::string draw_down(std::size_t lane) const {
    std::string out;
    const auto& states = report_.record.lanes().at(lane);
    for (std::size_t k = 0; k < states.size(); ++k) {
      if (states[k].kind != LaneState::Kind::down) continue;
      const Duration end = k + 1 < states.size() ? states[k + 1].since : report_.end.ended;
      out += strip(lane, states[k].since, end, "paper") + strip(lane, states[k].since, end, "down");
      if (frame_.shows(states[k].since)) {
        out += cross(frame_.x(states[k].since), frame_.lane_y(lane),
                     std::min(7.0, frame_.lane_height() / 2.4), "crash");
      }
    }
    return out;
  }

  // A block stands where a replica began to prefer the branch that ends in it.
  std::string draw_minds() const {
    std::string out;
    const double size = std::min(block_ * 0.8, band() * 0.6);
    for (const WorkTally::Preference& mind : tally_.preferences()) {
      const WorkTally::Block* tip = tally_.find(mind.tip);
      if (tip == nullptr || !frame_.shows(mind.when)) continue;
      const double x = frame_.x(mind.when);
      out += square(*tip, x, frame_.lane_y(mind.replica), size, false);
      if (mind.left == 0 || frame_.lane_height() < 16) continue;
      out += text_at(x, frame_.lane_y(mind.replica) - band() / 2 - 2, "left",
                     "-" + std::to_string(mind.left), "middle");
    }
    return out;
  }

  std::string draw_rewinds() const {
    std::string out;
    for (const WorkTally::Withdrawal& one : tally_.withdrawals()) {
      if (!frame_.shows(one.when)) continue;
      const double y = frame_.lane_y(one.replica) + band() / 2 + 3;
      const std::string what = "node" + std::to_string(one.replica) + " goes back to height " +
                               std::to_string(one.to) + " at " + seconds(one.when) + ": " +
                               std::to_string(one.blocks) + " final blocks and " +
                               std::to_string(one.transactions) + " transactions withdrawn";
      out += element("path", "class=\"rewind\" d=\"" + triangle(frame_.x(one.when), y, 6) + "\"",
                     "<title>" + escaped(what) + "</title>");
      if (frame_.lane_height() < 30) continue;
      out += text_at(frame_.x(one.when) + 10, y + 5, "left", "back to " + std::to_string(one.to));
    }
    return out;
  }

  std::string draw_cuts() const {
    std::string out;
    for (const auto& fault : report_.scene.faults) {
      if (fault.kind == FaultKind::partition) out += frame_.cut(fault, "cut off");
      if (fault.kind == FaultKind::hide) out += frame_.cut(fault, "mines in private");
    }
    return out;
  }

  std::vector<Callout> what_happened() const {
    std::vector<Callout> out;
    for (const StoryEntry& entry : report_.record.story()) {
      if (!frame_.shows(entry.first) || out.size() >= kCalloutsMax) continue;
      out.push_back(
          {entry.first, in_words(entry, report_.scene.replicas),
           entry.kind == StoryEntry::Kind::fault || entry.kind == StoryEntry::Kind::rewound});
    }
    return out;
  }

  const SimulationReport& report_;
  const WorkTally& tally_;
  Frame frame_;
  std::size_t lanes_;
  double block_ = 0;
  std::map<Digest, std::size_t> rows_;
  std::map<std::size_t, Digest> newest_;  // by row
  std::size_t tree_rows_ = 1;
  double tree_top_ = 0;
};

}  // namespace

Window default_work_window(const SimulationReport& report) {
  const WorkTally& tally = report.record.work();
  const Duration interval = interval_of(report);
  const Duration all = std::max(report.scene.length, interval);
  std::optional<Duration> moment;
  Duration last{0};
  for (const WorkTally::Withdrawal& one : tally.withdrawals()) {
    if (!moment) moment = report.record.trigger().value_or(one.when);
    last = one.when;
  }
  for (const WorkTally::Preference& one : tally.preferences()) {
    if (moment || one.left == 0) continue;
    moment = last = one.when;
  }
  if (!moment) return {Duration(0), std::min(all, interval * kLongest)};
  Window out{std::max(Duration(0), *moment - interval * kBefore), last + interval * kAfter};
  out.begin = std::max(out.begin, out.end - interval * kLongest);
  return out;
}

std::string draw_work_timeline(const SimulationReport& report, Window window) {
  return WorkDrawing(report, window).draw();
}

}  // namespace quorate::testnet
