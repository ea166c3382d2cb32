#include "testnet/compare/model.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace quorate::testnet::comparison {

namespace {

// The one that a reader wants first: the most real, of the smallest network.
template <class Entry, class Wanted>
const Entry* best_of(const std::vector<Entry>& all, Wanted wanted) {
  const Entry* best = nullptr;
  const auto rank = [](const Entry& entry) {
    const Setting& setting = entry.setting;
    double rate = 0;
    if constexpr (requires { entry.rate; }) rate = entry.rate > 0 ? entry.rate : 1e9;
    return std::tuple(setting.origin, setting.nodes, setting.delay_ms, rate);
  };
  for (const Entry& entry : all) {
    if (wanted(entry) && (best == nullptr || rank(entry) < rank(*best))) best = &entry;
  }
  return best;
}

template <class Entry>
const Entry* first_of(const std::vector<Entry>& all, Engine engine) {
  return best_of(all, [engine](const Entry& entry) { return entry.setting.engine == engine; });
}

}  // namespace

const char* to_string(Engine engine) { return engine == Engine::pbft ? "pbft" : "pow"; }
const char* title(Engine engine) { return engine == Engine::pbft ? "PBFT" : "proof of work"; }

const char* to_string(Origin origin) {
  switch (origin) {
    case Origin::measured: return "measured";
    case Origin::simulated: return "simulated";
    case Origin::computed: return "computed";
  }
  return "";
}

const char* mark(Origin origin) {
  switch (origin) {
    case Origin::measured: return "meas.";
    case Origin::simulated: return "sim.";
    case Origin::computed: return "calc.";
  }
  return "";
}

const char* committed_counts(const Setting& setting) {
  if (setting.engine == Engine::pow && setting.origin == Origin::measured) {
    return "per second between the blocks by which a tenth and nine tenths of the payments had "
           "become final, whenever they were sent";
  }
  return "per second in the last four fifths of the time in which payments were sent, whenever "
         "those "
         "that became final had been sent";
}

Figure figure_of(std::vector<double> values) {
  Figure out;
  out.runs = values.size();
  out.values = values;
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  out.median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  out.low = values.front();
  out.high = values.back();
  return out;
}

double confidence_percent(std::size_t runs) {
  return runs < 2 ? 0 : 100 * (1 - std::ldexp(2.0, -static_cast<int>(runs)));
}

Interval wilson(std::uint64_t succeeded, std::uint64_t trials) {
  if (trials == 0) return {0, 1};
  constexpr double kZ = 1.959964;  // 95 %
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(succeeded) / n;
  const double middle = (p + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n)) / (1 + kZ * kZ / n);
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

std::uint32_t safe_depth(const Model& model, double attacker_share, double bound) {
  for (const SafeDepth& one : model.safe_depths) {
    if (one.attacker_share == attacker_share && one.bound == bound) return one.depth;
  }
  return 0;
}

const Throughput* throughput_of(const Model& model, Engine engine) {
  return first_of(model.throughput, engine);
}

const Cost* cost_of(const Model& model, Engine engine) { return first_of(model.costs, engine); }

const Latency* latency_of(const Model& model, Engine engine, std::uint32_t depth) {
  return best_of(model.latency, [engine, depth](const Latency& entry) {
    return entry.setting.engine == engine && entry.depth == depth;
  });
}

const Partition* partition_of(const Model& model, Engine engine) {
  return first_of(model.partitions, engine);
}

const Recovery* recovery_of(const Model& model, Engine engine, const std::string& what) {
  return best_of(model.recovery, [engine, &what](const Recovery& entry) {
    return entry.setting.engine == engine && entry.what == what;
  });
}

const ProofSize* proof_of(const Model& model, Engine engine) {
  return first_of(model.proofs, engine);
}

const Traffic* medium_traffic(const Model& model, Engine engine) {
  constexpr std::uint32_t kMedium = 31;
  std::map<std::uint32_t, std::set<Engine>> simulated;
  for (const Traffic& one : model.traffic) {
    if (one.setting.nodes <= kMedium) simulated[one.setting.nodes].insert(one.setting.engine);
  }
  std::erase_if(simulated, [](const auto& entry) { return entry.second.size() < 2; });
  if (simulated.empty()) return nullptr;
  return best_of(model.traffic, [engine, nodes = simulated.rbegin()->first](const Traffic& one) {
    return one.setting.engine == engine && one.setting.nodes == nodes;
  });
}

}  // namespace quorate::testnet::comparison
