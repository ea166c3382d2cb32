#include "node/config/log_levels.hpp"

#include <array>

namespace quorate::node {
namespace {

constexpr std::array<std::string_view, 6> kNames = {"trace", "debug", "info",
                                                    "warn",  "error", "off"};

Result<LogThreshold> parse_threshold(std::string_view word) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == word) return static_cast<LogThreshold>(i);
  }
  return fail(Errc::invalid_argument, "'" + std::string(word) +
                                          "' is not a log level; there are trace, debug, info, "
                                          "warn, error and off");
}

}  // namespace

LogThreshold LogLevels::of(std::string_view component) const {
  const auto found = parts.find(component);
  return found == parts.end() ? general : found->second;
}

Result<LogLevels> parse_log_levels(std::string_view text) {
  LogLevels out;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      QUORATE_TRY(out.general, parse_threshold(word));
    } else {
      QUORATE_TRY(const LogThreshold threshold, parse_threshold(word.substr(equals + 1)));
      out.parts[std::string(word.substr(0, equals))] = threshold;
    }
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace quorate::node
