#include "consensus/pbft/echoes.hpp"

#include <algorithm>

namespace quorate::consensus::pbft {

namespace {

// Eleven seconds of them while there is work, two minutes otherwise: longer than anybody waits.
constexpr std::size_t kRemembered = 64;

}  // namespace

std::uint64_t Echoes::send(Instant now) {
  ++sent_;
  sent_at_.push_back(now);
  if (sent_at_.size() > kRemembered) sent_at_.pop_front();
  return newest();
}

void Echoes::receive(ReplicaId from, ReplicaId self, const StatusReport& report) {
  heard_.at(from.value()) = report.number;
  executed_.at(from.value()) = report.last_executed;
  const std::uint64_t answered = report.heard.at(self.value()) - life_;
  if (answered > sent_) return;  // of another life
  std::uint64_t& newest = answered_.at(from.value());
  newest = std::max(newest, answered);
}

std::optional<Instant> Echoes::unanswered_since(ReplicaId replica) const {
  const std::uint64_t waiting = sent_ - answered_.at(replica.value());
  if (waiting == 0) return std::nullopt;
  return waiting > sent_at_.size() ? sent_at_.front()
                                   : sent_at_[sent_at_.size() - static_cast<std::size_t>(waiting)];
}

Height Echoes::claimed(std::uint32_t enough) const {
  std::vector<Height> claims = executed_;
  std::sort(claims.begin(), claims.end(), std::greater<>());
  return claims.at(enough - 1);
}

std::size_t Echoes::memory_bytes() const {
  return sent_at_.size() * sizeof(Instant) +
         (heard_.size() + answered_.size() + executed_.size()) * sizeof(std::uint64_t);
}

}  // namespace quorate::consensus::pbft
