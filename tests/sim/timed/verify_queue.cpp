#include "tests/sim/timed/verify_queue.hpp"

namespace quorate::sim::timed {
namespace {

constexpr std::size_t kClasses = 3;
// How often a bulk thread serves its least urgent work first.
constexpr unsigned kBackwardsEvery = 4;

}  // namespace

VerifyQueue::VerifyQueue(std::uint32_t replicas) : classes_(kClasses) {
  for (Class& one : classes_) one.lanes.resize(replicas);
}

void VerifyQueue::frame(Flight flight) {
  Class& lanes = of(flight);
  const std::uint32_t peer = flight.frame->from.value();
  Lane& lane = lanes.lanes.at(peer);
  if (!lane.busy && lane.waiting.empty()) lanes.ready.push_back(peer);
  lane.waiting.push_back(std::move(flight));
}

void VerifyQueue::finished(const Flight& flight) {
  Class& lanes = of(flight);
  const std::uint32_t peer = flight.frame->from.value();
  Lane& lane = lanes.lanes.at(peer);
  lane.busy = false;
  if (!lane.waiting.empty()) lanes.ready.push_back(peer);
}

void VerifyQueue::clear() {
  for (Class& one : classes_) {
    one.ready.clear();
    for (Lane& lane : one.lanes) lane = Lane{};
  }
  payloads_.clear();
  clients_.clear();
}

std::optional<Work> VerifyQueue::from_lanes(node::TrafficClass traffic, const Serve& serve) {
  Class& lanes = classes_.at(static_cast<std::size_t>(traffic) - 1);
  if (lanes.ready.empty()) return std::nullopt;
  Lane& lane = lanes.lanes.at(lanes.ready.front());
  lanes.ready.pop_front();
  lane.busy = true;
  Flight flight = std::move(lane.waiting.front());
  lane.waiting.pop_front();
  return serve(std::move(flight));
}

std::optional<Work> VerifyQueue::from_chunks(std::deque<Work>& chunks) {
  if (chunks.empty()) return std::nullopt;
  Work out = std::move(chunks.front());
  chunks.pop_front();
  return out;
}

// Clients and relayed transactions take turns.
std::optional<Work> VerifyQueue::transactions(const Serve& serve) {
  clients_next_ = !clients_next_;
  if (clients_next_) {
    if (auto work = from_chunks(clients_)) return work;
    return from_lanes(node::TrafficClass::transactions, serve);
  }
  if (auto work = from_lanes(node::TrafficClass::transactions, serve)) return work;
  return from_chunks(clients_);
}

std::optional<Work> VerifyQueue::next(bool bulk_too, const Serve& serve) {
  const auto urgent = [&]() -> std::optional<Work> {
    if (auto work = from_lanes(node::TrafficClass::consensus, serve)) return work;
    return from_chunks(payloads_);
  };
  const auto bulk = [&]() -> std::optional<Work> {
    if (auto work = from_lanes(node::TrafficClass::sync, serve)) return work;
    return transactions(serve);
  };
  if (!bulk_too) return urgent();
  if (++turn_ % kBackwardsEvery == 0) {
    if (auto work = transactions(serve)) return work;
  }
  if (auto work = urgent()) return work;
  return bulk();
}

}  // namespace quorate::sim::timed
