// A network of replicas that order by proof of work, in virtual time: the real node::Replica with
// miners that win by lot. To be driven from outside, as `Simulation` is; PowChecks judges every
// event.
//
//   Options options;
//   options.pow = true;
//   PowSimulation simulation(options);
//   simulation.start_all();
//   simulation.keep_busy();
//   simulation.network().partition({{Machine(0), Machine(1)}, {Machine(2), Machine(3)}});
//   simulation.run_for(60s);
//   simulation.heal();
//   simulation.converge(300s);
//   const Outcome outcome = simulation.finish();
#pragma once

#include "tests/sim/cluster.hpp"
#include "tests/sim/pow/chain_options.hpp"
#include "tests/sim/pow/pow_checks.hpp"
#include "tests/sim/pow/virtual_miner.hpp"

namespace quorate::sim::pow {

// As a seed draws it, with small blocks.
ledger::ConsensusParameters drawn_parameters(std::uint64_t seed);

class PowSimulation final : public Cluster {
 public:
  // `options.parameters`, if there are none, are drawn from the seed. All replicas mine, at equal
  // rates.
  explicit PowSimulation(const Options& options);

  PowChecks& checks() { return static_cast<PowChecks&>(node_checks()); }
  const PowChecks& checks() const { return static_cast<const PowChecks&>(node_checks()); }
  VirtualMiner& miner(ReplicaId replica) { return *miners_.at(replica.value()); }
  // Shares of the whole network's rate, by replica; they need not add up to anything.
  // All zero: nobody mines.
  void share_hash_rate(const std::vector<std::uint64_t>& shares, std::uint64_t hashes_per_second);

  void keep_busy();
  Duration interval() const { return interval_; }
  std::uint64_t depth() const { return depth_; }
  std::uint64_t hashes_per_second() const { return hashes_per_second_; }
  // Equal rates, right clocks, no faults.
  void heal();
  // The checks that need the end: chains, most work, a replay from genesis.
  Outcome finish();

 private:
  void has_crashed(SimNode& node) override { miner(node.self()).stop(); }
  bool committed(const Digest& transaction) const override;
  bool heads_agree(const std::vector<ReplicaId>& dead) const override;

  std::vector<std::unique_ptr<VirtualMiner>> miners_;
  Duration interval_;
  std::uint64_t depth_;
  std::uint64_t hashes_per_second_;
};

}  // namespace quorate::sim::pow
