// What a replica says of itself: for status pages, and whether clients should turn to it.
#include "crypto/base/mutant.hpp"
#include "node/replica_impl.hpp"

namespace quorate::node {

ReplicaStatus Replica::Impl::status() const {
  ReplicaStatus out;
  out.consensus = parts.engine->status();
  if (out.consensus.observer && !host_reason.empty()) out.consensus.observer_reason = host_reason;
  out.head = head;
  out.target = std::max(out.consensus.highest_evidence, head.height);
  // A node that keeps up is always a few heights behind what is being agreed on.
  const std::uint64_t behind = out.target.value() - head.height.value();
  out.syncing = catch_up.active() || behind > config.genesis.consensus.proposals_in_flight;
  out.peers = membership.size() - (config.self ? 1 : 0);
  count_peers(out);
  for (const auto& [type, count] : messages) out.messages.push_back({type, count.in, count.out});
  out.rewind_dropped = rewind_dropped;
  out.blind_proposals = blind_proposals;
  out.halted = halted.value_or("");
  out.not_ready_reason = not_ready_reason(out);
  out.ready = out.not_ready_reason.empty();
  return out;
}

// A connection outlives the line for a while: what counts is whether anything comes over it. And a
// line that is too slow for what is sent over it delivers everything, minutes late: what counts is
// how long an answer takes.
void Replica::Impl::count_peers(ReplicaStatus& out) const {
  const Duration silence_max = parts.traits.silence_max;
  out.peers_connected = static_cast<std::uint32_t>(peers.size());
  for (const auto& [peer, connection] : peers) {
    if (silence_max > Duration(0) && now - connection.heard > silence_max) {
      ++out.peers_silent;
    } else if (is_late(peer, connection.since, out.consensus)) {
      ++out.peers_late;
    }
  }
}

bool Replica::Impl::is_late(ReplicaId peer, Instant expected_since,
                            const consensus::Status& status) const {
  const Duration most = parts.traits.answer_max;
  if (most == Duration(0) || peer.value() >= status.unanswered.size()) return false;
  const std::optional<Instant>& asked = status.unanswered[peer.value()];
  return asked && now - std::max(*asked, expected_since) > most &&
         !QUORATE_MUTANT(late_peers_counted);
}

// Empty when those that can be reached are enough. Where commits can be withdrawn a replica goes on
// without anybody, but what it commits then is worth nothing to a client.
std::string Replica::Impl::unreachable_reason(const ReplicaStatus& status) const {
  const std::uint32_t heard = status.peers_connected - status.peers_silent - status.peers_late;
  const bool alone = tentative_order() && membership.size() > 1 && heard == 0;
  const std::uint32_t needed = parts.traits.connected_min;
  if (heard + 1 >= needed && !alone) return {};
  std::string out = "connected to " + std::to_string(status.peers_connected) + " of " +
                    std::to_string(membership.size() - 1) + " peers";
  const auto in_seconds = [](Duration time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
  };
  if (status.peers_silent > 0) {
    out += ", " + std::to_string(status.peers_silent) + " of which said nothing for " +
           in_seconds(parts.traits.silence_max);
  }
  if (status.peers_late > 0) {
    const Height known = std::max(status.target, status.consensus.claimed_height);
    const std::uint64_t behind = known.value() - status.head.height.value();
    out += ", " + std::to_string(status.peers_late) + " of which answer more than " +
           in_seconds(parts.traits.answer_max) + " late (a slow line): this node is at height " +
           std::to_string(status.head.height.value()) + ", at least " + std::to_string(behind) +
           " blocks behind";
  }
  if (alone) {
    return out +
           "; what it commits by itself is withdrawn when it hears of a branch with more work";
  }
  return out + "; it takes " + std::to_string(needed) + " nodes to commit, this one included";
}

std::string Replica::Impl::not_ready_reason(const ReplicaStatus& status) const {
  if (halted) return "halted: " + *halted;
  if (!state) return "starting";
  if (!config.self) return "this node follows the chain without a validator key";
  if (status.consensus.observer) return "observer: " + status.consensus.observer_reason;
  if (status.consensus.executing_again_to > Height(0)) {
    return "its ledger was replaced: executing the chain again, at height " +
           std::to_string(head.height.value()) + " of " +
           std::to_string(status.consensus.executing_again_to.value());
  }
  if (const auto& branch = status.consensus.branch; branch && branch->parted_at) {
    return "on another chain than its peers since about height " +
           std::to_string(branch->parted_at->value()) +
           ", which is too far below to change over; theirs has more work: " + kPartedRemedy;
  }
  if (auto reason = unreachable_reason(status); !reason.empty()) return reason;
  if (status.consensus.starting) {
    return parts.traits.mines ? "starting: asking peers for headers"
                              : "starting: asking peers what they hold of this node";
  }
  if (status.syncing) {
    return "syncing: at height " + std::to_string(head.height.value()) + " of " +
           std::to_string(status.target.value());
  }
  if (status.consensus.promise_view > status.consensus.view) {
    return "changing views: waits for view " +
           std::to_string(status.consensus.promise_view.value()) + " to open";
  }
  return {};
}

}  // namespace quorate::node
