#include "testnet/load/statistics.hpp"

#include <cmath>

namespace quorate::testnet {

namespace {

double at_rank(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[rank == 0 ? 0 : rank - 1];
}

}  // namespace

Percentiles percentiles(std::vector<double> values) {
  Percentiles out;
  out.count = values.size();
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());
  out.min = values.front();
  out.p50 = at_rank(values, 0.5);
  out.p95 = at_rank(values, 0.95);
  out.p99 = at_rank(values, 0.99);
  out.p999 = at_rank(values, 0.999);
  out.max = values.back();
  return out;
}

double median(std::vector<double> values) { return percentiles(std::move(values)).p50; }

}  // namespace quorate::testnet
