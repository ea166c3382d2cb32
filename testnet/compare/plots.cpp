#include "testnet/compare/plots.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "testnet/compare/axis.hpp"
#include "testnet/compare/text.hpp"
#include "testnet/simulate/svg_shapes.hpp"

namespace quorate::testnet::comparison {

namespace {

using svg::element;
using svg::escaped;
using svg::number;

constexpr double kWidth = 760;
constexpr double kHeight = 400;
constexpr double kLeft = 78;
constexpr double kRight = kWidth - 24;
constexpr double kBottom = kHeight - 56;
constexpr double kLegendRow = 20;
constexpr double kLegendColumn = 330;
constexpr double kRadius = 4;

std::string quoted(const std::string& name, const std::string& value) {
  return " " + name + "=\"" + value + "\"";
}

// What a screen reader says of the picture.
std::string opening(const std::string& id, const std::string& title, const std::string& description,
                    double height) {
  return "<div class=\"wide\" tabindex=\"0\" role=\"group\"" + quoted("aria-label", title) +
         "><svg" + quoted("viewBox", "0 0 " + number(kWidth) + " " + number(height)) +
         quoted("role", "img") + quoted("aria-labelledby", id + "-title " + id + "-desc") + ">\n" +
         element("title", quoted("id", id + "-title"), escaped(title)) +
         element("desc", quoted("id", id + "-desc"), escaped(description));
}

// Each series has a shape besides its colour.
std::string marker(const std::string& css, const std::string& shape, double x, double y,
                   const std::string& told) {
  const std::string look = quoted("class", css);
  const std::string title = told.empty() ? "" : "<title>" + escaped(told) + "</title>";
  if (shape == "pbft") {
    return element(
        "circle",
        quoted("cx", number(x)) + quoted("cy", number(y)) + quoted("r", number(kRadius)) + look,
        title);
  }
  if (shape == "pow") {
    return element("rect",
                   quoted("x", number(x - kRadius)) + quoted("y", number(y - kRadius)) +
                       quoted("width", number(2 * kRadius)) +
                       quoted("height", number(2 * kRadius)) + look,
                   title);
  }
  return element("path", quoted("d", svg::diamond(x, y, kRadius + 1)) + look, title);
}

class Drawing {
 public:
  explicit Drawing(const Plot& plot)
      : plot_(plot),
        top_(28 + kLegendRow * static_cast<double>((plot.series.size() + 1) / 2)),
        x_(values(true), plot.log_x, kLeft, kRight, !plot.x_ticks.empty()),
        y_(values(false), plot.log_y, kBottom, top_) {}

  std::string draw() const {
    std::string out = opening(plot_.id, plot_.title, plot_.description, kHeight);
    out += grid() + legend();
    for (const Series& series : plot_.series) out += draw(series);
    return out + "</svg></div>\n";
  }

 private:
  std::vector<double> values(bool of_x) const {
    std::vector<double> out;
    if (of_x) out = plot_.x_ticks;
    for (const Series& series : plot_.series) {
      for (const Point& point : series.points) {
        out.push_back(of_x ? point.x : point.y);
        if (!of_x && point.interval) out.push_back(point.interval->high);
      }
    }
    return out;
  }

  std::string grid() const {
    std::string out;
    for (const double tick : y_.ticks()) {
      out += svg::line(kLeft, y_.at(tick), kRight, y_.at(tick), "rule");
      out += svg::text_at(kLeft - 8, y_.at(tick) + 4, "soft", y_text(tick), "end");
    }
    const std::vector<double> ticks = plot_.x_ticks.empty() ? x_.ticks() : plot_.x_ticks;
    for (const double tick : ticks) {
      out += svg::line(x_.at(tick), kBottom, x_.at(tick), kBottom + 5, "axis");
      out += svg::text_at(x_.at(tick), kBottom + 20, "soft", short_number(tick), "middle");
    }
    out += svg::line(kLeft, kBottom, kRight, kBottom, "axis");
    out += svg::text_at((kLeft + kRight) / 2, kBottom + 44, "ink", plot_.x_label, "middle");
    return out + svg::text_at(4, 16, "ink", plot_.y_label);
  }

  std::string y_text(double y) const { return plot_.y_is_time ? brief_time(y) : short_number(y); }

  std::string legend() const {
    std::string out;
    for (std::size_t i = 0; i < plot_.series.size(); ++i) {
      const Series& series = plot_.series[i];
      const double x = kLeft + kLegendColumn * static_cast<double>(i % 2);
      const double y = 34 + kLegendRow * static_cast<double>(i / 2);
      if (series.joined) {
        out += element("path", quoted("class", line_class(series)) +
                                   quoted("d", "M" + number(x) + " " + number(y - 4) + "h30"));
      }
      if (series.marked) out += marker("key " + series.css, series.css, x + 15, y - 4, "");
      out += svg::text_at(x + 38, y, "ink", series.name);
    }
    return out;
  }

  static std::string line_class(const Series& series) {
    constexpr std::array<const char*, 3> kDashes = {"", " dashed", " dotted"};
    return "line " + series.css + kDashes.at(std::min<std::size_t>(series.dash, 2));
  }

  std::string draw(const Series& series) const {
    std::string out;
    std::string path;
    std::string markers;
    for (const Point& point : series.points) {
      const double x = x_.at(point.x);
      const double y = y_.at(point.y);
      path += (path.empty() ? "M" : "L") + number(x) + " " + number(y);
      std::string told = series.name + ": " + short_number(point.x) + " " + plot_.x_label + ", " +
                         y_text(point.y) + (plot_.y_is_time ? "" : " " + plot_.y_label);
      if (point.interval) {
        told += " (" + y_text(point.interval->low) + " to " + y_text(point.interval->high) + ")";
        out += svg::line(x, y_.at(point.interval->low), x, y_.at(point.interval->high),
                         "whisker " + series.css);
      }
      const std::string seen = series.marked ? "" : "unseen ";
      markers += marker("point " + seen + series.css, series.css, x, y, told);
    }
    if (series.joined && series.points.size() > 1) {
      out += element("path", quoted("class", line_class(series)) + quoted("d", path));
    }
    return out + markers;
  }

  const Plot& plot_;
  const double top_;
  const Axis x_;
  const Axis y_;
};

// Bars that lie, one above the other, of parts side by side.
class BarDrawing {
 public:
  explicit BarDrawing(const Bars& bars)
      : bars_(bars),
        top_(20 + kLegendRow * static_cast<double>((bars.parts.size() + 1) / 2)),
        bottom_(top_ + kBar * static_cast<double>(bars.bars.size())),
        x_(sums(bars), false, kNames, kRight) {}

  std::string draw() const {
    std::string out = opening(bars_.id, bars_.title, bars_.description, bottom_ + 56);
    out += legend();
    for (std::size_t i = 0; i < bars_.bars.size(); ++i) {
      out += draw(bars_.bars[i], top_ + kBar * static_cast<double>(i));
    }
    for (const double tick : x_.ticks()) {
      out += svg::line(x_.at(tick), bottom_, x_.at(tick), bottom_ + 5, "axis");
      out += svg::text_at(x_.at(tick), bottom_ + 20, "soft", short_number(tick), "middle");
    }
    out += svg::line(kNames, bottom_, kRight, bottom_, "axis");
    out += svg::text_at((kNames + kRight) / 2, bottom_ + 44, "ink", bars_.x_label, "middle");
    return out + "</svg></div>\n";
  }

 private:
  static constexpr double kBar = 46;
  static constexpr double kNames = 190;

  static std::vector<double> sums(const Bars& bars) {
    std::vector<double> out;
    for (const Bar& bar : bars.bars) {
      out.push_back(std::accumulate(bar.parts.begin(), bar.parts.end(), 0.0));
    }
    return out;
  }

  std::string legend() const {
    std::string out;
    for (std::size_t i = 0; i < bars_.parts.size(); ++i) {
      const double left = kLeft + kLegendColumn * static_cast<double>(i % 2);
      const double y = 6 + kLegendRow * static_cast<double>(i / 2);
      out += svg::rect(left, y, 14, 12, "part" + std::to_string(i));
      out += svg::text_at(left + 20, y + 11, "ink", bars_.parts[i]);
    }
    return out;
  }

  std::string draw(const Bar& bar, double y) const {
    std::string out = svg::text_at(kNames - 8, y + kBar / 2 + 4, "ink", bar.name, "end");
    double sum = 0;
    for (std::size_t k = 0; k < bar.parts.size(); ++k) {
      const double left = x_.at(sum);
      sum += bar.parts[k];
      const std::string told = bar.name + ", " + bars_.parts[k] + ": " +
                               short_number(bar.parts[k]) + " " + bars_.x_label;
      out += element("rect",
                     quoted("x", number(left)) + quoted("y", number(y + 6)) +
                         quoted("width", number(x_.at(sum) - left)) +
                         quoted("height", number(kBar - 12)) +
                         quoted("class", "point part" + std::to_string(k)),
                     "<title>" + escaped(told) + "</title>");
    }
    return out;
  }

  const Bars& bars_;
  const double top_;
  const double bottom_;
  const Axis x_;
};

}  // namespace

std::string draw(const Plot& plot) { return Drawing(plot).draw(); }

PlotTable table_of(const Plot& plot) {
  const auto y_text = plot.y_is_time ? duration_text : short_number;
  PlotTable out{{"series", plot.x_label, plot.y_label, "interval"}, {}};
  for (const Series& series : plot.series) {
    for (const Point& point : series.points) {
      const std::string interval =
          point.interval ? y_text(point.interval->low) + " to " + y_text(point.interval->high)
                         : "-";
      out.rows.push_back({series.name, short_number(point.x), y_text(point.y), interval});
    }
  }
  return out;
}

std::string draw(const Bars& bars) { return BarDrawing(bars).draw(); }

PlotTable table_of(const Bars& bars) {
  PlotTable out{{"bar", "part", bars.x_label}, {}};
  for (const Bar& bar : bars.bars) {
    for (std::size_t k = 0; k < bar.parts.size(); ++k) {
      out.rows.push_back({bar.name, bars.parts[k], short_number(bar.parts[k])});
    }
  }
  return out;
}

}  // namespace quorate::testnet::comparison
