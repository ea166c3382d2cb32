// How far a simulation is from the truth: the same load on a real testnet of four nodes on this
// machine and on four simulated ones that share its cores with the same clients and neighbours.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "testnet/simulate/options.hpp"

namespace quorate::testnet {

struct ComparedRun {
  double committed = 0;  // transactions per second
  double p50_ms = 0;
  double cpu_us = 0;  // CPU time of all nodes and the clients for one committed transaction
};

struct ComparedPoint {
  double offered = 0;
  unsigned neighbours = 0;  // threads of other programs that wanted a core meanwhile
  ComparedRun real;
  ComparedRun simulated;

  // Of the throughput; 0.1 = the simulation says a tenth more than the truth.
  double error() const { return simulated.committed / real.committed - 1; }
};

// A testnet of its own in the folder for temporary files, removed afterwards. Takes about half a
// minute. Errors: those of TemporaryNetwork and `load`.
Result<std::vector<ComparedPoint>> compare_with_real(const SimulateOptions& options,
                                                     const sim::timed::Costs& costs);
std::string to_text(const std::vector<ComparedPoint>& points);
nlohmann::json to_json(const std::vector<ComparedPoint>& points);

}  // namespace quorate::testnet
