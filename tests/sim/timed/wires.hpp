// The links of a timed run: delay and jitter for every ordered pair, a line of limited bandwidth
// out of every replica, loss, and partitions. Frames of one link stay in order, as on a connection.
// A lost frame is gone: the protocol's own retransmission has to repair it. One run owns it.
#pragma once

#include <functional>
#include <map>

#include "tests/sim/prng.hpp"
#include "tests/sim/timed/frame.hpp"
#include "tests/sim/timed/scene.hpp"
#include "tests/sim/timeline.hpp"

namespace quorate::sim::timed {

// One copy of a frame.
struct Flight {
  FramePtr frame;
  ReplicaId to;
  std::uint32_t number = 0;  // the watcher's
};

class Wires {
 public:
  using Arrive = std::function<void(Flight)>;
  Wires(const Scene& scene, Timeline& timeline, Prng prng, Watcher& watcher, Arrive arrive);

  void send(Flight flight);
  // From now on nothing passes between this side and the others, in either direction.
  void split(std::size_t partition, std::vector<ReplicaId> side);
  void heal(std::size_t partition);
  // Of proof of work: what holds its blocks reaches nobody.
  void hide(ReplicaId replica, bool hidden) { hidden_.at(replica.value()) = hidden; }
  bool separated(ReplicaId a, ReplicaId b) const;

 private:
  Duration transmission(std::size_t bytes) const;

  const Scene& scene_;
  Timeline& timeline_;
  Prng prng_;
  Watcher& watcher_;
  Arrive arrive_;
  std::vector<bool> hidden_;                        // by sender
  std::vector<Instant> line_free_;                  // likewise
  std::vector<std::vector<Instant>> last_due_;      // by link
  std::map<std::size_t, std::vector<bool>> sides_;  // by partition: who is on its named side
};

}  // namespace quorate::sim::timed
