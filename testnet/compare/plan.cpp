#include "testnet/compare/plan.hpp"

#include <algorithm>
#include <cmath>

namespace quorate::testnet::comparison {

namespace {

// Until a testnet is made and ready, and has ended again.
constexpr double kUpAndDown = 8;
// Of one core, for all rates of a simulated ladder and one node: of a virtual second by votes, and
// of a block by work.
constexpr double kVotesLadder = 1.8;
constexpr double kWorkLadder = 0.4;
// Until a mined chain makes its first payments final, in depths.
constexpr double kDepthsToFinal = 1.3;

std::vector<double> attacker_shares() {
  std::vector<double> out;
  for (int percent = 0; percent <= 45; percent += 5) out.push_back(percent / 100.0);
  return out;
}

double seconds_to_final(const Plan& plan, Engine engine) {
  if (engine == Engine::pbft) return 0.5;
  return static_cast<double>(plan.chain.interval_ms * plan.chain.depth) / 1e3 * kDepthsToFinal;
}

double expected_scale(const Plan& plan) {
  double out = 0;
  const auto delays = static_cast<double>(plan.delays_ms.size());
  for (const SimulatedSize& size : plan.sizes) {
    const double votes = size.pbft * size.rate * block_cost(size.nodes);
    const double work = size.pow * size.rate * block_cost(size.nodes) * kWorkBlockShare;
    out += delays * (votes + work);
    if (size.throughput) out += kVotesLadder * size.nodes * plan.throughput_seconds;
    if (size.pow_throughput) out += kWorkLadder * size.nodes * plan.pow_throughput_blocks;
  }
  out += delays * 4 + static_cast<double>(plan.cuts_s.size()) * 2;
  return out * static_cast<double>(plan.simulated_runs) / 2;  // on two cores
}

double expected_attack(const Plan& plan) {
  const auto cells = static_cast<double>(plan.attacker_shares.size() * plan.attack_depths.size());
  const auto shares = static_cast<double>(2 * plan.attacker_shares.size());
  const auto blocks = static_cast<double>(plan.selfish_runs * plan.selfish_blocks);
  return (cells * static_cast<double>(plan.attack_trials) * 0.005 + shares * blocks * 0.0001) / 2;
}

}  // namespace

// Measured at 4, 31 and 100 nodes, and in between along a power law.
double block_cost(std::uint32_t nodes) {
  const double n = nodes;
  return n <= 31 ? 0.001 * std::pow(n / 4, 1.59) : 0.026 * std::pow(n / 31, 2.8);
}

bool Plan::has(Part part) const {
  return std::find(parts.begin(), parts.end(), part) != parts.end();
}

double expected_load(const Plan& plan, Engine engine) {
  const RealLoad& load = engine == Engine::pbft ? plan.pbft_load : plan.pow_load;
  const double settle = seconds_to_final(plan, engine);
  const auto rungs = static_cast<double>(load.rungs_max);
  double out = kUpAndDown + static_cast<double>(load.idle_transactions) * (settle / 10 + 0.02);
  out += rungs * (load.rung + settle + 1);
  if (load.confirm > 0) out += load.confirm + settle;
  return out;
}

double expected_faults(const Plan& plan, Engine engine) {
  const RealFaults& faults = engine == Engine::pbft ? plan.pbft_faults : plan.pow_faults;
  const double settle = seconds_to_final(plan, engine);
  double out = kUpAndDown + faults.absence + faults.kill + faults.cut + faults.after + 10;
  out += static_cast<double>(faults.churns) * faults.churn;
  return out + 3 * settle;
}

double Plan::expected(Part part) const {
  const auto repeats = static_cast<double>(runs * real_nodes.size());
  switch (part) {
    case Part::load:
      return repeats * (expected_load(*this, Engine::pbft) + expected_load(*this, Engine::pow));
    case Part::faults:
      return repeats * (expected_faults(*this, Engine::pbft) + expected_faults(*this, Engine::pow));
    case Part::scale: {
      const double all = 5 + expected_scale(*this);
      return simulation_budget > 0 ? std::min(all, simulation_budget) : all;
    }
    case Part::attack: return 1 + expected_attack(*this);
  }
  return 0;
}

double Plan::expected() const {
  double out = 0;
  for (const Part part : parts) out += expected(part);
  return out;
}

Plan full_plan() {
  Plan out;
  out.kind = "full";
  out.runs = 5;
  out.simulated_runs = 5;
  out.real_nodes = {4, 7};
  out.pbft_load = {200, 30, 12, 1.5, 600, 60};
  out.pow_load = {20, 90, 8, 1.5, 600, 120};
  out.pbft_faults = {100, 60, 60, 60, 30, 60, 4, 15};
  out.pow_faults = {20, 120, 120, 120, 60, 120, 4, 30};
  out.sizes = {{4, 60, 1200, 20, true, true},  {7, 60, 1200, 20, true, true},
               {16, 30, 1200, 20, true, true}, {31, 20, 600, 20, true, true},
               {64, 10, 600, 20, true, false}, {100, 5, 600, 20, true, false}};
  out.delays_ms = {1, 50, 200};
  out.throughput_seconds = 3;
  out.pow_latency_seconds = 2000;
  out.cuts_s = {10, 30, 60, 120, 240};
  out.attacker_shares = attacker_shares();
  out.attack_depths = {2, 6, 10};
  out.attack_trials = 10'000;
  out.selfish_blocks = 20'000;
  return out;
}

Plan short_plan() {
  Plan out;
  out.kind = "shortened";
  out.pbft_load = {50, 6, 7, 3, 0, 20};
  out.pow_load = {0, 30, 4, 2, 0, 45};
  out.pbft_faults = {100, 10, 12, 15, 10, 30, 2, 6};
  out.pow_faults = {20, 20, 36, 50, 20, 60, 0, 0};
  out.sizes = {{4, 10, 240, 20, true, true},  {7, 10, 120, 20, false, false},
               {16, 8, 120, 20, true, false}, {31, 5, 100, 20, true, false},
               {64, 4, 60, 5, false, false},  {100, 4, 40, 5, false, false}};
  out.delays_ms = {1, 50, 200};
  out.cuts_s = {10, 30, 60, 120};
  out.throughput_seconds = 1.5;
  out.simulation_budget = 210;
  out.attacker_shares = attacker_shares();
  out.attack_depths = {2, 6};
  out.attack_trials = 200;
  out.selfish_blocks = 500;
  out.shortened = {"one run of everything instead of five: no confidence intervals",
                   "each rate for 6 s (votes) or 30 s (work) instead of at least 10 minutes",
                   "real testnets of 4 nodes only; larger ones in the simulator",
                   "simulated throughput of 4, 16 and 31 nodes by votes, of 4 by work",
                   "200 private forks for each share and depth instead of 10,000, and 5,000 "
                   "blocks of selfish mining for each share instead of 200,000",
                   "no churn of real miners",
                   "simulations stop after four minutes; what did not fit is listed"};
  return out;
}

Plan tiny_plan() {
  Plan out;
  out.kind = "tiny";
  out.chain = {250, 2, 10, 5};
  out.pbft_load = {5, 2, 1, 2, 0, 20};
  out.pow_load = {0, 4, 1, 2, 0, 30};
  out.pbft_faults = {20, 2, 4, 3, 2, 20, 0, 0};
  out.pow_faults = {20, 2, 4, 4, 3, 30, 0, 0};
  out.first_share = 0.005;
  out.sizes = {{4, 1, 10, 20, true, false}, {7, 1, 10, 20, false, false}};
  out.delays_ms = {1, 50};
  out.throughput_seconds = 0.2;
  out.pow_latency_seconds = 20;
  out.cuts_s = {10};
  out.simulation_budget = 30;
  out.attacker_shares = {0, 0.25, 0.45};
  out.attack_depths = {2};
  out.attack_trials = 10;
  out.selfish_blocks = 50;
  out.shortened = {"everything: this is for tests, and its figures mean nothing"};
  return out;
}

Result<Plan> make_plan(const CompareOptions& options) {
  QUORATE_TRY(auto parts, parts_of(options));
  Plan out = options.full ? full_plan() : options.tiny ? tiny_plan() : short_plan();
  out.parts = std::move(parts);
  out.seed = options.seed;
  return out;
}

}  // namespace quorate::testnet::comparison
