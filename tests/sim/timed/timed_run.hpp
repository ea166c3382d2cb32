// A timed run from start to end. The run is deterministic and single-threaded; the watcher hears of
// everything in order of virtual time.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/timed/frame.hpp"
#include "tests/sim/timed/scene.hpp"
#include "tests/sim/timed/stopwatch.hpp"

namespace quorate::sim::timed {

struct NodeEnd {
  bool up = false;
  Height height;
  Digest block_hash;
  View view;
  bool voting = false;
  std::string not_ready_reason;
};

// How proof of work ended.
struct WorkEnd {
  std::vector<pow::MinedBlock> blocks;  // that were ever mined, in order
  Digest best;                          // tip of the branch of most work that anybody prefers
  std::set<Digest> on_best;
  std::uint64_t reversed = 0;       // transactions withdrawn that were final for their client
  std::uint64_t lost_for_good = 0;  // of those, not final again when the run ended
};

struct RunEnd {
  Duration ended{0};  // virtual time
  std::uint64_t events = 0;
  std::size_t offered = 0;     // transactions that were due
  std::size_t unfinished = 0;  // of those, not final when the run ended
  Height height;               // the highest that somebody executed
  std::vector<NodeEnd> nodes;
  std::vector<Duration> cpu;  // given by each machine
  std::optional<WorkEnd> work;
  // Two replicas that never misbehaved executed different blocks (where work decides: made
  // different blocks of the same order), or a correct one sent what does
  // not verify: a bug. Nothing = every block was the same everywhere.
  std::optional<std::string> violation;
};

RunEnd run(const Scene& scene, Watcher& watcher, Stopwatch* stopwatch = nullptr);

}  // namespace quorate::sim::timed
