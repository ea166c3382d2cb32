// A stage for one run of a scenario: n real replicas in the simulator, and what a scenario does to
// them. It cuts links, loses, holds back and rewrites single messages, crashes, corrupts and
// restarts replicas, and lets clients send. All invariants of the simulator are checked after every
// event; on top of them a scenario states what it is about with expect() and await(). After the
// first violation every call does nothing, so a scenario reads straight down. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/scenarios/clients.hpp"
#include "tests/scenarios/passing.hpp"
#include "tests/sim/simulation.hpp"

namespace quorate::scenarios {

using sim::SimNode;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// The chain that a scenario needs. Small, so that checkpoints and full windows come soon.
struct Setup {
  std::uint64_t checkpoint_interval = 8;
  std::uint32_t proposals_in_flight = 4;
  std::uint32_t payload_transactions_max = 8;
};

// T0 and T_max of the replicas (consensus/factory.hpp).
inline constexpr Duration kViewTimeout = seconds(1);
inline constexpr Duration kViewTimeoutMax = seconds(60);
inline constexpr Duration kLiveness = 10 * kViewTimeoutMax;  // I9: until everything agrees

// A view that a replica left or entered.
struct ViewNote {
  std::uint32_t replica;
  View view;
  Instant at;
  std::string cause;  // of leaving
};

class Stage {
 public:
  struct Casting {
    std::uint32_t replicas = 4;
    std::uint64_t seed = 0;
    std::uint64_t number = 0;  // which case of a scenario that has many
    bool full = false;         // the whole length that the acceptance matrix asks for
    bool trace = false;
  };
  explicit Stage(const Casting& casting) : casting_(casting) {}

  // ---- the run ----
  std::uint32_t n() const { return casting_.replicas; }
  std::uint32_t faults() const { return simulation_->world().membership.faults(); }
  std::uint32_t quorum() const { return simulation_->world().membership.quorum(); }
  std::uint64_t number() const { return casting_.number; }
  bool full() const { return casting_.full; }
  // The enumeration of this scenario ended with the case before this one.
  void no_such_case() { exhausted_ = true; }
  bool exhausted() const { return exhausted_; }

  // Makes the chain. Nobody runs yet: time to change timers, or to cast villains and twins.
  void prepare(const Setup& setup = {});
  // The same, then starts every replica and waits until all correct ones may vote.
  void begin(const Setup& setup = {});
  // Everything that a scenario did to the network ends, whoever is down starts, and within `bound`
  // one more transaction and everything that clients still wait for commits everywhere (I9). Then
  // the checks that need the end of a run. `dead` stays away. Villains stay what they are.
  void finale(Duration bound = kLiveness, const std::set<std::uint32_t>& dead = {});

  bool ok() const { return simulation_->ok(); }
  const std::optional<sim::Violation>& violation() const { return simulation_->world().violation; }
  void expect(bool holds, const std::string& what);

  // ---- time ----
  Instant now() const { return simulation_->world().timeline.now(); }
  void run_for(Duration time) { simulation_->run_for(time); }
  // False if it did not come true in time.
  bool run_until(Duration at_most, const std::function<bool()>& comes_true) {
    return simulation_->run_until(comes_true, at_most);
  }
  // Here that is a violation.
  void await(const std::string& what, Duration at_most, const std::function<bool()>& comes_true);
  // By every correct replica that is up.
  void await_executed(const ledger::TransactionPtr& transaction, Duration at_most);
  void after(Duration time, std::function<void()> action);

  // ---- replicas ----
  SimNode& node(std::uint32_t replica) { return simulation_->node(ReplicaId(replica)); }
  bool up(std::uint32_t replica) { return node(replica).up(); }
  consensus::Status status(std::uint32_t replica) {
    return node(replica).replica().status().consensus;
  }
  Height head(std::uint32_t replica) { return node(replica).replica().status().head.height; }
  std::uint32_t primary_of(View view) const {
    return static_cast<std::uint32_t>(view.value() % n());
  }
  bool correct(std::uint32_t replica) const {
    return simulation_->world().correct(ReplicaId(replica));
  }
  // The correct replicas that are up.
  std::set<std::uint32_t> correct_ones();
  // Whether it holds for each of them.
  bool all_correct(const std::function<bool(std::uint32_t)>& holds);
  bool all_in(View view);  // or in a later one
  // The highest height that some correct replica has executed.
  Height height() const { return simulation_->height(); }
  View highest_view() const { return simulation_->view(); }
  void start(std::uint32_t replica);
  // Not from inside a step of this replica: use node(r).order_crash() there.
  void crash(std::uint32_t replica);
  // Counts as faulty from now on.
  void corrupt(std::uint32_t replica, sim::Misdeed misdeed);
  void corrupt(std::uint32_t replica, sim::Script script);
  // The f replicas with the highest numbers.
  std::set<std::uint32_t> last_ones() const;

  // ---- network ----
  void links(const sim::LinkFaults& faults) { simulation_->network().set_faults(faults); }
  using RuleId = sim::Network::RuleId;
  // Rules are asked in the order they were made; the first that decides a frame's fate is the last
  // that sees it.
  RuleId rule(Rule rule);
  RuleId lose(std::function<bool(const Passing&)> which);
  void end_rule(RuleId id) { simulation_->network().remove_rule(id); }
  // Frames between different groups are lost; whoever is in no group hears nobody.
  RuleId split(const std::vector<std::set<std::uint32_t>>& groups);
  // Of a whole network: everybody but these.
  std::set<std::uint32_t> all_but(const std::set<std::uint32_t>& replicas) const;
  RuleId cut(const std::set<std::uint32_t>& replicas) { return split({all_but(replicas)}); }

  // ---- clients ----
  Clients& clients() { return *clients_; }

  // ---- what was seen ----
  using Watcher = std::function<void(std::uint32_t replica, const node::Notice&)>;
  void watch(Watcher watcher) { watchers_.push_back(std::move(watcher)); }
  // Of correct replicas: VIEW-CHANGEs sent, NEW-VIEWs accepted.
  const std::vector<ViewNote>& left() const { return left_; }
  const std::vector<ViewNote>& entered() const { return entered_; }
  std::size_t times_left(std::uint32_t replica) const;
  // The id of what is executed at a height, by whoever was first.
  std::optional<Digest> executed_id(Height height) const;
  // Proofs of misdeeds that correct replicas hold.
  struct Proof {
    std::uint32_t holder;
    std::uint32_t culprit;
    Bytes bytes;
  };
  const std::vector<Proof>& evidence() const { return evidence_; }
  bool has_evidence(std::uint32_t holder, std::uint32_t culprit) const;

  sim::Simulation& simulation() { return *simulation_; }
  sim::World& world() { return simulation_->world(); }

 private:
  void on_notice(std::uint32_t replica, const node::Notice& notice);

  const Casting casting_;
  bool exhausted_ = false;
  std::unique_ptr<sim::Simulation> simulation_;
  std::unique_ptr<Clients> clients_;
  Interpreter interpreter_;
  std::vector<Watcher> watchers_;
  std::vector<ViewNote> left_;
  std::vector<ViewNote> entered_;
  std::map<Height, Digest> executed_;
  std::vector<Proof> evidence_;
};

}  // namespace quorate::scenarios
