// One run of the simulator: what goes in and what comes out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/instant.hpp"
#include "ledger/types/genesis.hpp"
#include "tests/sim/coverage.hpp"

namespace quorate::sim {

// A rule broken on purpose, to see the matching invariant fire.
enum class Canary : std::uint8_t {
  none,
  early_persisted,      // I3: one disk reports votes as durable before they are
  other_payload,        // I1: one replica executes a different payload
  second_vote,          // I2: one replica signs a second vote for a slot and sends it
  minted_money,         // I4: one account has more than the genesis and transfers give it
  unasked,              // I4: a transaction that nobody submitted is committed
  forged_seal,          // I5: a block certificate is stored with a signature that is none
  hoarder,              // I8: one mempool reports a gigabyte
  other_replay,         // I7: the replay starts from another genesis
  forgotten_votes,      // I10: a disk loses synced votes in a crash
  deaf_replica,         // heal: one replica hears nothing for ever
  collusion,            // I1: f+1 replicas equivocate together; I12 must name them
  silent_rewind,        // W4: of what a rewind withdraws one transaction is not reported
  forgotten_withdrawn,  // W4: what a rewind withdraws waits no more
  by_height,            // W2: one replica prefers the highest branch, not the one of most work
};

struct Options {
  bool pow = false;          // proof of work instead of PBFT
  bool small_scope = false;  // a scenario of few heights and rounds instead of a long run
  std::uint64_t seed = 1;
  std::uint32_t replicas = 4;
  std::uint64_t blocks = 110;  // at least so many before the heal phase of a long run
  bool faults = true;
  bool byzantine = false;  // some replicas are, within the fault budget
  bool usurper = false;    // the only one, and only from some height on: it forges its NEW-VIEW
  bool real_signatures = false;
  bool trace = false;  // one line per event on standard output
  Canary canary = Canary::none;
  std::optional<ledger::ConsensusParameters> parameters;  // of the chain; drawn if there are none
};

// What one seed means everywhere: every size from 4 to 10 in turn; one seed in a hundred uses real
// signatures, one in twenty-five has no faults at all, a third has Byzantine replicas, of these a
// fifth a usurper.
inline Options usual_options(std::uint64_t seed) {
  Options out;
  out.seed = seed;
  out.replicas = static_cast<std::uint32_t>(4 + seed % 7);
  out.real_signatures = seed % 100 == 50;
  out.faults = seed % 25 != 7;
  out.byzantine = out.faults && seed % 3 == 1;
  out.usurper = seed % 15 == 13;
  return out;
}

// Of proof of work: four to seven replicas, and the same one in twenty-five without faults.
inline Options usual_pow_options(std::uint64_t seed) {
  Options out;
  out.pow = true;
  out.seed = seed;
  out.replicas = static_cast<std::uint32_t>(4 + seed % 4);
  out.real_signatures = seed % 100 == 50;
  out.faults = seed % 25 != 7;
  return out;
}

// Of small-scope scenarios: four replicas, in one of five 4 to 7; one in a hundred with real
// signatures.
inline Options usual_small_options(std::uint64_t seed) {
  Options out;
  out.small_scope = true;
  out.seed = seed;
  out.replicas = static_cast<std::uint32_t>(seed % 5 == 0 ? 4 + seed / 5 % 4 : 4);
  out.real_signatures = seed % 100 == 50;
  return out;
}

struct Violation {
  std::string invariant;  // "I1" .. "I12", "heal", "stall", "halt", "contract"
  std::string detail;
};

struct Outcome {
  std::optional<Violation> violation;
  std::uint64_t trace_hash = 0;
  std::uint64_t events = 0;
  std::uint64_t blocks = 0;
  std::uint64_t transactions = 0;  // committed, without the skipped ones
  std::uint64_t view = 0;          // the highest in the end
  Duration virtual_time{0};
  std::size_t memory_max = 0;    // bytes that one replica held at most
  std::size_t memory_bound = 0;  // and was allowed to
  Coverage coverage;
  // Whom the wire log blames, and whether they are more than f and all of them faulty (I12).
  std::vector<std::uint32_t> culprits;
  bool culprits_explain_a_fork = false;
};

// A long run or a small-scope scenario. Deterministic: equal options give equal outcomes, byte for
// byte. One thread per run.
Outcome run(const Options& options);
Outcome run_small_scope(const Options& options);

}  // namespace quorate::sim
