// One timed run, counted: what a network does with a load, the same figures for every engine. For
// comparisons; nothing is drawn and no story told. Equal scenes give equal figures.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "tests/sim/timed/timed_run.hpp"

namespace quorate::sim::timed {

// Of those that were due after the first fifth of the load.
struct Latency {
  std::size_t count = 0;
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

struct Traffic {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

struct Measurement {
  RunEnd end;
  // Transactions that became final in the last four fifths of the load, per second of them.
  double committed_per_second = 0;
  Latency to_final;                              // until the client holds the answer
  std::array<Traffic, kMessageTypes> traffic{};  // by MessageType; each copy of a broadcast counts
  Traffic all;
  std::uint64_t lost_messages = 0;
  std::uint64_t blocks = 0;  // final heights
  double messages_per_block = 0;
  double bytes_per_block = 0;
  double messages_per_transaction = 0;
  double bytes_per_transaction = 0;
  Duration longest_stop{0};  // without a new height anywhere
  // By fault of the scene and replica: how many heights it executed while the fault lasted.
  std::vector<std::vector<std::uint64_t>> executed_during;
  // By fault that ended: how long until somebody executed a new height.
  std::vector<std::optional<Duration>> resumed_after;

  // ---- of proof of work; zero elsewhere ----
  std::map<std::uint32_t, Latency> to_depth;  // as WorkScene::depths; 1: in a block
  std::uint64_t mined = 0;
  std::uint64_t stale = 0;  // mined, and not on the branch that won
  double stale_rate = 0;
  std::map<std::uint64_t, std::uint64_t> switches;  // blocks left -> how often, over all replicas
  std::uint64_t rewinds = 0;                        // of ledgers
  std::uint64_t blocks_withdrawn = 0;               // over all replicas
  std::uint64_t deepest_withdrawal = 0;             // in blocks, of one ledger
  std::uint64_t reversed = 0;       // transactions withdrawn that were final for their client
  std::uint64_t lost_for_good = 0;  // of those, not final again when the run ended
};

Measurement measure(const Scene& scene);

}  // namespace quorate::sim::timed
