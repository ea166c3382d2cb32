// One machine of a run: the real node::Replica behind simulated ports. It can crash at any boundary
// and start again from what its disk kept, its clocks can be wrong, and it can be a villain.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "node/replica.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/ledger_host.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/node_checks.hpp"
#include "tests/sim/node_clock.hpp"
#include "tests/sim/villain.hpp"

namespace quorate::sim {

// Where a crash that was ordered takes place: the next time the replica is at this point.
enum class CrashPoint : std::uint8_t {
  now,
  before_sync,   // votes are appended and not durable
  after_sync,    // votes are durable, the replica does not know, nothing was sent
  in_broadcast,  // some peers got the message, the others never will
  in_execution,
  after_execution,  // blocks are durable, the replica does not know
};
inline constexpr std::uint64_t kCrashPoints = 6;

// What a machine does that a crash can follow at once; counted from the machine's first start on.
enum class Boundary : std::uint8_t {
  append,   // a record was handed to the vote log
  synced,   // a group of records became durable
  frame,    // one frame left for one peer
  executed  // a batch of blocks became durable
};
inline constexpr std::size_t kBoundaries = 4;

class SimNode final : public node::Transport,
                      public node::PayloadChecker,
                      public node::Clients,
                      public node::Observer {
 public:
  struct Hooks {
    std::function<void(Machine)> crashed;
    std::function<void(Machine, node::Ticket, const std::vector<std::optional<node::Refusal>>&)>
        admitted;
    std::function<void(Machine, const ledger::ExecutedBlock&)> executed;
    std::function<void(Machine, const node::Notice&)> noticed;
  };
  SimNode(World& world, NodeChecks& checks, Network& network, Machine machine, Prng prng,
          Hooks hooks);
  ~SimNode() override;

  Machine machine() const { return machine_; }
  ReplicaId self() const { return self_; }

  // ---- life ----
  void start();
  bool up() const { return replica_ != nullptr; }
  // Not from inside a step of this replica.
  void crash_now() { crash(); }
  void order_crash(CrashPoint point) { ordered_crash_ = point; }
  // Right behind the `count`-th (from 1) of these events, and before anything else leaves.
  void crash_after(Boundary boundary, std::uint64_t count) { crash_after_ = {boundary, count}; }
  std::uint64_t passed(Boundary boundary) const {
    return passed_.at(static_cast<std::size_t>(boundary));
  }
  void cancel_crash() {
    ordered_crash_.reset();
    crash_after_.reset();
  }
  bool crash_ordered() const { return ordered_crash_ || crash_after_; }
  // Feeds one event to the replica, if it is up.
  void deliver(node::ReplicaInput input);

  // ---- its machine ----
  // From the next start on; without one it does not mine.
  void set_miner(node::Miner* miner) { miner_ = miner; }
  void set_slow(bool slow);
  Disk& disk() { return disk_; }
  const Disk& disk() const { return disk_; }
  LedgerHost& ledger() { return ledger_; }
  const LedgerHost& ledger() const { return ledger_; }
  // The wall clock is wrong by this much from now on.
  void set_clock_skew(std::chrono::milliseconds skew) { clock_.set_skew(skew.count()); }
  // All clocks stand still until thaw_clock(): no timer of the replica fires.
  void freeze_clock() { clock_.freeze(world_.timeline.now()); }
  void thaw_clock();
  bool clock_frozen() const { return clock_.frozen(); }
  // Timing of its engine from the next start on.
  consensus::EngineConfig& engine_config() { return engine_config_; }

  // ---- its conduct ----
  // From now on. World::conduct is the caller's business (Simulation::make_byzantine).
  void set_villain(std::shared_ptr<Conspiracy> conspiracy, std::unique_ptr<Strategy> strategy);
  Villain* villain() { return villain_.get(); }
  // It does as it is told again.
  void reform() { villain_.reset(); }

  // Only while it is up.
  const node::Replica& replica() const { return *replica_; }
  // The height at which the last crash left it.
  Height crashed_at() const { return crashed_at_; }
  // Why it stopped for good, if it did (Halt, in this life).
  const std::optional<std::string>& halted() const { return halted_; }

 private:
  void send(std::optional<ReplicaId> to, node::TrafficClass traffic, Bytes body) override;
  void disconnect(ReplicaId peer, const std::string& reason) override;
  void check(Digest id, Height height, Bytes payload) override;
  void admitted(node::Ticket ticket, std::vector<std::optional<node::Refusal>> results) override;
  void notice(const node::Notice& notice) override;
  void note_progress(const node::Notice& notice);

  node::VerifyContext verify_context() const;
  void receive(const Frame& frame);
  void send_frame(ReplicaId to, node::TrafficClass traffic,
                  const std::shared_ptr<const Bytes>& body);
  void say(std::optional<ReplicaId> to, node::TrafficClass traffic,
           const std::shared_ptr<const Bytes>& body);
  void keep_ticking(std::uint64_t villainy);
  void crash();
  bool passes(Boundary boundary);
  bool crash_here(CrashPoint point, Happened what);
  void crash_if_ordered();
  void schedule_tick();
  void send_second_vote();

  World& world_;
  NodeChecks& checks_;
  Network& network_;
  Machine machine_;
  ReplicaId self_;
  Prng prng_;
  Hooks hooks_;
  Disk disk_;
  LedgerHost ledger_;
  NodeClock clock_;
  consensus::EngineConfig engine_config_;
  std::unique_ptr<node::Replica> replica_;
  std::shared_ptr<const consensus::MessageVerifier> verifier_;
  node::Miner* miner_ = nullptr;
  std::unique_ptr<Villain> villain_;
  std::uint64_t villainy_ = 0;  // counts villains, so that an old one's ticks end
  std::set<ReplicaId> connected_;
  std::optional<CrashPoint> ordered_crash_;
  std::optional<std::pair<Boundary, std::uint64_t>> crash_after_;
  std::array<std::uint64_t, kBoundaries> passed_{};
  bool dying_ = false;  // crashed inside a step: nothing leaves any more
  std::optional<Instant> tick_at_;
  std::uint32_t idle_ticks_ = 0;
  std::uint64_t life_ = 0;
  Height crashed_at_;
  std::optional<std::string> halted_;
};

}  // namespace quorate::sim
