// An engine that does what a test tells it, and remembers what it was told; with a verifier that
// accepts bytes starting with 'm' as messages and 'c', height as commit certificates.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "consensus/factory.hpp"
#include "crypto/hash.hpp"

namespace quorate::node::testing {

class FakeMessage final : public consensus::VerifiedMessage {
 public:
  explicit FakeMessage(std::uint8_t number_in) : number(number_in) {}
  const char* type_name() const override { return "fake"; }
  std::uint8_t number;
};

class FakeVerifier final : public consensus::MessageVerifier {
 public:
  Result<consensus::VerifiedMessagePtr> verify(ReplicaId, ByteView message) const override {
    if (message.size() != 2 || message[0] != 'm') return fail(Errc::bad_encoding, "no message");
    return std::make_shared<const FakeMessage>(message[1]);
  }
  Result<consensus::CommittedPayload> verify_commit_certificate(ByteView bytes) const override {
    if (bytes.size() != 2 || bytes[0] != 'c') return fail(Errc::bad_signature, "no certificate");
    consensus::CommittedPayload out{};
    out.height = Height(bytes[1]);
    out.id = id_of(bytes[1]);
    return out;
  }
  Result<consensus::VerifiedMessagePtr> verify_committed(ByteView certificate,
                                                         Bytes) const override {
    return std::make_shared<const FakeMessage>(certificate[1]);
  }
  Digest payload_digest(ByteView payload) const override { return crypto::sha256(payload); }
  Result<consensus::ProvedOffence> verify_evidence(ByteView) const override {
    return fail(Errc::bad_signature, "no evidence");
  }
  std::size_t message_bytes_max() const override { return 1U << 20U; }

  static Digest id_of(std::uint8_t height) {
    Digest out;
    out.bytes.fill(height);
    return out;
  }
};

struct FakeEngine final : consensus::Engine {
  void step(const consensus::Event& event, std::vector<consensus::Output>& out) override {
    inputs.push_back(event.input);
    if (on_step) on_step(event.input, out);
    out.insert(out.end(), says_next.begin(), says_next.end());
    says_next.clear();
  }
  std::optional<Instant> next_deadline() const override { return deadline; }
  consensus::Status status() const override { return current; }
  std::size_t memory_bytes() const override { return 1'000; }

  // The inputs of one kind, in order.
  template <class Kind>
  std::vector<Kind> all() const {
    std::vector<Kind> out;
    for (const auto& input : inputs) {
      if (const auto* kind = std::get_if<Kind>(&input)) out.push_back(*kind);
    }
    return out;
  }

  std::vector<consensus::Input> inputs;
  std::function<void(const consensus::Input&, std::vector<consensus::Output>&)> on_step;
  std::vector<consensus::Output> says_next;  // its answer to the next input, once
  std::optional<Instant> deadline;
  consensus::Status current{};
};

}  // namespace quorate::node::testing
