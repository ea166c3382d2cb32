// The result of a load run, as text for people and as JSON with stable keys for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "testnet/load/generator.hpp"

namespace quorate::testnet {

struct LoadReport {
  std::size_t nodes = 0;
  bool seals = true;  // of the chain's engine
  Probes probes;
  double ceiling = 0;
  std::optional<IdleResult> idle;
  std::vector<PointResult> points;
  CheckResult check;

  // The best committed rate of all points that were measured to their end; what the ratio to the
  // ceiling is made of. None: there is no such point.
  std::optional<double> saturation() const;
  // The nodes did not keep up with some point. Otherwise saturation lies above the best rate.
  bool saturated() const;
  std::optional<double> ceil_ratio() const;
  // Every root equal, nothing acknowledged missing, no transfer failed, supply unchanged.
  bool sound() const;
};

nlohmann::json to_json(const LoadReport& report);
std::string heading(const LoadReport& report);
// One line of the curve; the first call's line stands under curve_heading().
std::string curve_heading();
std::string curve_line(const PointResult& point);
std::string summary(const LoadReport& report);

}  // namespace quorate::testnet
