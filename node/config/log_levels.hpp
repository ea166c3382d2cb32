// Log levels as users write them: "info,consensus=debug". Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "crypto/base/result.hpp"

namespace quorate::node {

enum class LogThreshold : std::uint8_t { trace, debug, info, warn, error, off };

struct LogLevels {
  LogThreshold general = LogThreshold::info;
  std::map<std::string, LogThreshold, std::less<>> parts;  // by component: "consensus", "net", ...

  LogThreshold of(std::string_view component) const;
};

// Error invalid_argument naming the word and the levels there are.
Result<LogLevels> parse_log_levels(std::string_view text);

}  // namespace quorate::node
