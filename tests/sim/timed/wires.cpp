#include "tests/sim/timed/wires.hpp"

namespace quorate::sim::timed {
namespace {

// TCP, IP and Ethernet around a frame of the usual size.
constexpr std::size_t kHeaderBytes = 78;
constexpr std::uint64_t kMillion = 1'000'000;

bool shows_blocks(MessageType type) {
  return type == MessageType::announce || type == MessageType::headers ||
         type == MessageType::block;
}

}  // namespace

Wires::Wires(const Scene& scene, Timeline& timeline, Prng prng, Watcher& watcher, Arrive arrive)
    : scene_(scene),
      timeline_(timeline),
      prng_(prng),
      watcher_(watcher),
      arrive_(std::move(arrive)),
      hidden_(scene.replicas),
      line_free_(scene.replicas),
      last_due_(scene.replicas, std::vector<Instant>(scene.replicas)) {}

Duration Wires::transmission(std::size_t bytes) const {
  if (scene_.links.bits_per_second == 0) return Duration(0);
  const std::uint64_t bits = 8U * (bytes + kHeaderBytes);
  return Duration(
      static_cast<Duration::rep>(bits * kNanosecondsPerSecond / scene_.links.bits_per_second));
}

void Wires::send(Flight flight) {
  const std::uint32_t from = flight.frame->from.value();
  const std::uint32_t to = flight.to.value();
  const bool drop = prng_.below(kMillion) < scene_.links.loss_ppm;
  const bool hidden = hidden_.at(from) && shows_blocks(flight.frame->type);
  if (drop || hidden || separated(flight.frame->from, flight.to)) {
    return watcher_.lost(timeline_.now(), flight.number);
  }
  Instant& line = line_free_.at(from);
  line = std::max(line, timeline_.now()) + transmission(flight.frame->body.size());
  const Duration jitter = prng_.duration(Duration(0), scene_.links.jitter);
  Instant& last = last_due_.at(from).at(to);
  last = std::max(
      last, line + scene_.links.delay.at(from).at(to) + jitter + nanoseconds(scene_.costs.hop));
  timeline_.at(last, [this, flight = std::move(flight)]() mutable {
    // What is on its way when the cable is pulled is lost too.
    if (separated(flight.frame->from, flight.to)) {
      return watcher_.lost(timeline_.now(), flight.number);
    }
    arrive_(std::move(flight));
  });
}

void Wires::split(std::size_t partition, std::vector<ReplicaId> side) {
  std::vector<bool> inside(scene_.replicas);
  for (const ReplicaId replica : side) inside.at(replica.value()) = true;
  sides_[partition] = std::move(inside);
}

void Wires::heal(std::size_t partition) { sides_.erase(partition); }

bool Wires::separated(ReplicaId a, ReplicaId b) const {
  return std::any_of(sides_.begin(), sides_.end(), [&](const auto& entry) {
    return entry.second.at(a.value()) != entry.second.at(b.value());
  });
}

}  // namespace quorate::sim::timed
