// The plots of the page, as SVG text drawn here: lines and points over two axes, and stacked bars.
// Each has a title and a description for those who cannot see it, and a table of everything in it.
// The colours are the page's (report_html.cpp). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "testnet/compare/model.hpp"

namespace quorate::testnet::comparison {

struct Point {
  double x = 0;
  double y = 0;
  std::optional<Interval> interval = {};  // of y
};
struct Series {
  std::string name;
  std::string css;     // "pbft", "pow", "third", "fourth"
  bool joined = true;  // by a line
  unsigned dash = 0;   // how the line is broken: not, long, short
  std::vector<Point> points;
  bool marked = true;  // the points are seen
};
struct Plot {
  std::string section;  // Section::id that it belongs to
  std::string id;       // unique on the page
  std::string title;
  std::string description;
  std::string x_label;
  std::string y_label;
  bool log_x = false;
  bool log_y = false;
  bool y_is_time = false;            // in milliseconds, and written as people write times
  std::vector<double> x_ticks = {};  // all that there are; empty: chosen
  std::vector<Series> series;
};
// Those that have a point.
std::vector<Plot> plots_of(const Model& model);
std::string draw(const Plot& plot);

struct Bar {
  std::string name;
  std::vector<double> parts;  // by Bars::parts
};
struct Bars {
  std::string section;
  std::string id;
  std::string title;
  std::string description;
  std::string x_label;
  std::vector<std::string> parts;
  std::vector<Bar> bars;
};
std::optional<Bars> cost_bars(const Model& model);
std::string draw(const Bars& bars);

struct PlotTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};
// One row for every point, or for every part of every bar.
PlotTable table_of(const Plot& plot);
PlotTable table_of(const Bars& bars);

}  // namespace quorate::testnet::comparison
