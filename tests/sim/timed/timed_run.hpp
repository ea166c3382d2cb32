// A timed run from start to end. The run is deterministic and single-threaded; the watcher hears of
// everything in order of virtual time.
#pragma once

#include <optional>
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

struct RunEnd {
  Duration ended{0};  // virtual time
  std::uint64_t events = 0;
  std::size_t offered = 0;     // transactions that were due
  std::size_t unfinished = 0;  // of those, not final when the run ended
  Height height;               // the highest that somebody executed
  std::vector<NodeEnd> nodes;
  std::vector<Duration> cpu;  // given by each machine
  // Two replicas that never misbehaved executed different blocks, or a correct one sent what does
  // not verify: a bug. Nothing = every block was the same everywhere.
  std::optional<std::string> violation;
};

RunEnd run(const Scene& scene, Watcher& watcher, Stopwatch* stopwatch = nullptr);

}  // namespace quorate::sim::timed
