// How long everything takes and how often it is done: the full comparison, a shortened one that
// fits into a quarter of an hour on two quiet cores, and a tiny one for tests. Plain data, and pure
// functions; what is shortened is said in words, for the report.
#pragma once

#include <string>
#include <vector>

#include "testnet/compare/model.hpp"
#include "testnet/compare/options.hpp"

namespace quorate::testnet::comparison {

// One engine on a real testnet. Seconds.
struct RealLoad {
  std::size_t idle_transactions = 0;
  double rung = 0;  // each rate of the ladder
  std::size_t rungs_max = 0;
  double factor = 2;   // from one rate to the next
  double confirm = 0;  // the rate found, once more for so long; 0: not
  double drain = 0;    // at most, for what is not final when a rung ends
};
struct RealFaults {
  double rate = 0;     // transactions per second meanwhile
  double absence = 0;  // a node is away from the start for so long, and then fetches everything
  double kill = 0;     // load, at half of which the leader is killed
  double cut = 0;      // halves cannot reach each other
  double after = 0;    // load goes on after healing
  double drain = 0;
  std::size_t churns = 0;  // nodes killed and started one after the other
  double churn = 0;        // for so long each
};
// One simulated network.
struct SimulatedSize {
  std::uint32_t nodes = 4;
  double pbft = 0;  // virtual seconds of load
  double pow = 0;
  std::uint32_t rate = 20;      // transactions per second
  bool throughput = false;      // the ladder too, by votes
  bool pow_throughput = false;  // and by work
};

struct Plan {
  std::string kind;
  std::vector<Part> parts;
  std::uint64_t seed = 1;
  std::size_t runs = 1;            // of everything real
  std::size_t simulated_runs = 1;  // seeds of everything simulated
  std::vector<std::uint32_t> real_nodes = {4};
  PowChain chain;
  RealLoad pbft_load, pow_load;
  RealFaults pbft_faults, pow_faults;
  double first_share = 0.05;  // of CEIL: the lowest rate of the ladder

  std::vector<SimulatedSize> sizes;
  std::vector<double> delays_ms;      // one way
  double throughput_seconds = 2;      // virtual, of each rate of a simulated ladder, by votes
  double pow_throughput_blocks = 30;  // likewise by work
  double pow_latency_seconds = 400;   // virtual, to see the depths that are safe reached
  std::vector<double> cuts_s;    // virtual, of a simulated chain by work that is split in halves
  double simulation_budget = 0;  // seconds of this machine; 0: no end

  std::vector<double> attacker_shares;
  std::vector<std::uint32_t> attack_depths;
  std::uint64_t attack_trials = 0;   // of each share and depth
  std::uint64_t selfish_runs = 10;   // of each share
  std::uint64_t selfish_blocks = 0;  // of each run

  std::vector<std::string> shortened;
  bool has(Part part) const;
  // What it should take on two quiet cores, in seconds.
  double expected(Part part) const;
  double expected() const;
};

Plan full_plan();
Plan short_plan();
Plan tiny_plan();
// Error invalid_argument: those of parts_of.
Result<Plan> make_plan(const CompareOptions& options);

// Seconds of one core for a block by votes of a simulated network of so many nodes; one by work
// costs about a tenth.
double block_cost(std::uint32_t nodes);
inline constexpr double kWorkBlockShare = 0.1;

// Of one real load measurement or fault script.
double expected_load(const Plan& plan, Engine engine);
double expected_faults(const Plan& plan, Engine engine);

}  // namespace quorate::testnet::comparison
