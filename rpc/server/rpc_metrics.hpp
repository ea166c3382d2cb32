// The server's own part of /metrics: calls by method and code, their duration, WebSocket
// connections, slow consumers. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string>

#include "rpc/methods/dispatcher.hpp"

namespace quorate::rpc {

class RpcMetrics final : public CallObserver {
 public:
  void called(std::string_view method, int code, std::chrono::nanoseconds took) override;
  // Prometheus text exposition.
  std::string text() const;

  std::atomic<std::uint64_t> ws_connections{0};
  std::atomic<std::uint64_t> slow_consumers{0};

 private:
  static constexpr std::array<double, 8> kBounds = {0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5, 30};
  struct Duration {
    std::array<std::uint64_t, kBounds.size()> buckets{};  // not cumulative
    std::uint64_t count = 0;
    double sum = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::uint64_t> calls_;  // code 0 = a result
  std::map<std::string, Duration> durations_;
};

}  // namespace quorate::rpc
