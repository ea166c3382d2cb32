#include "testnet/load/report.hpp"

#include <cstdio>

namespace quorate::testnet {

namespace {

using Json = nlohmann::json;

// Formatting of numbers only; the format is always a literal at the call.
template <class... Arguments>
std::string text(const char* format, Arguments... arguments) {
  char buffer[512];
  const int size = std::snprintf(buffer, sizeof(buffer), format, arguments...);
  return std::string(
      buffer, static_cast<std::size_t>(std::clamp(size, 0, static_cast<int>(sizeof(buffer)) - 1)));
}

Json to_json(const Percentiles& values) {
  return {{"count", values.count}, {"min", values.min},    {"p50", values.p50}, {"p95", values.p95},
          {"p99", values.p99},     {"p99_9", values.p999}, {"max", values.max}};
}

Json to_json(const PointResult& point) {
  Json cpu = Json::object();
  for (const auto& use : point.cpu) cpu[use.process] = use.cores;
  return {{"offered_tps", point.offered},
          {"seconds", point.seconds},
          {"committed_tps", point.committed},
          {"whole", point.whole},
          {"sent", point.totals.sent},
          {"admitted", point.totals.admitted},
          {"refusals", point.totals.refusals},
          {"refusals_by_reason", point.refusals},
          {"connection_errors", point.totals.connection_errors},
          {"final", point.finals},
          {"failed", point.failed},
          {"unfinished", point.unfinished},
          {"reversed", point.reversed},
          {"latency_ms", to_json(point.latency_ms)},
          {"proof_latency_ms", to_json(point.proof_ms)},
          {"cpu_cores", std::move(cpu)},
          {"steal_share", point.steal}};
}

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

double node_cores(const PointResult& point) {
  double cores = 0;
  for (const auto& use : point.cpu) cores += use.process == "generator" ? 0 : use.cores;
  return cores;
}

double generator_cores(const PointResult& point) {
  for (const auto& use : point.cpu) {
    if (use.process == "generator") return use.cores;
  }
  return 0;
}

}  // namespace

std::optional<double> LoadReport::saturation() const {
  std::optional<double> best;
  for (const auto& point : points) {
    if (point.whole) best = std::max(best.value_or(0), point.committed);
  }
  return best;
}

bool LoadReport::saturated() const {
  return std::any_of(points.begin(), points.end(), [](const PointResult& point) {
    return point.whole && !point.kept_up();
  });
}

std::optional<double> LoadReport::ceil_ratio() const {
  const auto best = saturation();
  return best && ceiling > 0 ? std::optional(*best / ceiling) : std::nullopt;
}

bool LoadReport::sound() const {
  const bool none_failed = std::all_of(points.begin(), points.end(),
                                       [](const PointResult& point) { return point.failed == 0; });
  return check.roots_equal && check.supply_unchanged && check.acknowledged <= check.committed &&
         none_failed;
}

Json to_json(const LoadReport& report) {
  Json points = Json::array();
  for (const auto& point : report.points) points.push_back(to_json(point));
  Json idle = nullptr;
  if (report.idle) {
    idle = {{"latency_ms", to_json(report.idle->latency_ms)},
            {"ratio_to_5_hops_and_2_syncs", report.idle->ratio}};
  }
  return {{"nodes", report.nodes},
          {"probes",
           {{"cores", report.probes.cores},
            {"verify_us", report.probes.verify_us},
            {"sha256_256_bytes_us", report.probes.sha256_us},
            {"loopback_hop_us", report.probes.hop_us},
            {"fdatasync_us", report.probes.fdatasync_us}}},
          {"ceil_tps", report.ceiling},
          {"idle", std::move(idle)},
          {"points", std::move(points)},
          {"saturation_tps", or_null(report.saturation())},
          {"saturated", report.saturated()},
          {"ceil_ratio", or_null(report.ceil_ratio())},
          {"check",
           {{"height", report.check.height},
            {"state_roots_equal", report.check.roots_equal},
            {"acknowledged", report.check.acknowledged},
            {"committed", report.check.committed},
            {"supply_unchanged", report.check.supply_unchanged},
            {"sound", report.sound()}}}};
}

std::string heading(const LoadReport& report) {
  const auto& probes = report.probes;
  return text(
             "  probes: verify %.1f us, SHA-256 of 256 B %.2f us, loopback hop %.0f us, "
             "fdatasync %.0f us; %u cores\n",
             probes.verify_us, probes.sha256_us, probes.hop_us, probes.fdatasync_us, probes.cores) +
         text("  CEIL = cores / (n * verify) = %.0f tx/s for n = %zu\n", report.ceiling,
              report.nodes);
}

std::string curve_heading() {
  return "   offered  committed      p50      p95      p99    p99.9  (ms)  refused  CPU nodes  "
         "generator  steal\n";
}

std::string curve_line(const PointResult& point) {
  const auto& latency = point.latency_ms;
  std::string line = text("  %8.0f %10.0f %8.1f %8.1f %8.1f %8.1f %14llu %10.2f %10.2f %5.1f%%",
                          point.offered, point.committed, latency.p50, latency.p95, latency.p99,
                          latency.p999, static_cast<unsigned long long>(point.totals.refusals),
                          node_cores(point), generator_cores(point), 100 * point.steal);
  if (point.unfinished > 0) {
    line += text("  %llu not final", static_cast<unsigned long long>(point.unfinished));
  }
  if (point.reversed > 0) {
    line += text("  %llu reversed", static_cast<unsigned long long>(point.reversed));
  }
  if (!point.whole) line += "  interrupted";
  for (const auto& refusal : point.refusals) {
    line += " " + refusal.first + "=" + std::to_string(refusal.second);
  }
  return line + "\n";
}

std::string summary(const LoadReport& report) {
  std::string out;
  if (report.idle) {
    out += report.seals
               ? text(
                     "  idle: p50 %.2f ms from submit to proved receipt = %.1f x (5 hops + 2 "
                     "fdatasync)\n",
                     report.idle->latency_ms.p50, report.idle->ratio)
               : text("  idle: p50 %.2f ms from submit to final\n", report.idle->latency_ms.p50);
  }
  if (const auto ratio = report.ceil_ratio()) {
    out += text("  saturation: %s%.0f tx/s = %.2f of CEIL\n", report.saturated() ? "" : "above ",
                *report.saturation(), *ratio);
  }
  const auto& check = report.check;
  out += text("  check: state roots %s at height %llu; acknowledged %llu, committed %llu; %s\n",
              check.roots_equal ? "equal" : "DIFFER", static_cast<unsigned long long>(check.height),
              static_cast<unsigned long long>(check.acknowledged),
              static_cast<unsigned long long>(check.committed),
              check.supply_unchanged ? "balances add up as before" : "BALANCES DO NOT ADD UP");
  if (!check.roots_equal) {
    out +=
        "  the nodes do not stand on one branch: in a partition that is so until it is healed "
        "(quorate-testnet status, heal); otherwise one of them is wrong (why-stalled)\n";
  }
  return out;
}

}  // namespace quorate::testnet
