#include "tests/sim/wire_check.hpp"

namespace quorate::sim {

namespace pbft = consensus::pbft;
using crypto::SignedType;

void WireCheck::on_send(ReplicaId sender, ByteView message, const Durable& durable) {
  const pbft::DecodeLimits limits{world_.membership.size(),
                                  world_.genesis.consensus.payload_bytes_max};
  const auto decoded = pbft::decode(message, limits);
  if (!decoded) {
    return world_.violate("contract", "replica " + std::to_string(sender.value()) +
                                          " sends what does not decode: " + decoded.error().detail);
  }
  std::visit([&](const auto& concrete) { check(sender, concrete, durable); }, decoded->message);
}

void WireCheck::once(std::uint8_t type, View view, Height height, ReplicaId replica,
                     const Digest& content) {
  const auto [at, added] = signed_.emplace(std::make_tuple(type, view, height, replica), content);
  if (added || at->second == content) return;
  world_.violate("I2", "replica " + std::to_string(replica.value()) +
                           " signed two contents of type " + std::to_string(type) + " at height " +
                           std::to_string(height.value()) + ", view " +
                           std::to_string(view.value()));
}

void WireCheck::demand(bool holds, ReplicaId sender, const char* what, Height height) {
  if (holds) return;
  world_.violate("I3", "replica " + std::to_string(sender.value()) + " sends for height " +
                           std::to_string(height.value()) + " while not durable: " + what);
}

bool WireCheck::holds(const Durable& durable, ReplicaId signer, const Digest& digest) const {
  const auto number = world_.keys.find(world_.membership.key(signer), digest);
  return number && durable.disk.holds(*number);
}

bool WireCheck::ever_held(const Durable& durable, ReplicaId signer, const Digest& digest) const {
  const auto number = world_.keys.find(world_.membership.key(signer), digest);
  return number && durable.disk.ever_held(*number);
}

bool WireCheck::holds_payload(const Durable& durable, const Ballot& ballot,
                              const Bytes* payload) const {
  if (payload == nullptr) return false;
  return payload->empty() || durable.disk.holds_bytes(*payload) ||
         durable.chain.height_of_payload(ballot.id).has_value();
}

std::uint32_t WireCheck::prepares_held(const Durable& durable, const Ballot& ballot) const {
  const Digest digest =
      pbft::vote_signing_digest(world_.membership, pbft::VoteKind::prepare, ballot);
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < world_.membership.size(); ++i) {
    const bool primary = i == ballot.view.value() % world_.membership.size();
    if (!primary && holds(durable, ReplicaId(i), digest)) ++count;
  }
  return count;
}

bool WireCheck::window_open(const Durable& durable, Height height) const {
  const std::uint64_t interval = world_.genesis.consensus.checkpoint_interval;
  const std::uint64_t window = 2 * interval;
  if (height.value() <= window) return true;
  // The lowest checkpoint whose window reaches the height, or a later one.
  const std::uint64_t lowest = (height.value() - window + interval - 1) / interval * interval;
  for (std::uint64_t at = lowest; at <= durable.chain.head().height.value() + 2 * window;
       at += interval) {
    const auto agreed = agreed_checkpoint_(Height(at));
    if (!agreed) continue;
    const Digest digest =
        pbft::checkpoint_signing_digest(world_.membership, {Height(at), *agreed, Height::max()});
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < world_.membership.size(); ++i) {
      if (holds(durable, ReplicaId(i), digest)) ++count;
    }
    if (count >= world_.membership.quorum()) return true;
  }
  return false;
}

void WireCheck::check(ReplicaId sender, const pbft::PrePrepare& message, const Durable& durable) {
  const Ballot& ballot = message.core.ballot;
  const ReplicaId primary(
      static_cast<std::uint32_t>(ballot.view.value() % world_.membership.size()));
  once(static_cast<std::uint8_t>(SignedType::pre_prepare), ballot.view, ballot.height, primary,
       ballot.id);
  payloads_.emplace(ballot.id, message.body.payload);
  if (primary != sender) return;
  demand(holds(durable, sender, pbft::core_signing_digest(world_.membership, ballot)), sender,
         "its own PRE-PREPARE", ballot.height);
  demand(holds_payload(durable, ballot, message.body.payload.get()), sender, "the payload",
         ballot.height);
  demand(window_open(durable, ballot.height), sender, "the checkpoint of its window",
         ballot.height);
}

void WireCheck::check(ReplicaId sender, const pbft::Vote& message, const Durable& durable) {
  const Ballot& ballot = message.ballot;
  once(static_cast<std::uint8_t>(message.kind), ballot.view, ballot.height, message.replica,
       ballot.id);
  if (message.replica != sender) return;
  demand(holds(durable, sender, pbft::vote_signing_digest(world_.membership, message.kind, ballot)),
         sender, "its own vote", ballot.height);
  demand(window_open(durable, ballot.height), sender, "the checkpoint of its window",
         ballot.height);
  if (message.kind == pbft::VoteKind::commit) {
    demand(prepares_held(durable, ballot) + 1 >= world_.membership.quorum(), sender,
           "the prepared certificate", ballot.height);
    return;
  }
  const ReplicaId primary(
      static_cast<std::uint32_t>(ballot.view.value() % world_.membership.size()));
  demand(holds(durable, primary, pbft::core_signing_digest(world_.membership, ballot)), sender,
         "the accepted PRE-PREPARE", ballot.height);
  const auto payload = payloads_.find(ballot.id);
  demand(
      holds_payload(durable, ballot, payload == payloads_.end() ? nullptr : payload->second.get()),
      sender, "the payload", ballot.height);
}

void WireCheck::check(ReplicaId sender, const pbft::Seal& message, const Durable& durable) {
  once(static_cast<std::uint8_t>(SignedType::seal), View(0), message.height, message.replica,
       message.block_hash);
  if (message.replica != sender) return;
  const Digest digest =
      crypto::seal_signing_digest(world_.membership, message.height, message.block_hash);
  demand(holds(durable, sender, digest), sender, "its own SEAL", message.height);
  const auto header = durable.chain.header(message.height);
  demand(header && ledger::block_hash(*header) == message.block_hash, sender, "the sealed block",
         message.height);
}

void WireCheck::check(ReplicaId sender, const pbft::CheckpointVote& message,
                      const Durable& durable) {
  const pbft::CheckpointClaim& claim = message.claim;
  once(static_cast<std::uint8_t>(SignedType::checkpoint), View(0), claim.height, message.replica,
       claim.digest);
  if (message.replica != sender) return;
  demand(holds(durable, sender, pbft::checkpoint_signing_digest(world_.membership, claim)), sender,
         "its own CHECKPOINT", claim.height);
  const auto header = durable.chain.header(claim.height);
  demand(header && ledger::checkpoint_digest(*header) == claim.digest, sender,
         "the state of the checkpoint", claim.height);
}

// A certificate must not carry the sender's own signature out before the vote was durable. Later it
// may, even when a checkpoint has removed the vote from the log: everybody has it by then.
void WireCheck::check(ReplicaId sender, const pbft::CommitCertificate& message,
                      const Durable& durable) {
  const Ballot ballot{message.view, message.height, pbft::certified_id(world_.membership, message)};
  for (const crypto::ReplicaSignature& commit : message.commits) {
    once(static_cast<std::uint8_t>(SignedType::commit), ballot.view, ballot.height, commit.replica,
         ballot.id);
    if (commit.replica != sender) continue;
    const Digest digest =
        pbft::vote_signing_digest(world_.membership, pbft::VoteKind::commit, ballot);
    demand(ever_held(durable, sender, digest), sender, "its COMMIT in a certificate",
           ballot.height);
  }
}

void WireCheck::check(ReplicaId sender, const pbft::CheckpointProof& message,
                      const Durable& durable) {
  const pbft::CheckpointClaim& claim = message.claim;
  for (const crypto::ReplicaSignature& vote : message.votes) {
    once(static_cast<std::uint8_t>(SignedType::checkpoint), View(0), claim.height, vote.replica,
         claim.digest);
    if (vote.replica != sender) continue;
    demand(ever_held(durable, sender, pbft::checkpoint_signing_digest(world_.membership, claim)),
           sender, "its CHECKPOINT in a proof", claim.height);
  }
}

}  // namespace quorate::sim
