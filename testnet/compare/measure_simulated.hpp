// Both engines in virtual time: networks that this machine cannot hold, long delays, faulty
// members, and attackers. Fills the model.
#pragma once

#include <functional>
#include <memory>

#include "testnet/compare/jobs.hpp"
#include "testnet/compare/plan.hpp"
#include "testnet/compare/progress.hpp"
#include "tests/sim/timed/measure.hpp"

namespace quorate::testnet::comparison {

struct SimulatedContext {
  const Plan& plan;
  sim::timed::Costs costs;  // also in Model::machine
  unsigned workers = 1;
  bool (*interrupted)() = nullptr;  // asked a few times a second; see run_jobs
  Progress& progress;
  Model& model;

  JobLimits limits() const { return {workers, plan.simulation_budget, interrupted}; }
};

// Errors: corrupt when replicas disagreed, which is a bug; timeout when it was interrupted.
Result<void> measure_scale(const SimulatedContext& context);
Result<void> measure_attack(const SimulatedContext& context);
// Formulas alone. The depths come first, since measure_scale waits for them; budgets need the
// throughput.
void compute_safe_depths(Model& model);
void compute_budgets(Model& model);

// ---- shared by the files that implement this ----

// A run whose result is there once its job is done.
using Slot = std::shared_ptr<std::optional<sim::timed::Measurement>>;
// Measures the scene into a new slot. The job fails when replicas disagreed.
Slot add_run(std::vector<Job>& jobs, std::string title, double expected_s, sim::timed::Scene scene);
// Results of those that were reached.
std::vector<const sim::timed::Measurement*> done(const std::vector<Slot>& slots);
void add_fault_runs(const SimulatedContext& context, std::vector<Job>& jobs,
                    std::vector<std::function<void()>>& collect);
Duration virtual_seconds(double seconds);

// Pure: a network of so many replicas with one delay between any two.
sim::timed::Scene make_scene(const Plan& plan, const sim::timed::Costs& costs, Engine engine,
                             std::uint32_t nodes, double delay_ms, double seconds,
                             std::uint64_t seed);

}  // namespace quorate::testnet::comparison
