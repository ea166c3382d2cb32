#include "consensus/pbft/evidence.hpp"

#include "consensus/pbft/type_name.hpp"

namespace quorate::consensus::pbft {

namespace {

// A witness in the terms that all of them share.
struct Statement {
  ReplicaId signer;
  std::optional<View> view;
  std::optional<Height> height;
  ProvedOffence::SignedContent said;

  bool same_place(const Statement& other) const {
    return signer == other.signer && view == other.view && height == other.height &&
           said.type == other.said.type;
  }
};

struct Describe {
  const crypto::Membership& membership;

  ReplicaId primary(View view) const {
    return ReplicaId(static_cast<std::uint32_t>(view.value() % membership.size()));
  }
  Statement operator()(const Core& m) const {
    return {primary(m.ballot.view),
            m.ballot.view,
            m.ballot.height,
            {"pre_prepare", to_bytes(m.ballot.id), core_signing_digest(membership, m.ballot),
             m.signature}};
  }
  Statement operator()(const Vote& m) const {
    return {m.replica,
            m.ballot.view,
            m.ballot.height,
            {TypeName{}(m), to_bytes(m.ballot.id),
             vote_signing_digest(membership, m.kind, m.ballot), m.signature}};
  }
  Statement operator()(const Seal& m) const {
    return {m.replica,
            std::nullopt,
            m.height,
            {"seal", to_bytes(m.block_hash),
             crypto::seal_signing_digest(membership, m.height, m.block_hash), m.signature}};
  }
  Statement operator()(const CheckpointVote& m) const {
    crypto::Writer claim;
    claim.raw(m.claim.digest);
    claim.integer_of(m.claim.epoch_last);
    return {m.replica,
            std::nullopt,
            m.claim.height,
            {"checkpoint", std::move(claim).take(), checkpoint_signing_digest(membership, m.claim),
             m.signature}};
  }
  Statement operator()(const ViewChangeStub& m) const {
    return {m.replica,
            m.view,
            std::nullopt,
            {"view_change", to_bytes(m.content), view_change_signing_digest(membership, m),
             m.signature}};
  }
  Statement operator()(const NewViewStub& m) const {
    return {primary(m.view),
            m.view,
            std::nullopt,
            {"new_view", to_bytes(m.content), new_view_signing_digest(membership, m), m.signature}};
  }
};

}  // namespace

Bytes encode_evidence(Epoch epoch, const Witness& first, const Witness& second) {
  crypto::Writer out;
  out.integer_of(epoch);
  encode_witness(out, first);
  encode_witness(out, second);
  return std::move(out).take();
}

Result<EvidenceParts> decode_evidence(ByteView proof) {
  crypto::Reader in(proof);
  EvidenceParts out{in.integer_of<Epoch>(), {}};
  for (Witness& witness : out.witnesses) witness = decode_witness(in);
  QUORATE_CHECK(in.finish());
  return out;
}

std::vector<std::pair<Vote, Vote>> double_votes(
    VoteKind kind, const Ballot& first, const std::vector<crypto::ReplicaSignature>& of_first,
    const Ballot& second, const std::vector<crypto::ReplicaSignature>& of_second) {
  std::vector<std::pair<Vote, Vote>> out;
  if (first.view != second.view || first.height != second.height) return out;
  for (const crypto::ReplicaSignature& one : of_first) {
    for (const crypto::ReplicaSignature& other : of_second) {
      if (one.replica != other.replica) continue;
      out.emplace_back(Vote{kind, first, one.replica, one.signature},
                       Vote{kind, second, other.replica, other.signature});
    }
  }
  return out;
}

Result<ProvedOffence> offence_of(const crypto::Membership& membership, const Witness& first,
                                 const Witness& second) {
  Statement one = std::visit(Describe{membership}, first);
  Statement other = std::visit(Describe{membership}, second);
  if (!one.same_place(other) || one.said.content == other.said.content) {
    return fail(Errc::bad_signature,
                "two messages that a correct replica may have signed prove nothing");
  }
  return ProvedOffence{
      one.signer, one.view, one.height, {std::move(one.said), std::move(other.said)}};
}

}  // namespace quorate::consensus::pbft
