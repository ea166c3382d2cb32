#include "tests/sim/cluster.hpp"

#include <algorithm>

namespace quorate::sim {
namespace {

constexpr std::uint64_t kEventsMax = 20'000'000;
constexpr Duration kRetry = std::chrono::milliseconds(700);
constexpr Duration kConnect = std::chrono::milliseconds(2);

bool contains(const std::vector<ReplicaId>& replicas, ReplicaId replica) {
  return std::find(replicas.begin(), replicas.end(), replica) != replicas.end();
}

}  // namespace

Cluster::Cluster(const Options& options, const MakeChecks& make_checks,
                 const std::function<ClientLedger&(NodeChecks&)>& ledger)
    : prng_(options.seed * 1'000'003 + options.replicas),
      world_(options, prng_),
      checks_(make_checks(world_)),
      network_(world_, prng_.fork()) {
  for (std::uint32_t i = 0; i < options.replicas; ++i) add_node(Machine(i));
  workload_ = std::make_unique<Workload>(world_, ledger(*checks_), nodes_, prng_.fork());
  if (options.real_signatures) world_.coverage.add(Happened::real_signatures);
}

Cluster::~Cluster() = default;

SimNode::Hooks Cluster::hooks() {
  return {[this](Machine machine) { crashed(machine); },
          [this](Machine, node::Ticket ticket, const Answers& results) {
            if (admitted_handler_ && admitted_handler_(ticket, results)) return;
            workload_->admitted(results);
          },
          [this](Machine, const ledger::ExecutedBlock&) {
            if (checks_->height() <= newest_) return;
            newest_ = checks_->height();
            progress_at_ = world_.timeline.now();
          },
          [this](Machine machine, const node::Notice& notice) {
            if (notice_handler_) notice_handler_(machine, notice);
          }};
}

void Cluster::add_node(Machine machine) {
  nodes_.push_back(
      std::make_unique<SimNode>(world_, *checks_, network_, machine, prng_.fork(), hooks()));
}

// ---- life ----

void Cluster::start_all() {
  for (const auto& node : nodes_) {
    if (!node->up()) start(node->machine());
  }
}

void Cluster::start(Machine machine) {
  SimNode& starting = node(machine);
  about_to_start(starting);
  world_.trace("start", machine.value());
  starting.start();
  for (const auto& other : nodes_) {
    if (other->self() != starting.self() && other->up()) connect(machine, other->machine());
  }
}

// Both ends notice, at different times; a machine that is down by then notices nothing.
void Cluster::connect(Machine a, Machine b) {
  for (const auto& [self, peer] : {std::make_pair(a, b), std::make_pair(b, a)}) {
    world_.timeline.after(prng_.duration(Duration(0), kConnect), [this, self = self, peer = peer] {
      if (node(self).up() && node(peer).up()) {
        node(self).deliver(node::PeerConnected{node(peer).self()});
      }
    });
  }
}

void Cluster::crashed(Machine machine) {
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
  has_crashed(node(machine));
  if (crash_handler_) crash_handler_(machine);
}

// ---- time ----

bool Cluster::step() {
  if (world_.violation) return false;
  if (world_.timeline.events_run() > kEventsMax) {
    world_.violate("stall", "too many events");
    return false;
  }
  return world_.timeline.run_next();
}

bool Cluster::run_until(const std::function<bool()>& condition, Duration at_most) {
  const Instant deadline = world_.timeline.now() + at_most;
  while (ok()) {
    if (condition()) return true;
    if (world_.timeline.now() >= deadline || !step()) return false;
  }
  return false;
}

void Cluster::run_for(Duration time) {
  bool over = false;
  world_.timeline.after(time, [&over] { over = true; });
  while (!over && step()) continue;
}

void Cluster::keep_busy(Duration between_min, Duration between_max) {
  act_min_ = between_min;
  act_max_ = between_max;
  if (std::exchange(busy_, true)) return;
  keep_acting();
  if (!std::exchange(retrying_, true)) keep_retrying();
}

void Cluster::keep_acting() {
  world_.timeline.after(prng_.duration(act_min_, act_max_), [this] {
    if (!busy_) return;
    workload_->act();
    keep_acting();
  });
}

void Cluster::keep_retrying() {
  world_.timeline.after(kRetry, [this] {
    workload_->retry();
    keep_retrying();
  });
}

// ---- the end ----

void Cluster::heal(const std::vector<ReplicaId>& dead) {
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

bool Cluster::expected_up(const SimNode& node, const std::vector<ReplicaId>& dead) const {
  return world_.correct(node.self()) && !contains(dead, node.self());
}

bool Cluster::all_up(const std::vector<ReplicaId>& dead) const {
  return std::all_of(nodes_.begin(), nodes_.end(),
                     [&](const auto& node) { return node->up() || !expected_up(*node, dead); });
}

bool Cluster::converge(Duration at_most, const std::vector<ReplicaId>& dead) {
  if (!std::exchange(retrying_, true)) keep_retrying();
  const Instant deadline = world_.timeline.now() + at_most;
  while (!all_up(dead) && world_.timeline.now() < deadline && step()) continue;
  if (!ok()) return false;
  const Digest last = workload_->submit_last();
  while (!converged(last, dead) && world_.timeline.now() < deadline && step()) continue;
  if (ok() && !converged(last, dead)) world_.violate("heal", describe_heal(last));
  return ok();
}

bool Cluster::converged(const Digest& last, const std::vector<ReplicaId>& dead) const {
  if (!all_up(dead) || !committed(last) || !heads_agree(dead)) return false;
  return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
    return !expected_up(*node, dead) || node->replica().mempool().status().ready == 0;
  });
}

std::string Cluster::describe_heal(const Digest& last) const {
  return (committed(last) ? "the last transaction is committed, but heads are"
                          : "the last transaction never committed; heads are") +
         describe_nodes();
}

std::string Cluster::describe_nodes() const {
  std::string out;
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

}  // namespace quorate::sim
