#include "tests/sim/wire_log.hpp"

namespace quorate::sim {
namespace {

std::uint64_t brief_hash(ByteView bytes) {
  std::uint64_t out = 0xcbf29ce484222325U;
  for (const std::uint8_t byte : bytes) out = (out ^ byte) * 0x100000001b3U;
  return out;
}

}  // namespace

std::vector<WireSignature> WireLog::note(ByteView message, bool trusted) {
  const std::uint64_t hash = brief_hash(message);
  const auto known = seen_.find(hash);
  if (known != seen_.end()) return {known->second};
  std::vector<WireSignature> out = signatures_in(world_, message);
  if (!trusted) {
    std::erase_if(out, [this](const WireSignature& signature) { return !made(signature); });
  }
  if (out.empty()) return out;
  seen_.emplace(hash, out.front());
  for (const WireSignature& signature : out) note_one(signature);
  note_view_changes(out);
  return out;
}

bool WireLog::made(const WireSignature& signature) const {
  if (!world_.membership.contains(signature.signer)) return false;
  return world_.keys.find(world_.membership.key(signature.signer), signature.digest).has_value();
}

void WireLog::note_one(const WireSignature& signature) {
  if (signature.kind == MessageKind::suspect) return;  // one may suspect for several reasons
  const Slot slot{signature.kind, signature.view, signature.height, signature.signer};
  const auto [first, added] = signed_.emplace(slot, signature.digest);
  if (added && signature.kind == MessageKind::commit) note_commit(signature);
  if (added || first->second == signature.digest) return;
  if (signature.kind == MessageKind::commit) note_commit(signature);
  equivocated_.insert(signature.signer);
  if (!world_.correct(signature.signer)) return;
  world_.violate("I2", "replica " + std::to_string(signature.signer.value()) +
                           " signed two contents of type " + to_string(signature.kind) +
                           " at height " + std::to_string(signature.height.value()) + ", view " +
                           std::to_string(signature.view.value()));
}

void WireLog::note_commit(const WireSignature& signature) {
  auto& signers = commits_[signature.height][{signature.view, signature.id}];
  if (!signers.insert(signature.signer).second) return;
  if (signers.size() == world_.membership.quorum()) {
    on_committed_(signature.height, signature.view, signature.id);
  }
}

// What follows a VIEW-CHANGE in the list belongs to it, up to the next one; the proposals of a
// NEW-VIEW, which come last, are of the new view itself.
void WireLog::note_view_changes(const std::vector<WireSignature>& signatures) {
  Asked* current = nullptr;
  for (const WireSignature& signature : signatures) {
    if (signature.kind == MessageKind::view_change) {
      const auto [entry, added] =
          asked_.try_emplace(signature.digest, Asked{signature.view, signature.signer, {}, {}});
      current = added ? &entry->second : nullptr;
    } else if (current != nullptr && signature.kind == MessageKind::checkpoint) {
      current->low = signature.height;
    } else if (current != nullptr && signature.kind == MessageKind::pre_prepare &&
               signature.view < current->view) {
      current->prepared.emplace(signature.height, signature.view);
    }
  }
}

std::set<ReplicaId> WireLog::culprits() const {
  std::set<ReplicaId> out = equivocated_;
  for (const auto& entry : asked_) {
    const Asked& asked = entry.second;
    for (auto at = commits_.upper_bound(asked.low); at != commits_.end(); ++at) {
      const auto has = asked.prepared.find(at->first);
      for (const auto& [ballot, signers] : at->second) {
        const bool hidden = ballot.first < asked.view && signers.contains(asked.signer) &&
                            (has == asked.prepared.end() || has->second < ballot.first);
        if (hidden) out.insert(asked.signer);
      }
    }
  }
  return out;
}

}  // namespace quorate::sim
