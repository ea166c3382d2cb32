// The node's log: one line per event on stderr, plain or JSON, written by a thread of its own.
//
//   2031-02-03T04:05:06.789Z INFO consensus committed block height=12 view=0
//   {"time":"2031-02-03T04:05:06.789Z","level":"info","component":"consensus",
//    "message":"committed block","height":"12","view":"0"}                       (on one line)
//
// Any thread. A writer never waits for the disk: when 8192 lines are waiting, the oldest are lost
// and the log says how many.
#pragma once

#include <memory>
#include <string>

#include "node/config/log_levels.hpp"
#include "node/runtime/log.hpp"

namespace quorate::node {

enum class LogFormat : std::uint8_t { plain, json };

// "plain", "json" or "auto": JSON when stderr is a pipe (a log collector), else plain.
LogFormat log_format(std::string_view setting);

// One line without its end. `time_ms` is Unix time. Control characters, quotes and bytes that are
// not UTF-8 cannot forge a line or a field.
std::string format_log_line(LogFormat format, std::uint64_t time_ms, LogLevel level,
                            std::string_view component, std::string_view message,
                            std::initializer_list<LogField> fields);

class NodeLog final : public Log {
 public:
  NodeLog(LogLevels levels, LogFormat format);
  // Writes out what is waiting.
  ~NodeLog() override;
  void write(LogLevel level, std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields) override;
  // Waits until what was written before is out, at most two seconds.
  void flush() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::node
