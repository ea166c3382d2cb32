// Pieces of SVG text, and the words that a reader sees when pointing at a message. Pure.
#pragma once

#include <string>

#include "testnet/simulate/recorder.hpp"

namespace quorate::testnet::svg {

// With at most one digit after the point.
std::string number(double value);
std::string milliseconds(Duration duration);
std::string seconds(Duration duration);
// "490 ms", "1.20 s"
std::string short_duration(Duration duration);
// For text and attributes.
std::string escaped(const std::string& text);

std::string element(const std::string& name, const std::string& attributes,
                    const std::string& content = {});
std::string text_at(double x, double y, const std::string& css, const std::string& content,
                    const char* anchor = "start");
std::string rect(double left, double top, double width, double height, const std::string& css,
                 double radius = 0);
std::string line(double x1, double y1, double x2, double y2, const std::string& css);
// The path data of a diamond.
std::string diamond(double x, double y, double size);
std::string cross(double x, double y, double size, const std::string& css);

std::string describe(const RecordedMessage& message);
std::string describe_broadcast(const RecordedMessage& message, std::size_t receivers);

}  // namespace quorate::testnet::svg
