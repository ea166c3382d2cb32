// Percentiles of what was measured. Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace quorate::testnet {

struct Percentiles {
  std::size_t count = 0;
  double min = 0, p50 = 0, p95 = 0, p99 = 0, p999 = 0, max = 0;
};

// Nearest rank: the smallest value that at least the given share of the values do not exceed.
Percentiles percentiles(std::vector<double> values);
double median(std::vector<double> values);

}  // namespace quorate::testnet
