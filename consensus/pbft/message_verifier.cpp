#include "consensus/pbft/message_verifier.hpp"

#include "consensus/pbft/evidence.hpp"
#include "consensus/pbft/type_name.hpp"
#include "crypto/base/mutant.hpp"
#include "crypto/certificate/seal.hpp"

namespace quorate::consensus::pbft {

namespace {

// No message but a proposal or its body is longer than this besides a payload: a STATUS of a
// hundred replicas has 256 slots of 27 bytes, a certificate a hundred signatures of 68.
constexpr std::size_t kMessageOverheadMax = 64U << 10U;

}  // namespace

const char* PbftMessage::type_name() const { return std::visit(TypeName{}, content_); }

bool PbftMessage::is_unsigned() const {
  return std::holds_alternative<StatusReport>(content_) ||
         std::holds_alternative<Fetch>(content_) || std::holds_alternative<Data>(content_);
}

PbftMessageVerifier::PbftMessageVerifier(crypto::Membership membership,
                                         std::uint32_t payload_bytes_max, std::uint64_t window,
                                         const crypto::Verifier& verifier)
    : membership_(std::move(membership)),
      limits_{membership_.size(), payload_bytes_max, static_cast<std::uint32_t>(window)},
      verifier_(verifier) {}

Result<VerifiedMessagePtr> PbftMessageVerifier::verify(ReplicaId from, ByteView message) const {
  if (!membership_.contains(from)) {
    return fail(Errc::bad_signature,
                "replica " + std::to_string(from.value()) + " is not a member of this epoch");
  }
  if (!message.empty() && message.size() > size_max(message)) {
    return fail(Errc::limit_exceeded,
                "a consensus message of " + std::to_string(message.size()) + " bytes");
  }
  QUORATE_TRY(Envelope envelope, decode(message, limits_));
  QUORATE_CHECK(check_epoch(envelope.epoch));
  QUORATE_CHECK(std::visit([this](const auto& m) { return check(m); }, envelope.message));
  // It counts for as long as its signer goes on saying it. A correct replica passes none on, and
  // whoever repeats that of another would keep it alive for ever.
  if (const auto* suspect = std::get_if<Suspect>(&envelope.message);
      suspect != nullptr && suspect->replica != from) {
    return fail(Errc::bad_signature, "a SUSPECT of another replica, which nobody passes on");
  }
  return std::visit(
      [](auto&& m) -> VerifiedMessagePtr {
        return VerifiedMessagePtr(new PbftMessage(PbftMessage::Content(std::move(m))));
      },
      std::move(envelope.message));
}

std::size_t PbftMessageVerifier::size_max(ByteView message) const {
  constexpr auto kViewChange = static_cast<std::uint8_t>(crypto::SignedType::view_change);
  constexpr auto kNewView = static_cast<std::uint8_t>(crypto::SignedType::new_view);
  if (message.front() == kViewChange || message.front() == kNewView) {
    return view_message_bytes_max(limits_, membership_.quorum());
  }
  return limits_.payload_bytes_max + kMessageOverheadMax;
}

Result<void> PbftMessageVerifier::check_epoch(Epoch epoch) const {
  if (epoch == membership_.epoch) return {};
  return fail(Errc::bad_signature, "a message of epoch " + std::to_string(epoch.value()) +
                                       "; this is epoch " +
                                       std::to_string(membership_.epoch.value()));
}

Result<void> PbftMessageVerifier::check_signature(ReplicaId replica, const Digest& digest,
                                                  const Signature& signature,
                                                  const char* what) const {
  if (membership_.contains(replica) &&
      verifier_.verify(membership_.key(replica), digest, signature)) {
    return {};
  }
  return fail(Errc::bad_signature, std::string("the ") + what + " of replica " +
                                       std::to_string(replica.value()) + " is not signed by it");
}

Result<void> PbftMessageVerifier::check_quorum(
    const Digest& digest, const std::vector<crypto::ReplicaSignature>& signatures) const {
  if (signatures.size() != membership_.quorum()) {
    return fail(Errc::bad_signature, "a certificate of " + std::to_string(signatures.size()) +
                                         " signatures where the quorum is " +
                                         std::to_string(membership_.quorum()));
  }
  if (QUORATE_MUTANT(certificate_signatures_unchecked)) return {};
  return verify_quorum(membership_, digest, signatures, verifier_);
}

Result<void> PbftMessageVerifier::check_body(const Body& body) const {
  if (body.header.payload_digest == pbft::payload_digest(*body.payload)) return {};
  return fail(Errc::bad_signature, "a payload that is not the one its header names");
}

Result<void> PbftMessageVerifier::check(const PrePrepare& m) const {
  const Ballot& ballot = m.core.ballot;
  if (m.body.header.height != ballot.height || m.body.header.orig_view > ballot.view) {
    return fail(Errc::bad_signature, "a PRE-PREPARE whose body belongs to another slot");
  }
  if (proposal_id(membership_, m.body.header) != ballot.id &&
      !QUORATE_MUTANT(proposal_id_not_compared)) {
    return fail(Errc::bad_signature, "a PRE-PREPARE whose id is not the one of its body");
  }
  QUORATE_CHECK(check(m.core));
  return check_body(m.body);
}

Result<void> PbftMessageVerifier::check(const Vote& m) const {
  if (QUORATE_MUTANT(vote_signature_unchecked) && membership_.contains(m.replica)) return {};
  return check_signature(m.replica, vote_signing_digest(membership_, m.kind, m.ballot), m.signature,
                         m.kind == VoteKind::prepare ? "PREPARE" : "COMMIT");
}

Result<void> PbftMessageVerifier::check(const Seal& m) const {
  if (QUORATE_MUTANT(seal_signature_unchecked) && membership_.contains(m.replica)) return {};
  return check_signature(m.replica, seal_signing_digest(membership_, m.height, m.block_hash),
                         m.signature, "SEAL");
}

Result<void> PbftMessageVerifier::check(const CheckpointVote& m) const {
  return check_signature(m.replica, checkpoint_signing_digest(membership_, m.claim), m.signature,
                         "CHECKPOINT");
}

Result<void> PbftMessageVerifier::check(const Core& m) const {
  if (QUORATE_MUTANT(proposal_signature_unchecked)) return {};
  const ReplicaId primary(static_cast<std::uint32_t>(m.ballot.view.value() % membership_.size()));
  return check_signature(primary, core_signing_digest(membership_, m.ballot), m.signature,
                         "PRE-PREPARE");
}

// The report itself is not signed; the transport says who sent it. Its witnesses are.
Result<void> PbftMessageVerifier::check(const StatusReport& m) const {
  if (!m.witnesses) return {};
  for (const Witness& witness : *m.witnesses) {
    QUORATE_CHECK(std::visit([this](const auto& w) { return check(w); }, witness));
  }
  return {};
}

Result<void> PbftMessageVerifier::check(const Fetch&) const { return {}; }

// Not signed; the engine takes it only if its id is one it looks for.
Result<void> PbftMessageVerifier::check(const Data& m) const { return check_body(m.body); }

Result<void> PbftMessageVerifier::check(const CommitCertificate& m) const {
  const Ballot ballot{m.view, m.height, certified_id(membership_, m)};
  return check_quorum(vote_signing_digest(membership_, VoteKind::commit, ballot), m.commits);
}

Result<void> PbftMessageVerifier::check(const CheckpointProof& m) const {
  return check_quorum(checkpoint_signing_digest(membership_, m.claim), m.votes);
}

Result<CommitCertificate> PbftMessageVerifier::checked_certificate(ByteView bytes) const {
  QUORATE_TRY(auto decoded, decode_certificate(bytes, limits_.members));
  QUORATE_CHECK(check_epoch(decoded.first));
  QUORATE_CHECK(check(decoded.second));
  return std::move(decoded.second);
}

Result<CommittedPayload> PbftMessageVerifier::verify_commit_certificate(
    ByteView certificate) const {
  QUORATE_TRY(const CommitCertificate checked, checked_certificate(certificate));
  CommittedPayload out;
  out.height = checked.height;
  out.id = certified_id(membership_, checked);
  if (checked.header) {
    out.proposed_time = checked.header->time;
    out.proposer = checked.header->proposer;
    out.payload_digest = checked.header->payload_digest;
  } else {
    out.payload_digest = pbft::payload_digest({});
  }
  return out;
}

Result<VerifiedMessagePtr> PbftMessageVerifier::verify_committed(ByteView certificate,
                                                                 Bytes payload) const {
  QUORATE_TRY(CommitCertificate checked, checked_certificate(certificate));
  const bool matches = checked.header
                           ? checked.header->payload_digest == pbft::payload_digest(payload)
                           : payload.empty();
  if (!matches) {
    return fail(Errc::bad_signature, "a payload that its commit certificate does not name");
  }
  Committed committed{std::move(checked), std::make_shared<const Bytes>(std::move(payload))};
  return VerifiedMessagePtr(new PbftMessage(std::move(committed)));
}

Result<ProvedOffence> PbftMessageVerifier::verify_evidence(ByteView proof) const {
  QUORATE_TRY(const EvidenceParts parts, decode_evidence(proof));
  QUORATE_CHECK(check_epoch(parts.epoch));
  for (const Witness& witness : parts.witnesses) {
    QUORATE_CHECK(std::visit([this](const auto& w) { return check(w); }, witness));
  }
  return offence_of(membership_, parts.witnesses[0], parts.witnesses[1]);
}

std::size_t PbftMessageVerifier::message_bytes_max() const {
  return std::max(limits_.payload_bytes_max + kMessageOverheadMax,
                  view_message_bytes_max(limits_, membership_.quorum()));
}

Digest PbftMessageVerifier::payload_digest(ByteView payload) const {
  return pbft::payload_digest(payload);
}

}  // namespace quorate::consensus::pbft
