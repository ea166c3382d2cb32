// Where the node's threads report what happened, as an interface: the program implements it, tests
// collect the lines. Implementations are thread-safe and return at once (a slow disk must not hold
// up the consensus thread). Nothing here is needed for correctness.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace quorate::node {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// `key=value` behind the message. Values may come from a peer: the implementation escapes them.
struct LogField {
  std::string_view key;
  std::string value;
};

class Log {
 public:
  virtual ~Log() = default;
  // `component` is a word with static lifetime: "p2p", "votes", "consensus", "ledger", "node".
  virtual void write(LogLevel level, std::string_view component, std::string_view message,
                     std::initializer_list<LogField> fields) = 0;
  // Called before the process ends itself: what was written must be out when this returns.
  virtual void flush() {}

  void debug(std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields = {}) {
    write(LogLevel::debug, component, message, fields);
  }
  void info(std::string_view component, std::string_view message,
            std::initializer_list<LogField> fields = {}) {
    write(LogLevel::info, component, message, fields);
  }
  void warning(std::string_view component, std::string_view message,
               std::initializer_list<LogField> fields = {}) {
    write(LogLevel::warning, component, message, fields);
  }
  void error(std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields = {}) {
    write(LogLevel::error, component, message, fields);
  }
};

}  // namespace quorate::node
