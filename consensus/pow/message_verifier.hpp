// Checks what a message proves by itself before the engine sees it: the work of every header
// against its own bits, the chain it was done for, who did it, and that a payload is the one its
// header names. Whether the bits and the time are the right ones for its place depends on its
// ancestors: that is the block tree's part. The only maker of PowMessage. Stateless; any thread.
#pragma once

#include "consensus/engine.hpp"
#include "consensus/pow/messages.hpp"
#include "consensus/pow/settings.hpp"

namespace quorate::consensus::pow {

class PowMessage final : public VerifiedMessage {
 public:
  const char* type_name() const override { return pow::type_name(content_); }
  const Message& content() const { return content_; }
  // Whoever asks, or shows headers again, has done no work for it. Payloads may come by the
  // thousand, because they were asked for: Admission bounds the others.
  bool is_unsigned() const override { return !std::holds_alternative<FullBlock>(content_); }

 private:
  friend class PowMessageVerifier;
  explicit PowMessage(Message content) : content_(std::move(content)) {}
  Message content_;
};

class PowMessageVerifier final : public MessageVerifier {
 public:
  // Of the settings it uses what belongs to the chain, and `work`.
  explicit PowMessageVerifier(Settings settings) : settings_(std::move(settings)) {}

  Result<VerifiedMessagePtr> verify(ReplicaId from, ByteView message) const override;
  Result<CommittedPayload> verify_commit_certificate(ByteView certificate) const override;
  Result<VerifiedMessagePtr> verify_committed(ByteView certificate, Bytes payload) const override;
  Digest payload_digest(ByteView payload) const override { return pow::payload_digest(payload); }
  // There is none: work binds nobody to one branch.
  Result<ProvedOffence> verify_evidence(ByteView proof) const override;
  std::size_t message_bytes_max() const override;

  // A stored header with its id, checked like one in a message.
  Result<Identified> checked_header(ByteView certificate) const;

 private:
  Result<void> check(const Identified& header) const;
  Result<void> check(const std::vector<Identified>& headers) const;
  Result<void> check(const Announce& message) const { return check(message.headers); }
  Result<void> check(const Headers& message) const { return check(message.headers); }
  Result<void> check(const FullBlock& message) const;
  Result<void> check(const AskHeaders&) const { return {}; }
  Result<void> check(const AskBlocks&) const { return {}; }

  Settings settings_;
};

// Checks a whole stored chain: the work of each header, that it follows the one before, and that
// its bits and time are what its ancestors demand.
class PowOrderAudit final : public OrderAudit {
 public:
  explicit PowOrderAudit(const Settings& settings)
      : verifier_(settings), rules_(settings.rules), last_(rules_.genesis()) {}
  Result<CommittedPayload> next(ByteView certificate) override;

 private:
  PowMessageVerifier verifier_;
  crypto::work::HeaderRules rules_;
  crypto::work::Context last_;
};

}  // namespace quorate::consensus::pow
