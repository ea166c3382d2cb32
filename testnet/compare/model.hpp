// What a comparison of the two engines found, as plain data: every report is a pure function of it.
// A list that is empty was not asked for or not reached; Model::left_out says which and why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "testnet/load/probes.hpp"

namespace quorate::testnet::comparison {

enum class Engine : std::uint8_t { pbft, pow };
const char* to_string(Engine engine);  // "pbft", "pow": as --engine takes them
const char* title(Engine engine);      // "PBFT", "proof of work"

// Where a figure comes from.
enum class Origin : std::uint8_t {
  measured,   // real processes on this machine
  simulated,  // the real replicas in virtual time
  computed,   // a formula
};
const char* to_string(Origin origin);
// "meas.", "sim.", "calc.": a single letter would be read as a unit behind a number.
const char* mark(Origin origin);

// One figure of several runs. Of five runs the least and the greatest are a 93.75 % confidence
// interval of the median, whatever the distribution: each run lies above it with chance one half.
struct Figure {
  double median = 0;
  double low = 0;
  double high = 0;
  std::size_t runs = 0;
  std::vector<double> values = {};  // in the order of the runs
};
Figure figure_of(std::vector<double> values);
// Of the interval from `low` to `high` for so many runs, in percent; 0 for one run.
double confidence_percent(std::size_t runs);

struct Setting {
  Engine engine = Engine::pbft;
  Origin origin = Origin::measured;
  std::uint32_t nodes = 4;
  double delay_ms = 0;  // one way between any two nodes, besides what loopback takes
};

// ---- 1. throughput ----

struct Rung {
  double offered = 0;    // transactions per second
  double committed = 0;  // of them final (at the chosen depth, where work decides)
  double p50_ms = 0;
  double p99_ms = 0;
  bool sustained = false;  // all became final, and p99 stayed flat
  // Of this rate in all, and how many of those were final when nobody waited any longer.
  std::uint64_t sent = 0;
  std::uint64_t finals = 0;
};
// Which payments Rung::committed counts: by when they became final, not by when they were sent, so
// it can exceed what was sent meanwhile.
const char* committed_counts(const Setting& setting);
struct Throughput {
  Setting setting;
  std::vector<Rung> curve;  // of the first run, in the order of the offered rate
  Figure sustained;         // the highest offered rate that was
  bool at_least = false;    // no rate was tried that was not
  double seconds = 0;       // how long the longest rung lasted
};

// ---- 2. latency ----

struct Latency {
  Setting setting;
  std::uint32_t depth = 0;  // 0: block certificate and proof of the receipt; 1: in a block
  double rate = 0;          // transactions per second meanwhile; 0: one at a time
  Figure p50_ms;
  Figure p95_ms;
  Figure p99_ms;
};
// From how many blocks on an attacker's chance to reverse a payment is below the bound.
struct SafeDepth {
  double attacker_share = 0;
  double bound = 0;
  std::uint32_t depth = 0;
  std::uint32_t nakamoto = 0;
};

// ---- 3. cost ----

struct CpuPart {
  std::string what;
  double us_per_tx = 0;  // of all nodes together
};
struct Cost {
  Setting setting;
  double rate = 0;       // transactions per second while it was measured
  double us_per_tx = 0;  // CPU time of all nodes together
  std::vector<CpuPart> parts;
  double hashes_per_tx = 0;
  double joules_per_tx = 0;                  // CPU time times the stated power of a busy core
  std::optional<double> rapl_joules_per_tx;  // the whole machine's meter, where there is one
  double p2p_bytes_per_tx = 0;
  double p2p_messages_per_tx = 0;
};
// Test-bed difficulty protects from nobody. What the honest miners must spend so that an attacker
// of this power has at most this share of the hash rate.
struct Budget {
  std::string attacker;
  double attacker_watts = 0;
  double attacker_share = 0;
  double honest_watts = 0;
  double kwh_per_tx = 0;  // at the throughput that proof of work sustained
};

// ---- 4. messages ----

struct TrafficType {
  std::string type;
  double messages_per_block = 0;
  double bytes_per_block = 0;
};
struct Traffic {
  Setting setting;
  double rate = 0;
  std::uint64_t blocks = 0;
  // To agree on blocks: all but relayed transactions.
  double messages_per_block = 0;
  double bytes_per_block = 0;
  double relays_per_tx = 0;    // messages that pass on waiting transactions
  double messages_per_tx = 0;  // all of them
  double bytes_per_tx = 0;
  double formula_per_block = 0;    // votes: (n-1) + (n-1)^2 + n(n-1), and n(n-1) seals
  double stale_rate = 0;           // of mined blocks
  std::vector<TrafficType> types;  // most bytes first
};

// ---- 5. partition ----

struct Partition {
  Setting setting;
  std::string sides;  // "2 | 2"
  double cut_s = 0;
  std::vector<std::uint64_t>
      blocks;                       // that each side made final meanwhile, in the order of `sides`
  std::uint64_t reversed = 0;       // transactions that had been final for somebody
  std::uint64_t deepest = 0;        // blocks that one ledger took back at once
  std::uint64_t lost_for_good = 0;  // of the reversed, not final again at the end
  std::optional<double> resumed_s;  // after healing, until the network was one again
};

// ---- 6. faulty members and attackers ----

struct AttackPoint {
  double share = 0;
  std::uint32_t depth = 0;
  double exact = 0;
  double nakamoto = 0;
  std::uint64_t trials = 0;  // of a private fork against the real engine; 0: not tried
  std::uint64_t succeeded = 0;
};
// A miner with this share of the hash rate who keeps his blocks back as Eyal and Sirer have it.
struct SelfishPoint {
  double share = 0;
  double ties_won = 0;       // of races between two branches of one length
  double formula = 0;        // his share of the blocks that count
  std::uint64_t blocks = 0;  // that counted while it was tried out with the real engines; 0: not
  double revenue = 0;        // his share of them
  double off_by = 0;         // at most, with 95 % confidence
  double stale_rate = 0;     // of all blocks
};
// The interval that holds the chance behind `succeeded` of `trials` with 95 % confidence (Wilson).
struct Interval {
  double low = 0;
  double high = 0;
};
Interval wilson(std::uint64_t succeeded, std::uint64_t trials);

struct FaultRow {
  Setting setting;
  std::string what;  // "1 of 4 crashed", "the primary lies"
  std::uint32_t faulty = 0;
  std::uint64_t blocks = 0;  // final while it lasted
  double longest_stop_s = 0;
  std::uint64_t reversed = 0;
  bool goes_on = false;
};

// Members that lie together and tell halves of the others different things.
struct LiarsRow {
  Setting setting;
  std::uint32_t liars = 0;
  std::uint32_t tolerated = 0;
  bool forked = false;        // honest members executed different blocks
  std::uint64_t blocks = 0;   // final meanwhile, for an honest member
  std::uint32_t named = 0;    // liars whose own signatures contradict each other
  std::uint32_t wronged = 0;  // honest members of whom that could be said
  bool goes_on = false;       // once all hear each other; asked of no more liars than tolerated
};

// ---- 7. recovery and clients ----

// The longest time between two blocks that chance alone gives: on average, and what this share of
// all runs lies within.
inline constexpr double kGapShare = 0.9;
struct LongestGap {
  double mean_s = 0;
  double low_s = 0;
  double high_s = 0;
};
struct Recovery {
  Setting setting;
  std::string what;  // "leader killed", "one node after another killed", "a new node fetches all"
  Figure seconds;
  double usual_s = 0;        // the same stop in as long a time without any fault; 0: not known
  double rate_share = 1;     // of what was offered, final in the end
  std::uint64_t blocks = 0;  // fetched, by a new node
  std::uint64_t transactions = 0;
  double watched_s = 0;  // in which `seconds` was the longest stop; 0: does not apply
  // Where blocks are mined, computed for that time: with the miners that were left, and with all of
  // them, whose mean is `usual_s`.
  std::optional<LongestGap> by_chance = {};
  std::optional<LongestGap> by_chance_with_all = {};
};
struct ProofSize {
  Setting setting;
  double proof_bytes = 0;      // of one receipt, as the API sends it
  double headers_per_day = 0;  // bytes a light client takes in besides, each day
  std::string checks;          // what it checks
};

// ---- the run ----

struct Machine {
  Probes probes;
  double hash_rate = 0;  // of one thread, per second
  double steal = 0;      // share of all CPU time that the hypervisor took while measuring
  // What work costs in the simulator, in nanoseconds; empty where nothing was simulated.
  std::vector<std::pair<std::string, std::int64_t>> simulated_costs = {};
  std::string processor;
  std::string kernel;
};
struct PowChain {
  std::uint64_t interval_ms = 2000;
  std::uint32_t depth = 6;
  std::uint64_t half_life_s = 120;
  unsigned duty_percent = 5;  // of one processor, that each node mines with
};
struct LeftOut {
  std::string what;
  std::string why;
};
struct Model {
  std::string version;
  std::string started;  // RFC 3339, UTC
  std::string kind;     // "full", "shortened", "tiny"
  std::string again;    // the command that does the same
  std::uint64_t seed = 1;
  double planned_s = 0;
  double took_s = 0;
  double watts_per_core = 10;
  PowChain chain;
  Machine machine;
  std::vector<std::string> shortened;  // what differs from the full comparison
  std::vector<LeftOut> left_out;

  std::vector<Throughput> throughput;
  std::vector<Latency> latency;
  std::vector<SafeDepth> safe_depths;
  std::vector<Cost> costs;
  std::vector<Budget> budgets;
  std::vector<Traffic> traffic;
  std::vector<Partition> partitions;
  std::vector<AttackPoint> attack;
  std::vector<SelfishPoint> selfish;
  std::vector<FaultRow> faults;
  std::vector<LiarsRow> liars;
  std::vector<Recovery> recovery;
  std::vector<ProofSize> proofs;
};

// The depth that P < bound takes against this share; 0 when the model has none.
std::uint32_t safe_depth(const Model& model, double attacker_share, double bound);
// Measured if there is one, else simulated with the fewest nodes and the least delay; null without.
// Of several rates the lowest one that is one.
const Throughput* throughput_of(const Model& model, Engine engine);
const Cost* cost_of(const Model& model, Engine engine);
const Latency* latency_of(const Model& model, Engine engine, std::uint32_t depth);
const Partition* partition_of(const Model& model, Engine engine);
const Recovery* recovery_of(const Model& model, Engine engine, const std::string& what);
const ProofSize* proof_of(const Model& model, Engine engine);
// Of the largest network of at most 31 nodes that was simulated with both engines, at the least
// delay; null without.
const Traffic* medium_traffic(const Model& model, Engine engine);

inline constexpr const char* kLeaderKilled = "leader killed";
inline constexpr const char* kChurn = "one node after another killed";
inline constexpr const char* kNewNode = "a new node fetches everything";

}  // namespace quorate::testnet::comparison
