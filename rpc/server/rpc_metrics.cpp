#include "rpc/server/rpc_metrics.hpp"

#include <cstdio>

namespace quorate::rpc {

namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.9g", value);
  return text;
}

void family(std::string& out, const std::string& name, const char* type, const char* help) {
  out += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

}  // namespace

void RpcMetrics::called(std::string_view method, int code, std::chrono::nanoseconds took) {
  const double seconds = std::chrono::duration<double>(took).count();
  const std::lock_guard lock(mutex_);
  ++calls_[{std::string(method), code}];
  Duration& duration = durations_[std::string(method)];
  ++duration.count;
  duration.sum += seconds;
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  if (bound != kBounds.end()) ++duration.buckets[static_cast<std::size_t>(bound - kBounds.begin())];
}

std::string RpcMetrics::text() const {
  std::string out;
  const std::lock_guard lock(mutex_);
  const std::string requests = "quorate_rpc_requests_total";
  family(out, requests, "counter",
         "JSON-RPC calls answered, by method and error code (0: a result).");
  for (const auto& [key, count] : calls_) {
    out += requests + "{method=\"" + key.first + "\",code=\"" + std::to_string(key.second) +
           "\"} " + std::to_string(count) + "\n";
  }
  const std::string seconds = "quorate_rpc_request_duration_seconds";
  family(out, seconds, "histogram", "From the request's arrival to its answer, by method.");
  for (const auto& [method, duration] : durations_) {
    const std::string label = "{method=\"" + method + "\"";
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < kBounds.size(); ++i) {
      below += duration.buckets[i];
      out += seconds + "_bucket" + label + ",le=\"" + number(kBounds[i]) + "\"} " +
             std::to_string(below) + "\n";
    }
    out += seconds + "_bucket" + label + ",le=\"+Inf\"} " + std::to_string(duration.count) + "\n";
    out += seconds + "_sum" + label + "} " + number(duration.sum) + "\n";
    out += seconds + "_count" + label + "} " + std::to_string(duration.count) + "\n";
  }
  family(out, "quorate_rpc_ws_connections", "gauge", "Open WebSocket connections.");
  out += "quorate_rpc_ws_connections " + std::to_string(ws_connections.load()) + "\n";
  family(out, "quorate_rpc_slow_consumers_total", "counter",
         "WebSocket connections closed because they did not read their notifications in time.");
  out += "quorate_rpc_slow_consumers_total " + std::to_string(slow_consumers.load()) + "\n";
  return out;
}

}  // namespace quorate::rpc
