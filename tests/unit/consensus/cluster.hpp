// A whole cluster of engines in one thread and virtual time, with disks that lose what was not
// synced, ledgers that remember, and a network that a test can bend. Everything is deterministic.
//
// It checks as it goes, and a test fails at the first breach:
//   I1 one proposal and one block per height; I2 no correct key signs two contents for one thing,
//   over all lives; I3 nothing leaves before the disk holds it; heights are executed in order, each
//   once; certificates verify; watermarks and heights never fall; memory stays within its bound.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "consensus/factory.hpp"
#include "consensus/pbft/durable_state.hpp"
#include "consensus/pbft/messages.hpp"
#include "tests/unit/consensus/test_keys.hpp"

namespace quorate::consensus::test {

inline constexpr std::uint32_t kClusterPayloadMax = 1U << 16U;

struct ClusterOptions {
  std::uint32_t members = 4;
  std::uint64_t checkpoint_interval = 8;
  std::uint32_t proposals_in_flight = 4;
  std::uint64_t seed = 1;
  Duration network_delay = std::chrono::milliseconds(2);
  Duration network_jitter{0};
  std::uint32_t loss_percent = 0;
  std::uint32_t duplicate_percent = 0;
  Duration disk_delay = std::chrono::milliseconds(1);
  Duration execute_delay = std::chrono::milliseconds(1);
  Duration proposal_ahead_max = std::chrono::seconds(10);
  std::size_t payload_bytes = 5;
  Duration view_timeout = std::chrono::seconds(1);
};

struct TestBlock {
  Digest id;
  Digest hash;
  Bytes payload;
  Bytes certificate;
};

// One replica's machine: what survives a crash, and the engine's present life.
struct Machine {
  // Survives.
  std::vector<Bytes> disk;
  std::vector<TestBlock> ledger;  // height 1 first
  // Of this life.
  std::unique_ptr<Engine> engine;
  std::uint64_t life = 0;
  bool observer = false;
  std::vector<Persist> unsynced;
  PersistToken durable;
  std::vector<Send> held;
  std::vector<Commit> executing;
  std::set<Bytes> pool;
  bool eligible = false;
  std::optional<RequestProposal> request;
  std::map<Height, Bytes> above;  // payloads proposed above the ledger's head
  std::map<Height, std::vector<crypto::ReplicaSignature>> sealed;
  std::optional<Instant> tick_at;
  std::uint64_t boundaries = 0;  // records synced and messages released, in this life
  std::optional<std::uint64_t> crash_at;
  Status last_status;
  std::vector<std::string> halts;
  std::vector<Rejected> rejected;
  std::vector<Evidence> evidence;
  std::vector<RequestSync> syncs;
  bool alive() const { return engine != nullptr; }
  Height head() const { return Height(ledger.size()); }
};

class Cluster {
 public:
  explicit Cluster(ClusterOptions options);

  void start(std::uint32_t replica);
  void start_all();
  void crash(std::uint32_t replica);
  // Crashes the running life after its `boundary`-th synced record or released message.
  void crash_at_boundary(std::uint32_t replica, std::uint64_t boundary) {
    machine(replica).crash_at = boundary;
  }
  // A payload that all replicas' clients wait for. Its first byte 0xff makes it invalid.
  void submit(const Bytes& payload);
  void submit_many(std::uint32_t count);

  void run_for(Duration duration);
  // Runs until `done` or the time is over; returns done().
  bool run_until(const std::function<bool()>& done, Duration limit);
  // Until every living replica executed `height` and sealed it.
  bool converge(Height height, Duration limit = std::chrono::seconds(20));

  // Feeds bytes through the verifier of `to`, as if peer `from` had sent them.
  Result<void> deliver(std::uint32_t from, std::uint32_t to, const Bytes& message);
  void input(std::uint32_t replica, Input input);

  Machine& machine(std::uint32_t replica) { return machines_.at(replica); }
  Engine& engine(std::uint32_t replica) { return *machine(replica).engine; }
  const crypto::Membership& membership() const { return membership_; }
  const MessageVerifier& verifier() const { return *verifier_; }
  const crypto::Signer& signer(std::uint32_t replica) const { return signers_.at(replica); }
  Instant now() const { return now_; }
  WallMs wall() const;

  // Return false to lose a message. Sees every one, also those that loss would take.
  std::function<bool(std::uint32_t from, std::uint32_t to, const pbft::Message&)> filter;
  // Sees every message that leaves a machine.
  std::function<void(std::uint32_t from, std::optional<ReplicaId> to, const Bytes&)> on_send;
  std::function<void(std::uint32_t replica, const Output&)> on_output;
  std::uint64_t messages_sent = 0;

 private:
  struct Scheduled {
    Instant at;
    std::uint64_t sequence;
    std::function<void()> run;
    bool operator>(const Scheduled& other) const {
      return std::pair(at, sequence) > std::pair(other.at, other.sequence);
    }
  };
  void at(Instant when, std::function<void()> run);
  // Runs only if the replica still lives the same life then.
  void in_life(std::uint32_t replica, Duration delay, std::function<void()> run);
  void step(std::uint32_t replica, Input input);
  void perform(std::uint32_t replica, const Output& output);
  void plan_tick(std::uint32_t replica);
  bool boundary(std::uint32_t replica);
  void synced(std::uint32_t replica, PersistToken token);
  void release(std::uint32_t replica);
  void transmit(std::uint32_t from, const Send& send);
  void executed(std::uint32_t replica);
  void propose(std::uint32_t replica);
  void update_eligible(std::uint32_t replica);
  void sync(std::uint32_t replica, const RequestSync& request);
  void check_sent(std::uint32_t from, const pbft::Message& message);
  void check_views(std::uint32_t from, const pbft::Message& message);
  void check_kept(const pbft::NewView& message);
  void check_durable(std::uint32_t from, const pbft::Message& message);
  void check_status(std::uint32_t replica);
  std::uint64_t random(std::uint64_t below);

  ClusterOptions options_;
  crypto::Membership membership_;
  TokenVerifier token_verifier_;
  std::shared_ptr<const MessageVerifier> verifier_;
  std::vector<TokenSigner> signers_;
  std::vector<Machine> machines_;
  std::priority_queue<Scheduled, std::vector<Scheduled>, std::greater<>> queue_;
  Instant now_;
  std::uint64_t sequence_ = 0;
  std::uint64_t random_state_;
  std::uint32_t submitted_ = 0;
  std::uint32_t sync_turn_ = 0;
  // Over all lives: what each key signed, and what each height became.
  std::map<std::tuple<std::uint32_t, int, View, Height>, Digest> signed_;
  std::map<std::uint32_t, View> promised_;  // the highest view that each asked for, over all lives
  std::vector<TestBlock> agreed_;
  std::map<std::uint32_t, std::pair<std::size_t, pbft::DurableState>> disk_images_;
};

}  // namespace quorate::consensus::test
