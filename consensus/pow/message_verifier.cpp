#include "consensus/pow/message_verifier.hpp"

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pow {

namespace {

// Besides its payload no message has more than this: 256 headers of 192 bytes, or the 64 waypoints
// of a locator.
constexpr std::size_t kMessageOverheadMax = 64U << 10U;

CommittedPayload committed_payload(const Identified& header) {
  CommittedPayload out;
  out.height = header.header.height;
  out.id = header.id;
  out.proposed_time = WallMs(header.header.time_s * 1'000);
  out.proposer = header.header.miner;
  out.payload_digest = header.header.payload_digest;
  return out;
}

}  // namespace

Result<void> PowMessageVerifier::check(const Identified& entry) const {
  if (QUORATE_MUTANT(work_unchecked)) return {};
  return settings_.rules.check_alone(entry.header, entry.id, *settings_.work);
}

Result<void> PowMessageVerifier::check(const std::vector<Identified>& headers) const {
  for (const Identified& header : headers) QUORATE_CHECK(check(header));
  return {};
}

Result<void> PowMessageVerifier::check(const FullBlock& message) const {
  QUORATE_CHECK(check(message.header));
  // Nothing is held against the header: anybody can put another payload beside it.
  if (message.header.header.payload_digest != pow::payload_digest(*message.payload) &&
      !QUORATE_MUTANT(payload_not_compared)) {
    return fail(Errc::bad_signature, "a payload that is not the one its header names");
  }
  return {};
}

Result<VerifiedMessagePtr> PowMessageVerifier::verify(ReplicaId from, ByteView message) const {
  if (!settings_.membership.contains(from)) {
    return fail(Errc::bad_signature,
                "replica " + std::to_string(from.value()) + " is not a member of this epoch");
  }
  if (message.size() > message_bytes_max()) {
    return fail(Errc::limit_exceeded,
                "a consensus message of " + std::to_string(message.size()) + " bytes");
  }
  QUORATE_TRY(Message decoded, decode(message, settings_.payload_bytes_max));
  QUORATE_CHECK(std::visit([this](const auto& m) { return check(m); }, decoded));
  return VerifiedMessagePtr(new PowMessage(std::move(decoded)));
}

Result<Identified> PowMessageVerifier::checked_header(ByteView certificate) const {
  QUORATE_TRY(const crypto::work::Header header, crypto::work::decode_header(certificate));
  const Identified out = identify(header);
  QUORATE_CHECK(check(out));
  return out;
}

Result<CommittedPayload> PowMessageVerifier::verify_commit_certificate(ByteView certificate) const {
  QUORATE_TRY(const Identified header, checked_header(certificate));
  return committed_payload(header);
}

Result<VerifiedMessagePtr> PowMessageVerifier::verify_committed(ByteView certificate,
                                                                Bytes payload) const {
  QUORATE_TRY(const Identified header, checked_header(certificate));
  FullBlock block{header, std::make_shared<const Bytes>(std::move(payload))};
  QUORATE_CHECK(check(block));
  return VerifiedMessagePtr(new PowMessage(std::move(block)));
}

Result<ProvedOffence> PowMessageVerifier::verify_evidence(ByteView) const {
  return fail(Errc::invalid_argument,
              "proof of work knows no evidence: whoever works on two branches breaks no promise");
}

std::size_t PowMessageVerifier::message_bytes_max() const {
  return settings_.payload_bytes_max + kMessageOverheadMax;
}

Result<CommittedPayload> PowOrderAudit::next(ByteView certificate) {
  QUORATE_TRY(const Identified header, verifier_.checked_header(certificate));
  auto extended = rules_.extend(last_, header.header, header.id);
  if (!extended) return fail(Errc::corrupt, extended.error().detail);
  last_ = *extended;
  return committed_payload(header);
}

}  // namespace quorate::consensus::pow
