// Which misbehaviour was reported already: one report per (replica, kind, height), and no more than
// kReportsMax of one replica at a time, so that nobody can flood the log with proofs against itself
// or use up what others may have against a third. Garbage collection makes room again.
// Owned by the engine's thread.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "consensus/pbft/messages.hpp"

namespace quorate::consensus::pbft {

// What was signed twice.
enum class Offence : std::uint8_t { prepare, commit, seal, checkpoint };

constexpr Offence offence(VoteKind kind) {
  return kind == VoteKind::prepare ? Offence::prepare : Offence::commit;
}

class EvidenceFilter {
 public:
  static constexpr std::size_t kReportsMax = 64;

  // True once for each; the caller then reports it.
  bool first(ReplicaId culprit, Offence kind, Height height) {
    auto& reported = reported_[culprit];
    return reported.size() < kReportsMax && reported.insert({height, kind}).second;
  }
  // What lies below the low watermark is no longer received; seals of `low` itself may be.
  void collect_garbage(Height low) {
    for (auto& [culprit, reported] : reported_) {
      reported.erase(reported.begin(), reported.lower_bound({low, Offence{}}));
    }
  }
  std::size_t memory_bytes() const {
    constexpr std::size_t kNode = 48;
    std::size_t bytes = 0;
    for (const auto& [culprit, reported] : reported_) {
      bytes += sizeof(reported) + kNode + reported.size() * (sizeof(Report) + kNode);
    }
    return bytes;
  }

 private:
  using Report = std::pair<Height, Offence>;
  std::map<ReplicaId, std::set<Report>> reported_;  // only members sign, so this is bounded
};

}  // namespace quorate::consensus::pbft
