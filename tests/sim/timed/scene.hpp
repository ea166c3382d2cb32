// What a timed run is made of: replicas, machines, links, load and faults. Unlike the seeds of
// options.hpp, whose faults are drawn at random to find bugs, a scene is staged: it says what
// happens and when, charges CPU time for what the replicas do, and shows every message to a
// Watcher. Equal scenes give equal runs, to the last byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/instant.hpp"
#include "crypto/base/strong_int.hpp"
#include "tests/sim/pow/chain_options.hpp"
#include "tests/sim/timed/costs.hpp"

namespace quorate::sim::timed {

inline constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

struct Links {
  std::vector<std::vector<Duration>> delay;  // one way, by sender and receiver
  Duration jitter{0};                        // up to so much more, drawn for every frame
  std::uint32_t loss_ppm = 0;                // of a million frames
  std::uint64_t bits_per_second = 0;         // of each replica's line outwards; 0 = no limit
};

enum class FaultKind : std::uint8_t {
  crash,
  partition,
  equivocate,
  slow,
  hide,  // proof of work: hears everybody and shows nobody its blocks
};

struct Fault {
  FaultKind kind = FaultKind::crash;
  std::vector<ReplicaId> replicas;  // empty: whoever is primary then
  Duration at{0};
  std::optional<Duration> until;  // crash: it starts again; others: the fault ends
  Duration pace{0};               // slow: proposes once in so long
};

// The chain and the miners of a scene that orders by proof of work. Miners win by lot: they cost
// no CPU time.
struct WorkScene {
  pow::ChainOptions chain;
  std::vector<std::uint64_t> hash_shares;  // by replica, to any sum; empty: equal
  std::vector<std::uint32_t> depths;       // latencies are measured to these too (1: in a block)
};

struct Scene {
  std::optional<WorkScene> work;  // none: PBFT
  std::uint32_t replicas = 4;
  std::uint64_t seed = 1;
  Duration length = std::chrono::seconds(5);  // of the load
  Duration drain = std::chrono::seconds(10);  // at most so long for what is not final by then
  Duration tail{0};           // goes on for so long after the load even when everything is final
  std::uint32_t rate = 1000;  // transactions per second
  std::uint32_t accounts = 512;
  unsigned cores = 2;        // of each machine
  bool one_machine = false;  // all replicas and the clients share one
  unsigned neighbours = 0;   // threads of other programs on each machine that always want a core
  std::uint64_t checkpoint_interval = 128;
  Duration batch_delay = std::chrono::milliseconds(2);
  Links links;
  Costs costs;
  std::vector<Fault> faults;
};

}  // namespace quorate::sim::timed
