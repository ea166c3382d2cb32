// One replica of a run: the real node::Replica behind simulated ports, on a machine that can crash
// at any boundary and start again from what its disk kept.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "node/replica.hpp"
#include "tests/sim/checks.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/ledger_host.hpp"
#include "tests/sim/network.hpp"

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

class SimNode final : public node::Transport,
                      public node::PayloadChecker,
                      public node::Clients,
                      public node::Observer {
 public:
  struct Hooks {
    std::function<void(ReplicaId)> crashed;
    std::function<void(ReplicaId, node::Ticket, const std::vector<std::optional<node::Refusal>>&)>
        admitted;
    std::function<void(ReplicaId, const ledger::ExecutedBlock&)> executed;
    std::function<void(ReplicaId, const node::Notice&)> noticed = [](ReplicaId,
                                                                     const node::Notice&) {};
  };
  SimNode(World& world, Checks& checks, Network& network, ReplicaId self, Prng prng, Hooks hooks);
  ~SimNode() override;

  void start();
  void order_crash(CrashPoint point) { ordered_crash_ = point; }
  // Not from inside a step of this replica.
  void crash_now() { crash(); }
  bool crash_ordered() const { return ordered_crash_.has_value(); }
  bool up() const { return replica_ != nullptr; }
  void set_slow(bool slow);
  // How far its wall clock is from the right time.
  void set_clock_skew(std::chrono::milliseconds skew) { clock_skew_ms_ = skew.count(); }
  // Feeds one event to the replica, if it is up.
  void deliver(node::ReplicaInput input);

  const node::Replica& replica() const { return *replica_; }
  const LedgerHost& ledger() const { return ledger_; }
  // The height at which the last crash left it.
  Height crashed_at() const { return crashed_at_; }

 private:
  void send(std::optional<ReplicaId> to, node::TrafficClass traffic, Bytes body) override;
  void disconnect(ReplicaId peer, const std::string& reason) override;
  void check(Digest id, Height height, Bytes payload) override;
  void admitted(node::Ticket ticket, std::vector<std::optional<node::Refusal>> results) override;
  void notice(const node::Notice& notice) override;

  void receive(const Frame& frame);
  void crash();
  bool crash_here(CrashPoint point, Happened what);
  void crash_if_ordered();
  void schedule_tick();
  void send_second_vote();
  WallMs wall() const;

  World& world_;
  Checks& checks_;
  Network& network_;
  ReplicaId self_;
  Prng prng_;
  Hooks hooks_;
  Disk disk_;
  LedgerHost ledger_;
  std::unique_ptr<node::Replica> replica_;
  std::shared_ptr<const consensus::MessageVerifier> verifier_;
  std::set<ReplicaId> connected_;
  std::optional<CrashPoint> ordered_crash_;
  bool dying_ = false;  // crashed inside a step: nothing leaves any more
  std::optional<Instant> tick_at_;
  std::uint32_t idle_ticks_ = 0;
  std::uint64_t life_ = 0;
  std::int64_t clock_skew_ms_;
  Height crashed_at_;
};

}  // namespace quorate::sim
