// A network of nodes in virtual time, whatever engine orders: its machines, links, clients and
// clock. `Simulation` is one of PBFT, `pow::PowSimulation` one of proof of work. Violations end the
// run: step() does nothing any more. One thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tests/sim/network.hpp"
#include "tests/sim/node_checks.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/sim_node.hpp"
#include "tests/sim/workload.hpp"

namespace quorate::sim {

class Cluster {
 public:
  virtual ~Cluster();

  // ---- parts ----
  World& world() { return world_; }
  Network& network() { return network_; }
  Workload& workload() { return *workload_; }
  Prng& prng() { return prng_; }
  SimNode& node(Machine machine) { return *nodes_.at(machine.value()); }
  SimNode& node(ReplicaId replica) { return *nodes_.at(replica.value()); }
  std::vector<std::unique_ptr<SimNode>>& nodes() { return nodes_; }

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
  // Clients act until quiet(), once in `between` of time.
  void keep_busy(Duration between_min, Duration between_max);
  void quiet() { busy_ = false; }
  bool ok() const { return !world_.violation; }

  // ---- how things stand ----
  // The highest height that some correct replica has executed.
  Height height() const { return checks_->height(); }
  Instant last_progress() const { return progress_at_; }
  consensus::Status status(ReplicaId replica) { return node(replica).replica().status().consensus; }

  // ---- the end ----
  // Links work, clocks go, disks are fast, rules are gone, and what is down starts, except
  // `dead`. Byzantine replicas stay what they are.
  void heal(const std::vector<ReplicaId>& dead = {});
  // I9: every correct replica that is not dead comes up, a new transaction commits, and all of them
  // have the same head. Anything else is a violation "heal".
  bool converge(Duration at_most, const std::vector<ReplicaId>& dead = {});
  // Where every replica stands: height, transactions that wait, view, why it is not ready.
  std::string describe_nodes() const;

 protected:
  using MakeChecks = std::function<std::unique_ptr<NodeChecks>(World&)>;
  // `ledger` gives what clients know, out of the checks.
  Cluster(const Options& options, const MakeChecks& make_checks,
          const std::function<ClientLedger&(NodeChecks&)>& ledger);

  NodeChecks& node_checks() { return *checks_; }
  const NodeChecks& node_checks() const { return *checks_; }
  const World& world() const { return world_; }
  const std::vector<std::unique_ptr<SimNode>>& nodes() const { return nodes_; }
  void add_node(Machine machine);
  // Villains and amnesiacs are not waited for.
  bool expected_up(const SimNode& node, const std::vector<ReplicaId>& dead) const;
  bool all_up(const std::vector<ReplicaId>& dead) const;

 private:
  virtual void about_to_start(SimNode&) {}
  virtual void has_crashed(SimNode&) {}
  virtual bool committed(const Digest& transaction) const = 0;
  // All are up: the heads of those that are expected to be are where they should end, and so is
  // whatever else the engine must agree on.
  virtual bool heads_agree(const std::vector<ReplicaId>& dead) const = 0;
  SimNode::Hooks hooks();
  void connect(Machine a, Machine b);
  void crashed(Machine machine);
  void keep_acting();
  void keep_retrying();
  bool converged(const Digest& last, const std::vector<ReplicaId>& dead) const;
  std::string describe_heal(const Digest& last) const;

  Prng prng_;
  World world_;
  std::unique_ptr<NodeChecks> checks_;
  Network network_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::unique_ptr<Workload> workload_;
  std::function<void(Machine)> crash_handler_;
  std::function<void(Machine, const node::Notice&)> notice_handler_;
  std::function<bool(node::Ticket, const Answers&)> admitted_handler_;
  Height newest_;
  Instant progress_at_;
  Duration act_min_{0};
  Duration act_max_{0};
  bool busy_ = false;
  bool retrying_ = false;
};

}  // namespace quorate::sim
