// Both engines on real testnets of this machine, one after the other, under the same transfers.
// Fills the model; what fails ends the comparison. Single-threaded.
#pragma once

#include "testnet/compare/plan.hpp"
#include "testnet/compare/progress.hpp"
#include "testnet/load/generator.hpp"
#include "testnet/temporary_network.hpp"

namespace quorate::testnet::comparison {

struct RealContext {
  const Plan& plan;
  Progress& progress;
  Model& model;
  std::chrono::seconds timeout;
};

// Throughput, latency, cost, messages and the size of proofs. Errors: those of TemporaryNetwork and
// Generator; timeout when it was interrupted (Generator::interrupted).
Result<void> measure_load(const RealContext& context);
// Partition, a killed leader, churn, and a new node. The same errors.
Result<void> measure_faults(const RealContext& context);

// Shared by both.
NetworkPlan network_plan(const Plan& plan, Engine engine, std::uint32_t nodes);
Result<void> check_interrupt();
// "2/5 PBFT, 4 nodes"
std::string run_title(const Plan& plan, Engine engine, std::uint32_t nodes, std::size_t run);

}  // namespace quorate::testnet::comparison
