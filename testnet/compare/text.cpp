#include "testnet/compare/text.hpp"

#include <cmath>
#include <cstdio>
#include <sstream>

namespace quorate::testnet::comparison {

namespace {

std::string printed(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), format, value);
  return buffer;
}

std::string grouped(double value) {
  std::string out = printed("%.0f", value);
  const std::size_t sign = value < 0 ? 1 : 0;
  for (std::size_t at = out.size(); at > sign + 3;) {
    at -= 3;
    out.insert(at, 1, ',');
  }
  return out;
}

constexpr double kMillion = 1e6;
constexpr double kSecondMs = 1e3;
constexpr double kMinuteMs = 60e3;
constexpr double kHourMs = 3600e3;
constexpr double kKib = 1024;

}  // namespace

std::string short_number(double value) {
  const double size = std::abs(value);
  if (size < 1000 * kMillion && std::floor(value) == value) return grouped(value);
  if (size >= 1000 * kMillion) return printed("%.3g", value);
  if (size >= 100) return grouped(value);
  if (size >= 10) return printed("%.0f", value);
  if (size >= 1) return printed("%.1f", value);
  return printed("%.2g", value);
}

std::string duration_text(double ms) {
  if (ms < 0.0095) return printed("%.2g µs", 1e3 * ms);
  if (ms < 0.0995) return printed("%.0f µs", 1e3 * ms);
  if (ms < 1) return printed("%.2g ms", ms);
  if (ms < 9.95) return printed("%.1f ms", ms);
  if (ms < kSecondMs) return printed("%.0f ms", ms);
  if (ms < 2 * kMinuteMs) return printed("%.1f s", ms / kSecondMs);
  if (ms < 2 * kHourMs) return printed("%.1f min", ms / kMinuteMs);
  return printed("%.1f h", ms / kHourMs);
}

std::string gap_range(const LongestGap& gap) {
  const auto brief = [](double s) { return s < 1 ? printed("%.1f", s) : printed("%.0f", s); };
  return brief(gap.low_s) + " to " + brief(gap.high_s) + " s";
}

std::string gap_text(const LongestGap& gap) {
  return duration_text(kSecondMs * gap.mean_s) + ", " + duration_text(kSecondMs * gap.low_s) +
         " to " + duration_text(kSecondMs * gap.high_s);
}

std::string brief_time(double ms) {
  if (ms < 1) return printed("%.3g µs", 1e3 * ms);
  if (ms < kSecondMs) return printed("%.3g ms", ms);
  return ms < kHourMs ? printed("%.3g s", ms / kSecondMs) : duration_text(ms);
}

std::string bytes_text(double bytes) {
  if (bytes < kKib) return printed("%.0f B", bytes);
  if (bytes < kKib * kKib) return printed("%.1f KiB", bytes / kKib);
  return printed("%.1f MiB", bytes / kKib / kKib);
}

std::string energy_text(double joules) {
  if (joules < 0.1) return printed("%.2g mJ", 1e3 * joules);
  if (joules < 1e4) return short_number(joules) + " J";
  return short_number(joules / kJoulesPerKwh) + " kWh";
}

std::string power_text(double watts) {
  if (watts < 1e3) return printed("%.0f W", watts);
  if (watts < 1e6) return short_number(watts / 1e3) + " kW";
  return short_number(watts / 1e6) + " MW";
}

// "100 %" only of all.
std::string percent_text(double share) {
  const double percent = 100 * share;
  if (percent >= 100) return printed("%.0f %%", percent);
  if (percent >= 99.5) return printed("%.4g %%", std::floor(100 * percent) / 100);
  return printed(percent >= 9.95 ? "%.0f %%" : "%.2g %%", percent);
}

std::string rate_text(double rate) {
  return rate > 0 ? short_number(rate) + " tx/s" : "one at a time";
}

std::string figure_text(const Figure& figure, std::string (*write)(double)) {
  if (figure.runs == 0) return "-";
  const std::string median = write(figure.median);
  if (figure.runs == 1) return median;
  return median + " [" + write(figure.low) + " to " + write(figure.high) + "]";
}

std::string setting_text(const Setting& setting) {
  std::string out = std::to_string(setting.nodes) + " nodes";
  if (setting.origin == Origin::measured) return out + ", real";
  return out + printed(", %g ms, ", setting.delay_ms) + to_string(setting.origin);
}

std::string machine_text(const Model& model) {
  const Machine& machine = model.machine;
  char buffer[256];
  std::snprintf(buffer, sizeof(buffer),
                "This machine: %u cores, verify %.0f us, SHA-256 %.2f us, hop %.0f us, fdatasync "
                "%.0f us, %s hashes/s, steal %.1f %%.",
                machine.probes.cores, machine.probes.verify_us, machine.probes.sha256_us,
                machine.probes.hop_us, machine.probes.fdatasync_us,
                short_number(machine.hash_rate).c_str(), 100 * machine.steal);
  return buffer;
}

std::string wrapped(const std::string& text, std::size_t width, std::size_t indent) {
  std::istringstream in(text);
  std::string out;
  std::string line;
  for (std::string word; in >> word;) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > width) {
      out += std::string(indent, ' ') + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  if (!line.empty()) out += std::string(indent, ' ') + line + "\n";
  return out;
}

}  // namespace quorate::testnet::comparison
