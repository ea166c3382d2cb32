// Proof-of-work engines in one thread and virtual time, with disks that lose what was not synced,
// ledgers that remember and go back, a network that a test can bend, and miners that win by lot
// instead of hashing. Everything is deterministic.
//
// It checks as it goes, and a test fails at the first breach (docs/ordering.md numbers
// them):
//   W1 a Commit stands on the one before, k deep on the preferred branch, with the payload that its
//   header names; W4 heights in order, each once until a Rewind takes it back, none while one is
//   under way; W5 what makes a Commit deep is in the synced log, and so is an own block before
//   anybody hears of it; W6 memory. And the host knows whatever a proposal must not repeat.
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
#include "consensus/pow/messages.hpp"
#include "crypto/work/header_rules.hpp"
#include "crypto/work/work_function.hpp"
#include "tests/unit/consensus/test_keys.hpp"

namespace quorate::consensus::test {

inline constexpr std::uint32_t kPowPayloadMax = 1U << 16U;

// An id proves work if a miner of the cluster drew it.
class Lottery final : public crypto::work::WorkFunction {
 public:
  bool meets(const crypto::work::Header&, const Digest& id) const override {
    return winners_.count(id) != 0;
  }
  // The nonce with which `header` wins from now on.
  std::uint64_t draw(crypto::work::Header header) {
    header.nonce = ++drawn_;
    winners_.insert(crypto::work::id_of(header));
    return header.nonce;
  }

 private:
  std::set<Digest> winners_;
  std::uint64_t drawn_ = 0;
};

// What the test ledgers make of a payload.
Digest pow_genesis_hash();
Digest pow_block_hash(const Digest& before, const Bytes& payload);

struct PowOptions {
  std::uint32_t members = 4;
  std::uint64_t seed = 1;
  std::uint64_t depth = 3;
  Duration network_delay = std::chrono::milliseconds(20);
  Duration network_jitter = std::chrono::milliseconds(10);
  std::uint32_t loss_percent = 0;
  Duration disk_delay = std::chrono::milliseconds(2);
  Duration execute_delay = std::chrono::milliseconds(5);
  double hashes_per_second = 131'072;   // of each machine
  std::uint64_t rewind_max = 0;         // of an engine; 0: its own choice
  std::uint64_t ahead_max = 0;          // likewise
  std::size_t padding = 0;              // bytes in each payload that mean nothing
  std::size_t memory_max = 64U << 20U;  // of an engine
};

struct PowBlock {
  Digest id;
  Digest hash;
  Bytes payload;
  Bytes certificate;
};

struct PowMachine {
  // Survives a crash.
  std::vector<Bytes> disk;
  std::vector<PowBlock> ledger;  // height 1 first
  std::set<Digest> logged;       // the blocks on the disk
  // Of this life.
  std::unique_ptr<Engine> engine;
  std::uint64_t life = 0;
  std::vector<Persist> unsynced;
  PersistToken durable;
  std::vector<Send> held;
  std::vector<Commit> executing;
  std::optional<Height> rewinding;
  Height committed;
  // Payloads that were validated and lie less than the depth below the ledger's head.
  std::map<Digest, std::pair<Height, Bytes>> known;
  std::set<std::uint32_t> pool;  // transactions
  std::optional<WorkToken> working;
  std::vector<Digest> tentative;
  std::optional<Instant> tick_at;
  std::uint64_t boundaries = 0;  // records synced and messages released, in this life
  std::optional<std::uint64_t> crash_at;
  double hashes_per_second = 0;
  std::vector<std::string> halts;
  std::vector<Rejected> rejected;
  std::vector<Height> rewinds;
  bool alive() const { return engine != nullptr; }
  Height head() const { return Height(ledger.size()); }
};

class PowCluster {
 public:
  explicit PowCluster(PowOptions options);

  void start(std::uint32_t machine);
  void start_all();
  void crash(std::uint32_t machine);
  // Transactions that all machines know. Each is in a branch once at most.
  void submit(std::uint32_t count);

  void run_for(Duration duration);
  bool run_until(const std::function<bool()>& done, Duration limit);
  // Until all living machines have one tip and one ledger.
  bool settle(Duration limit = std::chrono::seconds(60));
  bool reached(Height height) const;
  std::string describe();  // for a test that fails

  void input(std::uint32_t machine, Input input) { step(machine, std::move(input)); }
  // Feeds a message through the verifier of `to`, as if peer `from` had sent it.
  Result<void> deliver(std::uint32_t from, std::uint32_t to, const Bytes& message);
  PowMachine& machine(std::uint32_t index) { return machines_.at(index); }
  Engine& engine(std::uint32_t index) { return *machine(index).engine; }
  Status::Branch branch(std::uint32_t index) { return *engine(index).status().branch; }
  // From now on a block takes so long.
  void set_execute_delay(Duration delay) { options_.execute_delay = delay; }
  const crypto::work::HeaderRules& rules() const { return rules_; }
  const MessageVerifier& verifier() const { return *verifier_; }
  Lottery& lottery() { return lottery_; }
  Instant now() const { return now_; }
  WallMs wall() const;
  std::uint64_t random(std::uint64_t below);

  // Return false to lose a message.
  std::function<bool(std::uint32_t from, std::uint32_t to, const pow::Message&)> filter;
  std::function<void(std::uint32_t machine, const Output&)> on_output;
  // Return false: the payload is invalid.
  std::function<bool(const Bytes& payload)> judge;
  std::map<std::string, std::uint64_t> sent;  // by type, per receiver

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
  // Runs only if the machine still lives the same life then.
  void in_life(std::uint32_t machine, Duration delay, std::function<void()> run);
  void step(std::uint32_t machine, Input input);
  void perform(std::uint32_t machine, const Output& output);
  void plan_tick(std::uint32_t machine);
  bool boundary(std::uint32_t machine);
  void persist(std::uint32_t machine, const Persist& record);
  void release(std::uint32_t machine);
  void transmit(std::uint32_t from, const Send& send);
  void propose(std::uint32_t machine, const RequestProposal& request);
  void work(std::uint32_t machine, const StartWork& start);
  void commit(std::uint32_t machine, const Commit& commit);
  void execute(std::uint32_t machine);
  void forget_payloads(std::uint32_t machine);
  void rewind(std::uint32_t machine, const Rewind& rewind);
  void load(std::uint32_t machine, const LoadPayload& load);
  void load(std::uint32_t machine, const LoadCertificates& load);
  void check_commit(const PowMachine& machine, const Commit& commit);
  std::vector<pow::FullBlock> blocks_of(const Persist& record) const;
  void check_durable(std::uint32_t from, const pow::Message& message) const;
  Digest hash_at(const PowMachine& machine, Height height) const;
  EngineConfig config_of(std::uint32_t machine) const;

  PowOptions options_;
  crypto::Membership membership_;
  TokenVerifier token_verifier_;
  Lottery lottery_;
  crypto::work::HeaderRules rules_;
  std::shared_ptr<const MessageVerifier> verifier_;
  std::vector<TokenSigner> signers_;
  std::vector<PowMachine> machines_;
  std::priority_queue<Scheduled, std::vector<Scheduled>, std::greater<>> queue_;
  Instant now_;
  std::uint64_t sequence_ = 0;
  std::uint64_t random_state_;
  std::uint32_t submitted_ = 0;
  std::set<Digest> ever_logged_;      // blocks that any disk held
  std::map<Digest, Digest> parents_;  // of every block that any log ever held
  std::vector<Digest> walked_;        // from a tip down, as far as somebody looked
};

// A branch that a test makes by hand: every header keeps the rules and wins.
class Branch {
 public:
  // From genesis.
  explicit Branch(PowCluster& cluster)
      : cluster_(cluster), context_(cluster.rules().genesis()), hashes_{pow_genesis_hash()} {}

  // The next block. `shape` may change the header before it is drawn.
  pow::FullBlock next(const Bytes& payload = Bytes(4),
                      const std::function<void(crypto::work::Header&)>& shape = nullptr);
  // One that somebody else made.
  void follow(const pow::FullBlock& block);
  const crypto::work::Context& context() const { return context_; }
  std::uint64_t seconds_between = 1;  // of the blocks' times
  std::uint32_t miner = 1;

 private:
  PowCluster& cluster_;
  crypto::work::Context context_;
  std::vector<Digest> hashes_;  // by height
};

// Answers questions for headers from a branch made by hand, as a replica does.
struct HeaderServer {
  std::vector<pow::Identified> headers;  // height 1 first

  pow::Headers answer(const pow::AskHeaders& question) const;
};

}  // namespace quorate::consensus::test
