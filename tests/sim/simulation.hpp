// A network of replicas in virtual time, to be driven from outside: by the random runs
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

#include <functional>
#include <memory>
#include <vector>

#include "tests/sim/checks.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/sim_node.hpp"
#include "tests/sim/workload.hpp"

namespace quorate::sim {

class Simulation {
 public:
  explicit Simulation(const Options& options);
  ~Simulation();

  // ---- parts ----
  World& world() { return world_; }
  Network& network() { return network_; }
  Checks& checks() { return checks_; }
  Workload& workload() { return *workload_; }
  Prng& prng() { return prng_; }
  SimNode& node(Machine machine) { return *nodes_.at(machine.value()); }
  SimNode& node(ReplicaId replica) { return *nodes_.at(replica.value()); }
  std::vector<std::unique_ptr<SimNode>>& nodes() { return nodes_; }

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

  // ---- life ----
  void start(Machine machine);
  void start(ReplicaId replica) { start(Machine(replica.value())); }
  void start_all();
  void crash(ReplicaId replica) { node(replica).crash_now(); }
  // Called behind every crash, ordered or not; nobody restarts a machine by itself.
  void on_crash(std::function<void(Machine)> handler) { crash_handler_ = std::move(handler); }
  void on_notice(std::function<void(Machine, const node::Notice&)> handler) {
    notice_handler_ = std::move(handler);
  }
  // Answers to submissions that did not come from workload(); true = taken.
  using Answers = std::vector<std::optional<node::Refusal>>;
  void on_admitted(std::function<bool(node::Ticket, const Answers&)> handler) {
    admitted_handler_ = std::move(handler);
  }

  // ---- time ----
  // Runs the next event; false when the run is over.
  bool step();
  // Runs until the condition holds; false when it did not within `at_most`, or the run is over.
  bool run_until(const std::function<bool()>& condition, Duration at_most);
  void run_for(Duration time);
  // Clients act until quiet().
  void keep_busy();
  void quiet() { busy_ = false; }
  bool ok() const { return !world_.violation; }

  // ---- how things stand ----
  // The highest height that some correct replica has executed.
  Height height() const { return checks_.height(); }
  // The highest view that some correct replica is in, and its primary.
  View view() const;
  ReplicaId primary() const;
  ReplicaId primary(View view) const;
  // The low watermark of the replica that is furthest ahead.
  Height low_watermark() const;
  Instant last_progress() const { return progress_at_; }
  consensus::Status status(ReplicaId replica) { return node(replica).replica().status().consensus; }

  // ---- the end ----
  // Links work, clocks go, disks are fast, rules are gone, and what is down starts, except
  // `dead`. Byzantine replicas stay what they are.
  void heal(const std::vector<ReplicaId>& dead = {});
  // I9: every correct replica that is not dead comes up, a new transaction commits, and all of them
  // have the same head. Anything else is a violation "heal".
  bool converge(Duration at_most, const std::vector<ReplicaId>& dead = {});
  // The checks that need the end: chains, certificates, a replay from genesis.
  Outcome finish();

 private:
  SimNode::Hooks hooks();
  void add_node(Machine machine);
  void connect(Machine a, Machine b);
  void crashed(Machine machine);
  void keep_acting();
  void keep_retrying();
  bool converged(const Digest& last, const std::vector<ReplicaId>& dead);
  bool all_up(const std::vector<ReplicaId>& dead) const;
  bool expected_up(const SimNode& node, const std::vector<ReplicaId>& dead) const;
  std::string describe_heal(const Digest& last) const;

  Prng prng_;
  World world_;
  Checks checks_;
  Network network_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::unique_ptr<Workload> workload_;
  std::shared_ptr<Conspiracy> conspiracy_ = std::make_shared<Conspiracy>();
  std::function<void(Machine)> crash_handler_;
  std::function<void(Machine, const node::Notice&)> notice_handler_;
  std::function<bool(node::Ticket, const Answers&)> admitted_handler_;
  Height newest_;
  Instant progress_at_;
  bool busy_ = false;
  bool retrying_ = false;
};

}  // namespace quorate::sim
