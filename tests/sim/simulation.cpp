// One run from start to verdict: faults until enough blocks are there, then the heal phase, then
// the checks that need the end of a run.
#include "tests/sim/checks.hpp"
#include "tests/sim/fault_plan.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/sim_node.hpp"
#include "tests/sim/workload.hpp"

namespace quorate::sim {
namespace {

constexpr Duration kStall = std::chrono::seconds(60);      // without a new block anywhere
constexpr Duration kHealBound = std::chrono::seconds(60);  // until everything agrees again
constexpr std::uint64_t kEventsMax = 20'000'000;
constexpr Duration kActMin = std::chrono::microseconds(200);
constexpr Duration kActMax = std::chrono::milliseconds(6);
constexpr Duration kRetry = std::chrono::milliseconds(700);
constexpr Duration kConnect = std::chrono::milliseconds(2);

class Simulation {
 public:
  explicit Simulation(const Options& options)
      : prng_(options.seed * 1'000'003 + options.replicas),
        world_(options, prng_),
        checks_(world_),
        network_(world_, prng_.fork()) {
    for (std::uint32_t i = 0; i < options.replicas; ++i) {
      nodes_.push_back(std::make_unique<SimNode>(world_, checks_, network_, ReplicaId(i),
                                                 prng_.fork(), hooks()));
    }
    workload_ = std::make_unique<Workload>(world_, checks_.model(), nodes_, prng_.fork());
    faults_ = std::make_unique<FaultPlan>(
        world_, network_, nodes_, prng_.fork(), [this](ReplicaId replica) { start(replica); },
        [this] { return checks_.height(); }, [this] { return primary(); });
  }

  Outcome run() {
    if (world_.options.real_signatures) world_.coverage.add(Happened::real_signatures);
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) start(ReplicaId(i));
    keep_acting();
    keep_retrying();
    if (world_.options.faults) faults_->begin();
    fault_phase();
    heal_phase();
    judge_the_end();
    return outcome();
  }

 private:
  SimNode::Hooks hooks() {
    return {[this](ReplicaId replica) { on_crash(replica); },
            [this](ReplicaId replica, node::Ticket,
                   const std::vector<std::optional<node::Refusal>>& results) {
              workload_->admitted(replica, results);
            },
            [this](ReplicaId, const ledger::ExecutedBlock&) {
              if (checks_.height() > newest_) {
                newest_ = checks_.height();
                progress_at_ = world_.timeline.now();
              }
            }};
  }

  void start(ReplicaId replica) {
    SimNode& node = *nodes_[replica.value()];
    const Height low = lowest_watermark();
    if (low > Height(0) && node.crashed_at() < low) {
      world_.coverage.add(Happened::catch_up_beyond_window);
    }
    world_.trace("start", replica.value());
    node.start();
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
      if (i == replica.value() || !nodes_[i]->up()) continue;
      connect(replica, ReplicaId(i));
    }
  }

  // Both ends notice, at different times; a replica that is down by then notices nothing.
  void connect(ReplicaId a, ReplicaId b) {
    for (const auto& [self, peer] : {std::make_pair(a, b), std::make_pair(b, a)}) {
      world_.timeline.after(prng_.duration(Duration(0), kConnect),
                            [this, self = self, peer = peer] {
                              if (nodes_[self.value()]->up() && nodes_[peer.value()]->up()) {
                                nodes_[self.value()]->deliver(node::PeerConnected{peer});
                              }
                            });
    }
  }

  void on_crash(ReplicaId replica) {
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
      if (i == replica.value()) continue;
      world_.timeline.after(prng_.duration(Duration(0), kConnect), [this, i, replica] {
        if (!nodes_[replica.value()]->up()) nodes_[i]->deliver(node::PeerDisconnected{replica});
      });
    }
    faults_->crashed(replica);
  }

  // Of the highest view that some replica is in.
  ReplicaId primary() const {
    View view(0);
    for (const auto& node : nodes_) {
      if (node->up()) view = std::max(view, node->replica().status().consensus.view);
    }
    return ReplicaId(static_cast<std::uint32_t>(view.value() % nodes_.size()));
  }

  // The low watermark of the replica that is furthest ahead.
  Height lowest_watermark() const {
    Height out(0);
    for (const auto& node : nodes_) {
      if (node->up()) out = std::max(out, node->replica().status().consensus.low_watermark);
    }
    return out;
  }

  void keep_acting() {
    world_.timeline.after(prng_.duration(kActMin, kActMax), [this] {
      if (healing_) return;
      workload_->act();
      keep_acting();
    });
  }

  void keep_retrying() {
    world_.timeline.after(kRetry, [this] {
      workload_->retry();
      keep_retrying();
    });
  }

  bool go_on() {
    if (world_.violation) return false;
    if (world_.timeline.events_run() > kEventsMax) {
      world_.violate("stall", "too many events");
      return false;
    }
    return world_.timeline.run_next();
  }

  void fault_phase() {
    while (checks_.height().value() < world_.options.blocks && go_on()) {
      if (world_.timeline.now() - progress_at_ > kStall) {
        world_.violate("stall", "no new block for a minute after height " +
                                    std::to_string(checks_.height().value()));
      }
    }
  }

  void heal_phase() {
    if (world_.violation) return;
    world_.trace("heal", 0);
    healing_ = true;
    // In some runs the primary stays dead at first: the others must do without it.
    const bool spare = world_.options.canary == Canary::none;  // a canary is one fault already
    if (world_.options.faults && spare && prng_.one_in(3)) dead_ = primary();
    faults_->heal(dead_);
    demand_convergence();
    if (!dead_ || world_.violation) return;
    world_.coverage.add(Happened::healed_without_primary);
    dead_.reset();
    faults_->revive();
    demand_convergence();
  }

  void demand_convergence() {
    const Instant deadline = world_.timeline.now() + kHealBound;
    while (!all_up() && world_.timeline.now() < deadline && go_on()) continue;
    if (world_.violation) return;
    const Digest last = workload_->submit_last();
    while (!converged(last) && world_.timeline.now() < deadline && go_on()) continue;
    if (!world_.violation && !converged(last)) world_.violate("heal", describe_heal(last));
  }

  bool all_up() const {
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
      if (!nodes_[i]->up() && ReplicaId(i) != dead_) return false;
    }
    return true;
  }

  bool converged(const Digest& last) {
    if (!all_up() || !checks_.model().executed_at(last)) return false;
    for (const auto& node : nodes_) {
      if (!node->up()) continue;  // the one that is dead on purpose
      if (node->replica().status().head.height != checks_.height()) return false;
      if (node->replica().mempool().status().ready != 0) return false;
    }
    return true;
  }

  std::string describe_heal(const Digest& last) {
    std::string out = checks_.model().executed_at(last)
                          ? "the last transaction is committed, but heads are"
                          : "the last transaction never committed; heads are";
    for (const auto& node : nodes_) {
      out += node->up() ? " " + std::to_string(node->replica().status().head.height.value()) + "/" +
                              std::to_string(node->replica().mempool().status().ready)
                        : " down";
    }
    return out + " (height/ready transactions)";
  }

  void judge_the_end() {
    for (std::uint32_t i = 0; i < nodes_.size() && !world_.violation; ++i) {
      checks_.final_chain(ReplicaId(i), nodes_[i]->ledger().chain());
    }
    // I11: nobody leaves a primary that works.
    if (!world_.options.faults && world_.coverage[Happened::view_change] != 0) {
      world_.violate("I11", "a view change although nothing went wrong");
    }
    if (!world_.violation) checks_.replay(nodes_.front()->ledger().chain());
  }

  Outcome outcome() const {
    Outcome out;
    out.violation = world_.violation;
    out.trace_hash = world_.trace_hash;
    out.events = world_.timeline.events_run();
    out.blocks = checks_.height().value();
    out.transactions = checks_.model().transactions();
    out.virtual_time = world_.timeline.now().since_origin;
    out.memory_max = checks_.memory_max();
    out.memory_bound = checks_.memory_bound();
    out.coverage = world_.coverage;
    return out;
  }

  Prng prng_;
  World world_;
  Checks checks_;
  Network network_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::unique_ptr<Workload> workload_;
  std::unique_ptr<FaultPlan> faults_;
  Height newest_;
  Instant progress_at_;
  bool healing_ = false;
  std::optional<ReplicaId> dead_;  // in the heal phase
};

}  // namespace

Outcome run(const Options& options) { return Simulation(options).run(); }

}  // namespace quorate::sim
