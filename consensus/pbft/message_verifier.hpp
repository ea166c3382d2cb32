// Checks every signature, certificate and digest in a message before the engine sees it, cheap
// fields first. The only maker of PbftMessage, so that holding one means "this was checked".
// Stateless; any thread.
#pragma once

#include <variant>

#include "consensus/engine.hpp"
#include "consensus/pbft/messages.hpp"
#include "crypto/certificate/membership.hpp"
#include "crypto/verifier.hpp"

namespace quorate::consensus::pbft {

class PbftMessage final : public VerifiedMessage {
 public:
  using Content = std::variant<PrePrepare, Vote, Seal, CheckpointVote, StatusReport, Fetch, Data,
                               CommitCertificate, CheckpointProof, Suspect, ViewChangePtr,
                               NewViewPtr, Committed>;

  const char* type_name() const override;
  bool is_unsigned() const override;
  const Content& content() const { return content_; }

 private:
  friend class PbftMessageVerifier;
  explicit PbftMessage(Content content) : content_(std::move(content)) {}
  Content content_;
};

class PbftMessageVerifier final : public MessageVerifier {
 public:
  // `verifier` must outlive this. `window` is L, the heights that one VIEW-CHANGE may speak of.
  PbftMessageVerifier(crypto::Membership membership, std::uint32_t payload_bytes_max,
                      std::uint64_t window, const crypto::Verifier& verifier);

  Result<VerifiedMessagePtr> verify(ReplicaId from, ByteView message) const override;
  Result<CommittedPayload> verify_commit_certificate(ByteView certificate) const override;
  Result<VerifiedMessagePtr> verify_committed(ByteView certificate, Bytes payload) const override;
  Digest payload_digest(ByteView payload) const override;
  Result<ProvedOffence> verify_evidence(ByteView proof) const override;
  std::size_t message_bytes_max() const override;

 private:
  Result<CommitCertificate> checked_certificate(ByteView bytes) const;
  Result<void> check_epoch(Epoch epoch) const;
  Result<void> check(const PrePrepare& message) const;
  Result<void> check(const Core& message) const;
  Result<void> check(const Vote& message) const;
  Result<void> check(const Seal& message) const;
  Result<void> check(const CheckpointVote& message) const;
  Result<void> check(const StatusReport& message) const;
  Result<void> check(const Fetch& message) const;
  Result<void> check(const Data& message) const;
  Result<void> check(const CommitCertificate& message) const;
  Result<void> check(const CheckpointProof& message) const;
  Result<void> check(const Suspect& message) const;
  Result<void> check(const ViewChangePtr& message) const;
  Result<void> check(const NewViewPtr& message) const;
  Result<void> check(const ViewChangeStub& stub) const;
  Result<void> check(const NewViewStub& stub) const;
  Result<void> check(const PreparedCertificate& certificate) const;
  std::size_t size_max(ByteView message) const;
  Result<void> check_body(const Body& body) const;
  Result<void> check_signature(ReplicaId replica, const Digest& digest, const Signature& signature,
                               const char* what) const;
  // Exactly q signatures, so that one certificate has one size whoever made it.
  Result<void> check_quorum(const Digest& digest,
                            const std::vector<crypto::ReplicaSignature>& signatures) const;

  crypto::Membership membership_;
  DecodeLimits limits_;
  const crypto::Verifier& verifier_;
};

}  // namespace quorate::consensus::pbft
