#include "tests/sim/mutation.hpp"

#include <algorithm>

namespace quorate::sim {

namespace pbft = consensus::pbft;

namespace {

class Mutator {
 public:
  explicit Mutator(Villain& villain) : villain_(villain), prng_(villain.prng()) {}

  pbft::Message operator()(pbft::PrePrepare m) {
    pbft::ProposalHeader& header = m.body.header;
    switch (prng_.below(9)) {
      case 0: change(m.core.ballot.view); break;
      case 1: change(m.core.ballot.height); break;
      case 2: change(m.core.ballot.id); break;
      case 3: change(m.core.signature); return m;
      case 4: change(header.time); break;
      case 5: header.proposer = villain_.world().membership.key(any_replica()); break;
      case 6: change(header.orig_view); break;
      case 7: change(header.height); break;
      default: change_payload(m.body); break;
    }
    // Usually consistent in itself, so that it gets past the verifier.
    if (prng_.below(4) != 0) {
      header.payload_digest = pbft::payload_digest(*m.body.payload);
      if (prng_.one_in(2)) header.height = m.core.ballot.height;
      m.core.ballot.id = pbft::proposal_id(villain_.world().membership, header);
    }
    sign(m.core);
    return m;
  }
  pbft::Message operator()(pbft::Vote m) {
    switch (prng_.below(6)) {
      case 0:
        m.kind =
            m.kind == pbft::VoteKind::prepare ? pbft::VoteKind::commit : pbft::VoteKind::prepare;
        break;
      case 1: change(m.ballot.view); break;
      case 2: change(m.ballot.height); break;
      case 3: change(m.ballot.id); break;
      case 4: m.replica = any_replica(); break;
      default: change(m.signature); return m;
    }
    if (may_sign(m.replica)) m = villain_.vote(m.kind, m.ballot, m.replica);
    return m;
  }
  pbft::Message operator()(pbft::Seal m) {
    switch (prng_.below(3)) {
      case 0: change(m.height); break;
      case 1: change(m.block_hash); break;
      default: change(m.signature); return m;
    }
    if (may_sign(m.replica)) m = villain_.seal(m.height, m.block_hash);
    return m;
  }
  pbft::Message operator()(pbft::CheckpointVote m) {
    switch (prng_.below(4)) {
      case 0: change(m.claim.height); break;
      case 1: change(m.claim.digest); break;
      case 2: change(m.claim.epoch_last); break;
      default: change(m.signature); return m;
    }
    if (may_sign(m.replica)) m = villain_.checkpoint(m.claim);
    return m;
  }
  // Not signed at all: every lie gets through the verifier.
  pbft::Message operator()(pbft::StatusReport m) {
    switch (prng_.below(9)) {
      case 0: change(m.view); break;
      case 1: change(m.promise_view); break;
      case 2: change(m.low_watermark); break;
      case 3: change(m.last_executed); break;
      case 4: change(m.last_committed); break;
      case 5: change(m.sealed_to); break;
      case 6: m.starting = !m.starting; break;
      case 7: m.slots.clear(); break;
      default:
        m.seals.clear();
        m.checkpoints.clear();
        break;
    }
    return m;
  }
  pbft::Message operator()(pbft::Fetch m) {
    change(m.id);
    return m;
  }
  pbft::Message operator()(pbft::Data m) {
    if (prng_.one_in(2)) {
      change(m.body.header.time);
    } else {
      change_payload(m.body);
      if (prng_.one_in(2)) m.body.header.payload_digest = pbft::payload_digest(*m.body.payload);
    }
    return m;
  }
  pbft::Message operator()(pbft::CommitCertificate m) {
    switch (prng_.below(4)) {
      case 0: change(m.height); break;
      case 1: change(m.view); break;
      case 2:
        if (m.header) change(m.header->time);
        break;
      default: change(m.commits); break;
    }
    return m;
  }
  pbft::Message operator()(pbft::CheckpointProof m) {
    change(m);
    return m;
  }
  pbft::Message operator()(pbft::Suspect m) {
    change(m.view);
    if (may_sign(m.replica)) m = villain_.suspect(m.view);
    return m;
  }
  pbft::Message operator()(const pbft::ViewChangePtr& original) {
    pbft::ViewChange m = *original;
    change(m);
    return may_sign(m.replica) ? villain_.view_change(m)
                               : std::make_shared<const pbft::ViewChange>(m);
  }
  pbft::Message operator()(const pbft::NewViewPtr& original) {
    pbft::NewView m = *original;
    switch (prng_.below(7)) {
      case 0: change(m.view); break;
      case 1: change_one(m.view_changes); break;
      case 2: drop_one(m.view_changes); break;
      case 3: drop_one(m.proposals); break;
      case 4:
        if (!m.proposals.empty()) m.proposals.push_back(m.proposals.back());
        break;
      case 5:
        if (!m.proposals.empty()) {
          pbft::Core& core = m.proposals[prng_.below(m.proposals.size())];
          prng_.one_in(2) ? change(core.ballot.id) : change(core.ballot.height);
          sign(core);
        }
        break;
      default: change(m.signature); return std::make_shared<const pbft::NewView>(m);
    }
    return may_sign(villain_.primary(m.view)) ? villain_.new_view(m)
                                              : std::make_shared<const pbft::NewView>(m);
  }

 private:
  template <class Tag>
  void change(StrongInt<Tag, std::uint64_t>& value) {
    using Value = StrongInt<Tag, std::uint64_t>;
    switch (prng_.below(8)) {
      case 0: value = Value(0); break;
      case 1: value = Value::max(); break;
      case 2: value = Value(std::uint64_t{1} << 63U); break;
      case 3: value = value.saturating_add(prng_.between(2, 40)); break;
      case 4:
      case 5: value = value.saturating_sub(1); break;
      default: value = value.saturating_add(1); break;
    }
  }
  template <std::size_t N, class Tag>
  void change(FixedBytes<N, Tag>& value) {
    value.bytes[prng_.below(N)] ^= static_cast<std::uint8_t>(1U << prng_.below(8));
  }
  void change(std::vector<crypto::ReplicaSignature>& signatures) {
    if (signatures.empty()) return;
    crypto::ReplicaSignature& one = signatures[prng_.below(signatures.size())];
    switch (prng_.below(3)) {
      case 0: signatures.pop_back(); break;
      case 1: one.replica = any_replica(); break;
      default: change(one.signature); break;
    }
    // No frame holds a signer twice: the encoder would not take it, nor the decoder.
    std::sort(signatures.begin(), signatures.end());
    signatures.erase(
        std::unique(signatures.begin(), signatures.end(),
                    [](const auto& a, const auto& b) { return a.replica == b.replica; }),
        signatures.end());
  }
  void change(pbft::CheckpointProof& m) {
    switch (prng_.below(3)) {
      case 0: change(m.claim.height); break;
      case 1: change(m.claim.digest); break;
      default: change(m.votes); break;
    }
  }
  void change(pbft::ViewChange& m) {
    pbft::PreparedCertificate* entry =
        m.prepared.empty() ? nullptr : &m.prepared[prng_.below(m.prepared.size())];
    switch (prng_.below(8)) {
      case 0: change(m.view); break;
      case 1: m.stable.reset(); break;
      case 2:
        if (m.stable) change(*m.stable);
        break;
      case 3: drop_one(m.prepared); break;
      case 4:
        if (entry != nullptr) m.prepared.push_back(*entry);
        break;
      case 5:
        if (entry != nullptr) change(entry->prepares);
        break;
      case 6:
        if (entry != nullptr) change_ballot(entry->core);
        break;
      default: m.prepared.clear(); break;
    }
  }
  void change_ballot(pbft::Core& core) {
    switch (prng_.below(3)) {
      case 0: change(core.ballot.view); break;
      case 1: change(core.ballot.height); break;
      default: change(core.ballot.id); break;
    }
    sign(core);
  }
  void change_one(std::vector<pbft::ViewChangePtr>& view_changes) {
    if (view_changes.empty()) return;
    pbft::ViewChangePtr& one = view_changes[prng_.below(view_changes.size())];
    pbft::ViewChange changed = *one;
    change(changed);
    one = may_sign(changed.replica) ? villain_.view_change(changed)
                                    : std::make_shared<const pbft::ViewChange>(changed);
  }
  template <class T>
  void drop_one(std::vector<T>& list) {
    if (list.empty()) return;
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(prng_.below(list.size())));
  }
  void change_payload(pbft::Body& body) {
    Bytes payload = *body.payload;
    if (payload.empty() || prng_.one_in(4)) {
      payload.push_back(0);
    } else {
      payload[prng_.below(payload.size())] ^= 1U;
    }
    body.payload = std::make_shared<const Bytes>(std::move(payload));
  }
  void sign(pbft::Core& core) {
    if (may_sign(villain_.primary(core.ballot.view))) core = villain_.core(core.ballot);
  }
  // Only with the villain's own key or an accomplice's, and now and then not even then.
  bool may_sign(ReplicaId replica) {
    return villain_.is_accomplice(replica) && prng_.below(8) != 0;
  }
  ReplicaId any_replica() {
    return ReplicaId(static_cast<std::uint32_t>(prng_.below(villain_.members())));
  }

  Villain& villain_;
  Prng& prng_;
};

}  // namespace

Bytes mutated(Villain& villain, const pbft::Message& message) {
  const Epoch epoch = villain.world().membership.epoch;
  const Bytes original = pbft::encode(epoch, message);
  for (int attempt = 0; attempt < 8; ++attempt) {
    Bytes bytes = pbft::encode(epoch, std::visit(Mutator(villain), message));
    if (bytes != original) return bytes;
  }
  Bytes bytes = original;
  bytes[villain.prng().below(bytes.size())] ^= 1U;
  return bytes;
}

}  // namespace quorate::sim
