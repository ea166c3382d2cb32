// Log lines about connections from nobody known: at most so many a minute, or anybody who can reach
// the port could fill the disk. Not thread-safe.
#pragma once

#include <chrono>
#include <string>

#include "node/runtime/log.hpp"

namespace quorate::node {

class StrangerLog {
 public:
  static constexpr unsigned kLinesPerMinute = 20;

  explicit StrangerLog(Log& log) : log_(log) {}

  void write(const std::string& remote, const std::string& reason, bool refused) {
    const auto now = std::chrono::steady_clock::now();
    if (now - minute_ > std::chrono::minutes(1)) {
      minute_ = now;
      lines_ = 0;
    }
    const bool quiet = lines_++ >= kLinesPerMinute;
    log_.write(quiet ? LogLevel::debug : LogLevel::warning, "p2p",
               refused ? "connection refused" : "inbound connection ended before the handshake",
               {{"remote", remote}, {"reason", reason}});
  }

 private:
  Log& log_;
  unsigned lines_ = 0;
  std::chrono::steady_clock::time_point minute_;
};

}  // namespace quorate::node
