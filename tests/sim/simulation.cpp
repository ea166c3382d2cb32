#include "tests/sim/simulation.hpp"

#include <algorithm>

namespace quorate::sim {
namespace {

constexpr std::uint64_t kEventsMax = 20'000'000;
constexpr Duration kActMin = std::chrono::microseconds(200);
constexpr Duration kActMax = std::chrono::milliseconds(6);
constexpr Duration kRetry = std::chrono::milliseconds(700);
constexpr Duration kConnect = std::chrono::milliseconds(2);

bool contains(const std::vector<ReplicaId>& replicas, ReplicaId replica) {
  return std::find(replicas.begin(), replicas.end(), replica) != replicas.end();
}

}  // namespace

Simulation::Simulation(const Options& options)
    : prng_(options.seed * 1'000'003 + options.replicas),
      world_(options, prng_),
      checks_(world_),
      network_(world_, prng_.fork()) {
  for (std::uint32_t i = 0; i < options.replicas; ++i) add_node(Machine(i));
  workload_ = std::make_unique<Workload>(world_, checks_.model(), nodes_, prng_.fork());
  if (options.real_signatures) world_.coverage.add(Happened::real_signatures);
}

Simulation::~Simulation() = default;

SimNode::Hooks Simulation::hooks() {
  return {[this](Machine machine) { crashed(machine); },
          [this](Machine, node::Ticket ticket, const Answers& results) {
            if (admitted_handler_ && admitted_handler_(ticket, results)) return;
            workload_->admitted(results);
          },
          [this](Machine, const ledger::ExecutedBlock&) {
            if (checks_.height() <= newest_) return;
            newest_ = checks_.height();
            progress_at_ = world_.timeline.now();
          },
          [this](Machine machine, const node::Notice& notice) {
            if (notice_handler_) notice_handler_(machine, notice);
          }};
}

void Simulation::add_node(Machine machine) {
  nodes_.push_back(
      std::make_unique<SimNode>(world_, checks_, network_, machine, prng_.fork(), hooks()));
}

// ---- who takes part ----

SimNode& Simulation::make_byzantine(ReplicaId replica, std::unique_ptr<Strategy> strategy) {
  world_.conduct.at(replica.value()) = Conduct::byzantine;
  SimNode& villain = node(replica);
  villain.set_villain(conspiracy_, std::move(strategy));
  return villain;
}

Machine Simulation::add_twin(ReplicaId replica) {
  world_.conduct.at(replica.value()) = Conduct::byzantine;
  const Machine twin(static_cast<std::uint32_t>(world_.machines.size()));
  world_.machines.push_back(replica);
  network_.add_machine();
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
  Conduct& conduct = world_.conduct.at(replica.value());
  if (conduct == Conduct::correct) conduct = Conduct::amnesiac;
}

// ---- life ----

void Simulation::start_all() {
  for (const auto& node : nodes_) {
    if (!node->up()) start(node->machine());
  }
}

void Simulation::start(Machine machine) {
  SimNode& starting = node(machine);
  const Height low = low_watermark();
  if (low > Height(0) && starting.crashed_at() < low) {
    world_.coverage.add(Happened::catch_up_beyond_window);
  }
  world_.trace("start", machine.value());
  starting.start();
  for (const auto& other : nodes_) {
    if (other->self() != starting.self() && other->up()) connect(machine, other->machine());
  }
}

// Both ends notice, at different times; a machine that is down by then notices nothing.
void Simulation::connect(Machine a, Machine b) {
  for (const auto& [self, peer] : {std::make_pair(a, b), std::make_pair(b, a)}) {
    world_.timeline.after(prng_.duration(Duration(0), kConnect), [this, self = self, peer = peer] {
      if (node(self).up() && node(peer).up()) {
        node(self).deliver(node::PeerConnected{node(peer).self()});
      }
    });
  }
}

void Simulation::crashed(Machine machine) {
  const ReplicaId replica = world_.identity(machine);
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i]->self() == replica) continue;
    world_.timeline.after(prng_.duration(Duration(0), kConnect), [this, i, replica] {
      const bool gone = std::none_of(nodes_.begin(), nodes_.end(), [replica](const auto& node) {
        return node->self() == replica && node->up();
      });
      if (gone) nodes_[i]->deliver(node::PeerDisconnected{replica});
    });
  }
  if (crash_handler_) crash_handler_(machine);
}

// ---- time ----

bool Simulation::step() {
  if (world_.violation) return false;
  if (world_.timeline.events_run() > kEventsMax) {
    world_.violate("stall", "too many events");
    return false;
  }
  return world_.timeline.run_next();
}

bool Simulation::run_until(const std::function<bool()>& condition, Duration at_most) {
  const Instant deadline = world_.timeline.now() + at_most;
  while (ok()) {
    if (condition()) return true;
    if (world_.timeline.now() >= deadline || !step()) return false;
  }
  return false;
}

void Simulation::run_for(Duration time) {
  bool over = false;
  world_.timeline.after(time, [&over] { over = true; });
  while (!over && step()) continue;
}

void Simulation::keep_busy() {
  if (std::exchange(busy_, true)) return;
  keep_acting();
  if (!std::exchange(retrying_, true)) keep_retrying();
}

void Simulation::keep_acting() {
  world_.timeline.after(prng_.duration(kActMin, kActMax), [this] {
    if (!busy_) return;
    workload_->act();
    keep_acting();
  });
}

void Simulation::keep_retrying() {
  world_.timeline.after(kRetry, [this] {
    workload_->retry();
    keep_retrying();
  });
}

// ---- how things stand ----

View Simulation::view() const {
  View view(0);
  for (const auto& node : nodes_) {
    if (!node->up() || !world_.correct(node->self())) continue;
    view = std::max(view, node->replica().status().consensus.view);
  }
  return view;
}

ReplicaId Simulation::primary(View view) const {
  return ReplicaId(static_cast<std::uint32_t>(view.value() % world_.membership.size()));
}

ReplicaId Simulation::primary() const { return primary(view()); }

Height Simulation::low_watermark() const {
  Height out(0);
  for (const auto& node : nodes_) {
    if (node->up()) out = std::max(out, node->replica().status().consensus.low_watermark);
  }
  return out;
}

// ---- the end ----

void Simulation::heal(const std::vector<ReplicaId>& dead) {
  world_.trace("heal", 0);
  LinkFaults none;
  none.delay_max = std::chrono::milliseconds(1);
  network_.set_faults(none);
  network_.unblock();
  network_.clear_rules();
  if (world_.options.canary == Canary::deaf_replica) network_.cut(Machine(1), true);
  for (const auto& node : nodes_) {
    node->cancel_crash();
    node->set_slow(false);
    node->thaw_clock();
    if (!node->up() && !contains(dead, node->self())) start(node->machine());
  }
}

// Villains and amnesiacs are not waited for.
bool Simulation::expected_up(const SimNode& node, const std::vector<ReplicaId>& dead) const {
  return world_.correct(node.self()) && !contains(dead, node.self());
}

bool Simulation::all_up(const std::vector<ReplicaId>& dead) const {
  return std::all_of(nodes_.begin(), nodes_.end(),
                     [&](const auto& node) { return node->up() || !expected_up(*node, dead); });
}

bool Simulation::converge(Duration at_most, const std::vector<ReplicaId>& dead) {
  if (!std::exchange(retrying_, true)) keep_retrying();
  const Instant deadline = world_.timeline.now() + at_most;
  while (!all_up(dead) && world_.timeline.now() < deadline && step()) continue;
  if (!ok()) return false;
  const Digest last = workload_->submit_last();
  while (!converged(last, dead) && world_.timeline.now() < deadline && step()) continue;
  if (ok() && !converged(last, dead)) world_.violate("heal", describe_heal(last));
  return ok();
}

bool Simulation::converged(const Digest& last, const std::vector<ReplicaId>& dead) {
  if (!all_up(dead) || !checks_.model().executed_at(last)) return false;
  for (const auto& node : nodes_) {
    if (!expected_up(*node, dead)) continue;
    if (node->replica().status().head.height != checks_.height()) return false;
    if (node->replica().mempool().status().ready != 0) return false;
  }
  return true;
}

std::string Simulation::describe_heal(const Digest& last) const {
  std::string out = checks_.model().executed_at(last)
                        ? "the last transaction is committed, but heads are"
                        : "the last transaction never committed; heads are";
  for (const auto& node : nodes_) {
    if (!node->up()) {
      out += " down";
      continue;
    }
    const auto status = node->replica().status();
    out += (world_.correct(node->self()) ? " " : " (faulty) ") +
           std::to_string(status.head.height.value()) + "/" +
           std::to_string(node->replica().mempool().status().ready) + "/" +
           std::to_string(status.consensus.view.value());
    if (!status.not_ready_reason.empty()) out += " [" + status.not_ready_reason + "]";
  }
  return out + " (height/ready transactions/view)";
}

Outcome Simulation::finish() {
  const SimNode* sample = nullptr;
  for (const auto& node : nodes_) {
    if (!world_.correct(node->self()) || !node->ledger().is_open() || world_.violation) continue;
    checks_.final_chain(node->self(), node->ledger().chain());
    if (sample == nullptr ||
        sample->ledger().chain().head().height < node->ledger().chain().head().height) {
      sample = node.get();
    }
  }
  const auto forks = world_.tolerated.find("I1");
  checks_.judge_culprits(forks != world_.tolerated.end() && forks->second > 0);
  if (!world_.violation && sample != nullptr) checks_.replay(sample->ledger().chain());
  Outcome out;
  out.violation = world_.violation;
  out.trace_hash = world_.trace_hash;
  out.events = world_.timeline.events_run();
  out.blocks = checks_.height().value();
  out.transactions = checks_.model().transactions();
  out.view = view().value();
  out.virtual_time = world_.timeline.now().since_origin;
  out.memory_max = checks_.memory_max();
  out.memory_bound = checks_.memory_bound();
  out.coverage = world_.coverage;
  const auto culprits = checks_.culprits();
  for (const ReplicaId replica : culprits) out.culprits.push_back(replica.value());
  out.culprits_explain_a_fork =
      culprits.size() > world_.membership.faults() &&
      std::none_of(culprits.begin(), culprits.end(),
                   [this](ReplicaId replica) { return world_.correct(replica); });
  return out;
}

}  // namespace quorate::sim
