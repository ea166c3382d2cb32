// The ids of proposals and the digests that messages sign.
#include "consensus/pbft/messages.hpp"
#include "crypto/hash.hpp"

namespace quorate::consensus::pbft {

namespace {

using crypto::Writer;

Bytes ballot_bytes(const Ballot& ballot) {
  Writer out;
  encode(out, ballot);
  return std::move(out).take();
}

Digest scoped_hash(std::string_view tag, const crypto::Membership& membership, ByteView rest) {
  Writer epoch;
  epoch.integer_of(membership.epoch);
  return crypto::hash(tag, {membership.chain_id, epoch.view(), rest});
}

}  // namespace

Digest payload_digest(ByteView payload) { return crypto::hash("quorate/payload/1", {payload}); }

Digest proposal_id(const crypto::Membership& membership, const ProposalHeader& header) {
  Writer out;
  encode(out, header);
  return scoped_hash("quorate/prop/1", membership, out.view());
}

Digest null_id(const crypto::Membership& membership, Height height) {
  Writer out;
  out.integer_of(height);
  return scoped_hash("quorate/null/1", membership, out.view());
}

Digest certified_id(const crypto::Membership& membership, const CommitCertificate& certificate) {
  return certificate.header ? proposal_id(membership, *certificate.header)
                            : null_id(membership, certificate.height);
}

Digest core_signing_digest(const crypto::Membership& membership, const Ballot& ballot) {
  return consensus_signing_digest(crypto::SignedType::pre_prepare, membership,
                                  ballot_bytes(ballot));
}

Digest vote_signing_digest(const crypto::Membership& membership, VoteKind kind,
                           const Ballot& ballot) {
  return consensus_signing_digest(static_cast<crypto::SignedType>(kind), membership,
                                  ballot_bytes(ballot));
}

Digest checkpoint_signing_digest(const crypto::Membership& membership,
                                 const CheckpointClaim& claim) {
  Writer out;
  encode(out, claim);
  return consensus_signing_digest(crypto::SignedType::checkpoint, membership, out.view());
}

}  // namespace quorate::consensus::pbft
