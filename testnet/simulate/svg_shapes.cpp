#include "testnet/simulate/svg_shapes.hpp"

#include <algorithm>
#include <cstdio>

namespace quorate::testnet::svg {

std::string number(double value) {
  char buffer[48];
  std::snprintf(buffer, sizeof(buffer), "%.1f", value);
  std::string out = buffer;
  if (out.size() > 2 && out.compare(out.size() - 2, 2, ".0") == 0) out.resize(out.size() - 2);
  return out;
}

std::string milliseconds(Duration duration) {
  char buffer[48];
  std::snprintf(buffer, sizeof(buffer), "%.2f ms", static_cast<double>(duration.count()) / 1e6);
  return buffer;
}

std::string seconds(Duration duration) {
  char buffer[48];
  std::snprintf(buffer, sizeof(buffer), "%.3f s", static_cast<double>(duration.count()) / 1e9);
  return buffer;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string element(const std::string& name, const std::string& attributes,
                    const std::string& content) {
  return "<" + name + " " + attributes +
         (content.empty() ? "/>" : ">" + content + "</" + name + ">") + "\n";
}

std::string text_at(double x, double y, const std::string& css, const std::string& content,
                    const char* anchor) {
  return element("text",
                 "x=\"" + number(x) + "\" y=\"" + number(y) + "\" class=\"" + css +
                     "\" text-anchor=\"" + anchor + "\"",
                 escaped(content));
}

std::string rect(double left, double top, double width, double height, const std::string& css,
                 double radius) {
  return element("rect", "x=\"" + number(left) + "\" y=\"" + number(top) + "\" width=\"" +
                             number(std::max(0.0, width)) + "\" height=\"" + number(height) +
                             "\" rx=\"" + number(radius) + "\" class=\"" + css + "\"");
}

std::string line(double x1, double y1, double x2, double y2, const std::string& css) {
  return element("line", "x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
                             "\" y2=\"" + number(y2) + "\" class=\"" + css + "\"");
}

std::string diamond(double x, double y, double size) {
  return "M" + number(x - size) + " " + number(y) + "L" + number(x) + " " + number(y - size) + "L" +
         number(x + size) + " " + number(y) + "L" + number(x) + " " + number(y + size) + "Z";
}
std::string cross(double x, double y, double size, const std::string& css) {
  return element("path", "class=\"" + css + "\" d=\"M" + number(x - size) + " " + number(y - size) +
                             "L" + number(x + size) + " " + number(y + size) + "M" +
                             number(x - size) + " " + number(y + size) + "L" + number(x + size) +
                             " " + number(y - size) + "\"");
}

std::string short_duration(Duration duration) {
  char buffer[48];
  const double ms = static_cast<double>(duration.count()) / 1e6;
  std::snprintf(buffer, sizeof(buffer), ms < 1000 ? "%.0f ms" : "%.2f s",
                ms < 1000 ? ms : ms / 1000);
  return buffer;
}

namespace {

std::string about(const RecordedMessage& message) {
  std::string out =
      std::string(to_string(message.type)) + " of node" + std::to_string(message.from);
  if (message.type != sim::timed::MessageType::checkpoint)
    out += ", view " + std::to_string(message.view);
  if (message.height > 0) out += ", height " + std::to_string(message.height);
  return out;
}

}  // namespace

std::string describe(const RecordedMessage& message) {
  std::string out =
      about(message) + ", to node" + std::to_string(message.to) + " at " + seconds(message.sent);
  if (message.lost) return out + ", lost";
  if (message.ended == Duration(0)) return out + ", still on its way at the end";
  return out + ", taken in after " + milliseconds(message.ended - message.sent);
}
std::string describe_broadcast(const RecordedMessage& message, std::size_t receivers) {
  return about(message) + ", to " + std::to_string(receivers) + " at " + seconds(message.sent);
}

}  // namespace quorate::testnet::svg
