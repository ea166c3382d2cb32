#include "tests/sim/wire_check.hpp"

#include <algorithm>

#include "tests/sim/letter.hpp"

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
  read_ = log_.note(message, true);
  std::visit([&](const auto& concrete) { check(sender, concrete, durable); }, decoded->message);
}

void WireCheck::on_untrusted_send(ByteView message) { log_.note(message, false); }

void WireCheck::on_verified(ByteView message) {
  const MessageKind kind = peek(node::TrafficClass::consensus, message).kind;
  const bool vote = kind == MessageKind::prepare || kind == MessageKind::commit ||
                    kind == MessageKind::seal || kind == MessageKind::view_change;
  // Without villains nobody forges.
  if (kind != MessageKind::new_view && kind != MessageKind::pre_prepare &&
      kind != MessageKind::data && !(vote && world_.faulty() > 0)) {
    return;
  }
  const pbft::DecodeLimits limits{world_.membership.size(),
                                  world_.genesis.consensus.payload_bytes_max};
  const auto decoded = pbft::decode(message, limits);
  if (!decoded) return;
  if (const auto* proposal = std::get_if<pbft::PrePrepare>(&decoded->message)) {
    note_body(proposal->core.ballot.id, proposal->body);
    views_.on_core(proposal->core);
  } else if (const auto* data = std::get_if<pbft::Data>(&decoded->message)) {
    note_body(pbft::proposal_id(world_.membership, data->body.header), data->body);
  } else if (const auto* opened = std::get_if<pbft::NewViewPtr>(&decoded->message)) {
    note_new_view(**opened);
  } else if (const auto* ballot = std::get_if<pbft::Vote>(&decoded->message)) {
    demand_signed(ballot->replica,
                  pbft::vote_signing_digest(world_.membership, ballot->kind, ballot->ballot),
                  "vote");
  } else if (const auto* seal = std::get_if<pbft::Seal>(&decoded->message)) {
    demand_signed(seal->replica,
                  crypto::seal_signing_digest(world_.membership, seal->height, seal->block_hash),
                  "SEAL");
  } else if (const auto* change = std::get_if<pbft::ViewChangePtr>(&decoded->message)) {
    demand_genuine(**change);
  }
}

void WireCheck::demand_signed(ReplicaId replica, const Digest& digest, const char* what) {
  if (!world_.correct(replica)) return;
  if (world_.keys.find(world_.membership.key(replica), digest)) return;
  world_.violate("I2", std::string("a ") + what + " passes for one of replica " +
                           std::to_string(replica.value()) + ", which never signed it");
}

void WireCheck::demand_genuine(const pbft::ViewChange& message) {
  views_.on_valid_view_change(message);
  demand_signed(message.replica,
                pbft::view_change_signing_digest(world_.membership, pbft::stub_of(message)),
                "VIEW-CHANGE");
  if (message.stable) {
    const Digest digest = pbft::checkpoint_signing_digest(world_.membership, message.stable->claim);
    for (const auto& vote : message.stable->votes) {
      demand_signed(vote.replica, digest, "CHECKPOINT");
    }
  }
  for (const pbft::PreparedCertificate& certificate : message.prepared) {
    const Ballot& ballot = certificate.core.ballot;
    const Digest digest =
        pbft::vote_signing_digest(world_.membership, pbft::VoteKind::prepare, ballot);
    for (const auto& prepare : certificate.prepares) {
      demand_signed(prepare.replica, digest, "PREPARE");
    }
  }
}

void WireCheck::demand_bodies(ReplicaId sender, const pbft::ViewChange& message,
                              const Durable& durable) {
  for (const pbft::PreparedCertificate& certificate : message.prepared) {
    const Ballot& ballot = certificate.core.ballot;
    const auto payload = payloads_.find(ballot.id);
    demand(holds_payload(durable, ballot,
                         payload == payloads_.end() ? nullptr : payload->second.get()),
           sender, "the payload of a prepared certificate", ballot.height);
  }
}

// A valid one. A Byzantine primary may have made several for one view.
void WireCheck::note_new_view(const pbft::NewView& message) {
  const pbft::NewViewStub stub = pbft::stub_of(message);
  const Digest digest = pbft::new_view_signing_digest(world_.membership, stub);
  if (!opened_[stub.view].insert(digest).second) return;
  views_.on_new_view(message);
  if (opened_[stub.view].size() > 1) views_.on_equivocation(stub.view);
  for (const pbft::ViewChangePtr& entry : message.view_changes) demand_genuine(*entry);
  if (!message.proposals.empty()) world_.coverage.add(Happened::view_kept_proposals);
  OpenedView opened{stub.view, Height(0), {}};
  for (const pbft::ViewChangePtr& entry : message.view_changes) {
    opened.low = std::max(opened.low, entry->low_watermark());
  }
  for (const pbft::Core& core : message.proposals) {
    opened.proposals.emplace(core.ballot.height, core.ballot.id);
  }
  for (auto it = committed_.upper_bound(opened.low); it != committed_.end(); ++it) {
    check_kept(opened, it->first, it->second);
  }
  opened_views_.push_back(std::move(opened));
}

const Digest& WireCheck::signed_digest(const Digest& digest) {
  if (read_.empty() || read_.front().digest != digest) {
    world_.violate("contract", "the simulator reads another signature than the product does");
  }
  return digest;
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
  if (ballot.id == pbft::null_id(world_.membership, ballot.height)) return true;
  if (payload == nullptr) return false;
  // A message may leave late, from a slow disk: by then a checkpoint may have let the payload go.
  return payload->empty() || durable.disk.holds_bytes(*payload) ||
         durable.chain.height_of_payload(ballot.id).has_value() ||
         stable_checkpoint_held(durable, ballot.height);
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
  const std::uint64_t window = 2 * world_.genesis.consensus.checkpoint_interval;
  if (height.value() <= window) return true;
  return stable_checkpoint_held(durable, Height(height.value() - window));
}

bool WireCheck::stable_checkpoint_held(const Durable& durable, Height from) const {
  const std::uint64_t interval = world_.genesis.consensus.checkpoint_interval;
  const std::uint64_t lowest = (from.value() + interval - 1) / interval * interval;
  for (std::uint64_t at = lowest; at <= durable.chain.head().height.value() + 4 * interval;
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
  note_body(ballot.id, message.body);
  views_.on_core(message.core);
  if (primary != sender) return;
  views_.on_proposal(sender, ballot);
  const Digest digest = signed_digest(pbft::core_signing_digest(world_.membership, ballot));
  demand(holds(durable, sender, digest), sender, "its own PRE-PREPARE", ballot.height);
  check_view(sender, ballot, digest, durable);
  demand(holds_payload(durable, ballot, message.body.payload.get()), sender, "the payload",
         ballot.height);
  demand(window_open(durable, ballot.height), sender, "the checkpoint of its window",
         ballot.height);
}

void WireCheck::check(ReplicaId sender, const pbft::Vote& message, const Durable& durable) {
  const Ballot& ballot = message.ballot;
  if (message.replica != sender) return;
  const Digest digest =
      signed_digest(pbft::vote_signing_digest(world_.membership, message.kind, ballot));
  demand(holds(durable, sender, digest), sender, "its own vote", ballot.height);
  check_view(sender, ballot, digest, durable);
  demand(window_open(durable, ballot.height), sender, "the checkpoint of its window",
         ballot.height);
  if (message.kind == pbft::VoteKind::commit) {
    demand(prepares_held(durable, ballot) + 1 >= world_.membership.quorum(), sender,
           "the prepared certificate", ballot.height);
    views_.on_commit(sender, ballot);
    return;
  }
  const ReplicaId primary(
      static_cast<std::uint32_t>(ballot.view.value() % world_.membership.size()));
  demand(holds(durable, primary, pbft::core_signing_digest(world_.membership, ballot)), sender,
         "the accepted PRE-PREPARE", ballot.height);
  demand_fresh(sender, ballot);
  const auto payload = payloads_.find(ballot.id);
  demand(
      holds_payload(durable, ballot, payload == payloads_.end() ? nullptr : payload->second.get()),
      sender, "the payload", ballot.height);
}

// Only a NEW-VIEW brings back what an earlier primary proposed, and what is committed is agreed
// with whoever shows it again. Every other proposal is the own one of the view's primary.
void WireCheck::demand_fresh(ReplicaId sender, const Ballot& ballot) {
  const auto header = headers_.find(ballot.id);
  const auto committed = committed_.find(ballot.height);
  if (header == headers_.end() ||
      (committed != committed_.end() && committed->second.id == ballot.id)) {
    return;
  }
  for (const OpenedView& opened : opened_views_) {
    const auto again = opened.proposals.find(ballot.height);
    if (opened.view == ballot.view && again != opened.proposals.end() &&
        again->second == ballot.id) {
      return;
    }
  }
  const ReplicaId primary(
      static_cast<std::uint32_t>(ballot.view.value() % world_.membership.size()));
  if (header->second.orig_view == ballot.view &&
      header->second.proposer == world_.membership.key(primary)) {
    return;
  }
  world_.violate("contract", "replica " + std::to_string(sender.value()) + " votes at height " +
                                 std::to_string(ballot.height.value()) +
                                 " for a proposal in the name of another replica or view");
}

// A vote belongs into a view whose NEW-VIEW is durable, and was signed before any promise above it.
void WireCheck::check_view(ReplicaId sender, const Ballot& ballot, const Digest& digest,
                           const Durable& durable) {
  const auto number = world_.keys.find(world_.membership.key(sender), digest);
  const auto& promises = promised_[sender];
  for (auto it = promises.upper_bound(ballot.view); number && it != promises.end(); ++it) {
    if (*number < it->second) continue;
    world_.violate("I2", "replica " + std::to_string(sender.value()) + " voted in view " +
                             std::to_string(ballot.view.value()) + " after it promised view " +
                             std::to_string(it->first.value()));
  }
  if (ballot.view == View(0)) return;
  const ReplicaId primary(
      static_cast<std::uint32_t>(ballot.view.value() % world_.membership.size()));
  const auto opened = opened_.find(ballot.view);
  const bool entered =
      opened != opened_.end() &&
      std::any_of(opened->second.begin(), opened->second.end(),
                  [&](const Digest& new_view) { return ever_held(durable, primary, new_view); });
  demand(entered, sender, "the NEW-VIEW of its vote", ballot.height);
}

void WireCheck::check(ReplicaId sender, const pbft::ViewChangePtr& message,
                      const Durable& durable) {
  const pbft::ViewChangeStub stub = pbft::stub_of(*message);
  if (stub.replica != sender) return;
  const Digest digest = signed_digest(pbft::view_change_signing_digest(world_.membership, stub));
  demand(holds(durable, sender, digest), sender, "its own VIEW-CHANGE", Height(0));
  const auto number = world_.keys.find(world_.membership.key(sender), digest);
  if (number) promised_[sender].emplace(stub.view, *number);
  views_.on_view_change(sender, *message);
  demand_bodies(sender, *message, durable);
}

void WireCheck::check(ReplicaId sender, const pbft::Suspect& message, const Durable&) {
  if (message.replica == sender) views_.on_suspect(sender, message.view);
}

void WireCheck::check(ReplicaId sender, const pbft::NewViewPtr& message, const Durable& durable) {
  const pbft::NewViewStub stub = pbft::stub_of(*message);
  const ReplicaId primary(static_cast<std::uint32_t>(stub.view.value() % world_.membership.size()));
  const Digest digest = signed_digest(pbft::new_view_signing_digest(world_.membership, stub));
  // Another's is passed on as it came: as proof, or to those who missed it.
  if (primary == sender) {
    demand(holds(durable, primary, digest), sender, "its own NEW-VIEW", Height(0));
  }
  note_new_view(*message);
}

void WireCheck::on_committed(Height height, const Digest& id, ByteView certificate) {
  const auto decoded = pbft::decode_certificate(certificate, world_.membership.size());
  if (!decoded) return world_.violate("contract", "a commit certificate does not decode");
  note_committed(height, decoded->second.view, id);
}

void WireCheck::note_committed(Height height, View view, const Digest& id) {
  const auto [known, added] = committed_.emplace(height, Committed{view, id});
  if (known->second.id != id) {
    return world_.violate(
        "I1", "two proposals are committed at height " + std::to_string(height.value()));
  }
  if (!added && known->second.view <= view) return;
  known->second.view = view;
  for (const OpenedView& opened : opened_views_) check_kept(opened, height, known->second);
}

// I6: what was committed in an earlier view stands in every later one that begins below it.
void WireCheck::check_kept(const OpenedView& opened, Height height, const Committed& committed) {
  if (opened.view <= committed.view || height <= opened.low) return;
  const auto again = opened.proposals.find(height);
  if (again != opened.proposals.end() && again->second == committed.id) return;
  world_.violate("I6", "the NEW-VIEW of view " + std::to_string(opened.view.value()) +
                           (again == opened.proposals.end() ? " leaves out" : " replaces") +
                           " what was committed at height " + std::to_string(height.value()));
}

void WireCheck::check(ReplicaId sender, const pbft::Seal& message, const Durable& durable) {
  if (message.replica != sender) return;
  const Digest digest = signed_digest(
      crypto::seal_signing_digest(world_.membership, message.height, message.block_hash));
  demand(holds(durable, sender, digest), sender, "its own SEAL", message.height);
  const auto header = durable.chain.header(message.height);
  demand(header && ledger::block_hash(*header) == message.block_hash, sender, "the sealed block",
         message.height);
}

void WireCheck::check(ReplicaId sender, const pbft::CheckpointVote& message,
                      const Durable& durable) {
  const pbft::CheckpointClaim& claim = message.claim;
  if (message.replica != sender) return;
  const Digest digest = signed_digest(pbft::checkpoint_signing_digest(world_.membership, claim));
  demand(holds(durable, sender, digest), sender, "its own CHECKPOINT", claim.height);
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
    if (vote.replica != sender) continue;
    demand(ever_held(durable, sender, pbft::checkpoint_signing_digest(world_.membership, claim)),
           sender, "its CHECKPOINT in a proof", claim.height);
  }
}

}  // namespace quorate::sim
