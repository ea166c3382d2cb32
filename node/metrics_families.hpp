// The metrics that are read off a sample when somebody asks, in prometheus-cpp's own form. Internal
// to metrics.cpp.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "node/metrics.hpp"

namespace quorate::node {

std::vector<prometheus::MetricFamily> families_of(const MetricsSample& sample);

}  // namespace quorate::node
