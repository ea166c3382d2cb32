#include "tests/sim/simulation.hpp"

#include <algorithm>

namespace quorate::sim {
namespace {

constexpr Duration kActMin = std::chrono::microseconds(200);
constexpr Duration kActMax = std::chrono::milliseconds(6);

}  // namespace

Simulation::Simulation(const Options& options)
    : Cluster(
          options, [](World& world) { return std::make_unique<Checks>(world); },
          [](NodeChecks& checks) -> ClientLedger& {
            return static_cast<Checks&>(checks).model();
          }) {}

void Simulation::keep_busy() { Cluster::keep_busy(kActMin, kActMax); }

// ---- who takes part ----

SimNode& Simulation::make_byzantine(ReplicaId replica, std::unique_ptr<Strategy> strategy) {
  world().conduct.at(replica.value()) = Conduct::byzantine;
  SimNode& villain = node(replica);
  villain.set_villain(conspiracy_, std::move(strategy));
  return villain;
}

Machine Simulation::add_twin(ReplicaId replica) {
  world().conduct.at(replica.value()) = Conduct::byzantine;
  const Machine twin(static_cast<std::uint32_t>(world().machines.size()));
  world().machines.push_back(replica);
  network().add_machine();
  add_node(twin);
  return twin;
}

Machine Simulation::add_clone(ReplicaId replica) {
  const Machine clone = add_twin(replica);
  node(clone).disk().restore(node(replica).disk().contents());
  node(clone).ledger().restore(node(replica).ledger().copy());
  return clone;
}

void Simulation::make_amnesiac(ReplicaId replica) {
  Conduct& conduct = world().conduct.at(replica.value());
  if (conduct == Conduct::correct) conduct = Conduct::amnesiac;
}

void Simulation::damage_ledger(ReplicaId replica, Height from) {
  node(replica).ledger().tamper_with(
      [this, replica, from, done = false](ledger::OrderedBlock& block) mutable {
        if (done || block.height < from || block.transactions.empty()) return;
        done = true;
        block.transactions.pop_back();
        world().diverging.insert(replica);
      });
}

// ---- how things stand ----

View Simulation::view() const {
  View view(0);
  for (const auto& node : nodes()) {
    if (!node->up() || !world().correct(node->self())) continue;
    view = std::max(view, node->replica().status().consensus.view);
  }
  return view;
}

ReplicaId Simulation::primary(View view) const {
  return ReplicaId(static_cast<std::uint32_t>(view.value() % world().membership.size()));
}

ReplicaId Simulation::primary() const { return primary(view()); }

Height Simulation::low_watermark() const {
  Height out(0);
  for (const auto& node : nodes()) {
    if (node->up()) out = std::max(out, node->replica().status().consensus.low_watermark);
  }
  return out;
}

void Simulation::about_to_start(SimNode& node) {
  const Height low = low_watermark();
  if (low > Height(0) && node.crashed_at() < low) {
    world().coverage.add(Happened::catch_up_beyond_window);
  }
}

// ---- the end ----

bool Simulation::committed(const Digest& transaction) const {
  return checks().model().executed_at(transaction).has_value();
}

// And whoever waits for no later view has been shown the one that the others are in.
bool Simulation::heads_agree(const std::vector<ReplicaId>& dead) const {
  const View highest = view();
  return std::all_of(nodes().begin(), nodes().end(), [&](const auto& node) {
    if (!expected_up(*node, dead)) return true;
    const auto status = node->replica().status();
    const bool same_view =
        status.consensus.view == highest || status.consensus.promise_view > highest;
    return same_view && status.head.height == checks().height();
  });
}

Outcome Simulation::finish() {
  const SimNode* sample = nullptr;
  for (const auto& node : nodes()) {
    if (!world().correct(node->self()) || !node->ledger().is_open() || world().violation) continue;
    checks().final_chain(node->self(), node->ledger().chain());
    if (sample == nullptr ||
        sample->ledger().chain().head().height < node->ledger().chain().head().height) {
      sample = node.get();
    }
  }
  const auto forks = world().tolerated.find("I1");
  checks().judge_culprits(forks != world().tolerated.end() && forks->second > 0);
  if (!world().violation && sample != nullptr) checks().replay(sample->ledger().chain());
  Outcome out;
  out.violation = world().violation;
  out.trace_hash = world().trace_hash;
  out.events = world().timeline.events_run();
  out.blocks = checks().height().value();
  out.transactions = checks().model().transactions();
  out.view = view().value();
  out.virtual_time = world().timeline.now().since_origin;
  out.memory_max = checks().memory_max();
  out.memory_bound = checks().memory_bound();
  out.coverage = world().coverage;
  const auto culprits = checks().culprits();
  for (const ReplicaId replica : culprits) out.culprits.push_back(replica.value());
  out.culprits_explain_a_fork =
      culprits.size() > world().membership.faults() &&
      std::none_of(culprits.begin(), culprits.end(),
                   [this](ReplicaId replica) { return world().correct(replica); });
  return out;
}

}  // namespace quorate::sim
