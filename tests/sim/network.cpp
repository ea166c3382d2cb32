#include "tests/sim/network.hpp"

namespace quorate::sim {

Network::Network(World& world, Prng prng)
    : world_(world),
      prng_(prng),
      cut_(world.options.replicas),
      receive_(world.options.replicas),
      connection_(world.options.replicas),
      last_due_(world.options.replicas, std::vector<Instant>(world.options.replicas)) {}

void Network::attach(ReplicaId replica, Receive receive) {
  receive_.at(replica.value()) = std::move(receive);
}

void Network::detach(ReplicaId replica) {
  receive_.at(replica.value()) = nullptr;
  ++connection_.at(replica.value());
}

void Network::send(ReplicaId to, const Frame& sent) {
  if (!attached(to)) return;
  Passage passage{to, sent};
  if (script_) script_(passage);
  if (passage.lost) return world_.coverage.add(Happened::loss);
  const Frame& frame = passage.frame;
  if (is_cut(to) || is_cut(frame.from)) {
    world_.coverage.add(Happened::partition);
    return;
  }
  if (prng_.per_mille(faults_.loss_per_mille)) {
    world_.coverage.add(Happened::loss);
    return;
  }
  const bool spike = prng_.per_mille(faults_.spike_per_mille);
  if (spike) world_.coverage.add(Happened::delay);
  Duration delay =
      prng_.duration(faults_.delay_min, spike ? faults_.delay_max * 20 : faults_.delay_max);
  if (passage.held > Duration(0)) return deliver_after(delay + passage.held, to, frame);

  Instant& last_due = last_due_.at(frame.from.value()).at(to.value());
  const Instant due = world_.timeline.now() + delay;
  if (prng_.per_mille(faults_.reorder_per_mille)) {
    if (due < last_due) world_.coverage.add(Happened::reorder);
  } else {
    last_due = std::max(last_due, due);
    delay = last_due - world_.timeline.now();
  }
  deliver_after(delay, to, frame);
  if (prng_.per_mille(faults_.duplicate_per_mille)) {
    world_.coverage.add(Happened::duplication);
    deliver_after(delay + prng_.duration(Duration(0), faults_.delay_max * 3), to, frame);
  }
}

void Network::deliver_after(Duration delay, ReplicaId to, const Frame& frame) {
  const std::uint64_t connection = connection_.at(to.value());
  world_.timeline.after(delay, [this, to, frame, connection] {
    if (connection != connection_.at(to.value()) || !attached(to)) return;
    receive_.at(to.value())(frame);
  });
}

}  // namespace quorate::sim
