// A network of PBFT replicas in virtual time, to be driven from outside: by the random runs
// (random_run.cpp), by scenarios, by quorate-testnet simulate. Everything that can go wrong is at
// the caller's hand; the invariants are checked after every event whatever it does.
//
//   Options options;                          // n, seed, real signatures, trace
//   options.faults = false;
//   Simulation simulation(options);
//   simulation.make_byzantine(ReplicaId(0), make_strategy(Misdeed::equivocate));
//   simulation.start_all();
//   simulation.keep_busy();                   // clients submit transactions from now on
//   simulation.network().add_rule([](const Letter& letter) -> std::optional<Fate> { ... });
//   simulation.run_until([&] { return simulation.height() >= Height(20); }, 30s);
//   simulation.heal();
//   simulation.converge(60s);                 // I9: a new transaction commits, all heads agree
//   const Outcome outcome = simulation.finish();
//
// Violations end the run: step() does nothing any more and finish() reports the first one. What a
// scenario breaks on purpose is allowed with world().tolerate("halt"). One thread.
#pragma once

#include "tests/sim/checks.hpp"
#include "tests/sim/cluster.hpp"

namespace quorate::sim {

class Simulation final : public Cluster {
 public:
  explicit Simulation(const Options& options);

  Checks& checks() { return static_cast<Checks&>(node_checks()); }
  const Checks& checks() const { return static_cast<const Checks&>(node_checks()); }

  // ---- who takes part ----
  // From now on; counts as faulty for the rest of the run, also after Villain's strategy changes.
  SimNode& make_byzantine(ReplicaId replica, std::unique_ptr<Strategy> strategy);
  // A second machine with the same key and an empty disk, not started. The replica counts as
  // Byzantine from now on.
  Machine add_twin(ReplicaId replica);
  // The same with a copy of the first machine's disk and ledger as a crash now would leave them.
  Machine add_clone(ReplicaId replica);
  // Its votes are lost or old from now on: it must not vote, and no invariant relies on it.
  void make_amnesiac(ReplicaId replica);
  // Its ledger leaves out a transaction, once, at this height or soon above it. From there on its
  // state is wrong until it notices; it stays a correct replica.
  void damage_ledger(ReplicaId replica, Height from);

  // ---- time ----
  // Clients act until quiet().
  void keep_busy();

  // ---- how things stand ----
  // The highest view that some correct replica is in, and its primary.
  View view() const;
  ReplicaId primary() const;
  ReplicaId primary(View view) const;
  // The low watermark of the replica that is furthest ahead.
  Height low_watermark() const;

  // ---- the end ----
  // The checks that need the end: chains, certificates, a replay from genesis.
  Outcome finish();

 private:
  void about_to_start(SimNode& node) override;
  bool committed(const Digest& transaction) const override;
  bool heads_agree(const std::vector<ReplicaId>& dead) const override;

  std::shared_ptr<Conspiracy> conspiracy_ = std::make_shared<Conspiracy>();
};

}  // namespace quorate::sim
