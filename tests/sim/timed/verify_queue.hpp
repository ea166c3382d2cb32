// What waits for the verify threads of one replica, in the order in which the node's own pool takes
// it: frames of consensus, then proposals, then block catch-up, then transactions; each peer's
// frames of a class one at a time and in order. The first thread leaves the bulk to the others.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "tests/sim/timed/machine.hpp"
#include "tests/sim/timed/wires.hpp"

namespace quorate::sim::timed {

class VerifyQueue {
 public:
  explicit VerifyQueue(std::uint32_t replicas);

  // `serve` makes the work for one frame; its `done` must call finished(flight) first.
  void frame(Flight flight);
  void payload_chunk(Work work) { payloads_.push_back(std::move(work)); }
  void client_chunk(Work work) { clients_.push_back(std::move(work)); }
  // The lane of this frame may serve its next one.
  void finished(const Flight& flight);

  using Serve = std::function<Work(Flight)>;
  std::optional<Work> next(bool bulk_too, const Serve& serve);
  void clear();

 private:
  struct Lane {
    std::deque<Flight> waiting;
    bool busy = false;
  };
  struct Class {
    std::vector<Lane> lanes;          // by peer
    std::deque<std::uint32_t> ready;  // peers whose lane has a frame and is not busy
  };
  Class& of(const Flight& flight) {
    return classes_.at(static_cast<std::size_t>(flight.frame->traffic) - 1);
  }
  std::optional<Work> from_lanes(node::TrafficClass traffic, const Serve& serve);
  static std::optional<Work> from_chunks(std::deque<Work>& chunks);
  std::optional<Work> transactions(const Serve& serve);

  std::vector<Class> classes_;
  std::deque<Work> payloads_;
  std::deque<Work> clients_;
  bool clients_next_ = false;
  unsigned turn_ = 0;
};

}  // namespace quorate::sim::timed
