// The links between the replicas: every ordered pair has its own delay and its own share of loss,
// duplication and reordering. A frame is verified when it arrives, by the product's own
// verify_peer_message; a correct replica never sends one that fails.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "node/peer_messages.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

struct LinkFaults {
  Duration delay_min = std::chrono::microseconds(50);
  Duration delay_max = std::chrono::milliseconds(2);
  std::uint64_t spike_per_mille = 0;  // a delay of up to twenty times delay_max
  std::uint64_t loss_per_mille = 0;
  std::uint64_t duplicate_per_mille = 0;
  std::uint64_t reorder_per_mille = 0;
};

struct Frame {
  ReplicaId from;
  node::TrafficClass traffic;
  std::shared_ptr<const Bytes> body;
};

// One frame on one link, before the faults of the network are drawn: a script may lose it, hold it
// back or replace it.
struct Passage {
  ReplicaId to;
  Frame frame;
  bool lost = false;
  Duration held{0};  // later frames of the link overtake it
};

class Network {
 public:
  using Script = std::function<void(Passage&)>;
  using Receive = std::function<void(const Frame&)>;
  Network(World& world, Prng prng);

  void set_faults(const LinkFaults& faults) { faults_ = faults; }
  // Sees every frame between replicas that are up, in the order of sending.
  void set_script(Script script) { script_ = std::move(script); }
  // A cut replica neither hears nor is heard; the connections stay up, as with a pulled cable.
  void cut(ReplicaId replica, bool is_cut) { cut_.at(replica.value()) = is_cut; }
  bool is_cut(ReplicaId replica) const { return cut_.at(replica.value()); }
  // Frames in flight to an earlier life of a replica are lost with its connections.
  void attach(ReplicaId replica, Receive receive);
  void detach(ReplicaId replica);
  bool attached(ReplicaId replica) const { return bool(receive_.at(replica.value())); }

  void send(ReplicaId to, const Frame& sent);

 private:
  void deliver_after(Duration delay, ReplicaId to, const Frame& frame);

  World& world_;
  Prng prng_;
  LinkFaults faults_;
  Script script_;
  std::vector<bool> cut_;
  std::vector<Receive> receive_;
  std::vector<std::uint64_t> connection_;       // counts the lives of each replica
  std::vector<std::vector<Instant>> last_due_;  // per link, to keep order without reordering
};

}  // namespace quorate::sim
