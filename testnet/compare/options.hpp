// What `quorate-testnet compare` is asked to do. Plain values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "crypto/base/result.hpp"
#include "testnet/commands/commands.hpp"

namespace quorate::testnet {

struct CompareOptions {
  CommonOptions common;
  bool full = false;
  bool tiny = false;  // every part at its smallest, for tests and to see what a report is like
  std::uint64_t seed = 1;
  std::vector<std::string> only;  // names of parts; empty: all
  std::filesystem::path out = "./compare-report";
};

namespace comparison {

// The parts, in the order in which they run.
enum class Part : std::uint8_t {
  load,    // real testnets: throughput, latency, cost, messages, proofs
  faults,  // real testnets: partition, dead leader, churn, a new node
  scale,   // simulator: many nodes, long delays, and faulty members
  attack,  // private forks against the real engine, and formulas
};
const std::vector<std::string>& part_names();
// Error invalid_argument: no such part, naming the nearest; --full and --tiny together.
Result<std::vector<Part>> parts_of(const CompareOptions& options);
// The command that does the same again.
std::string again(const CompareOptions& options);

}  // namespace comparison
}  // namespace quorate::testnet
