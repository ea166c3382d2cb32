// Remembers signatures that verified, so that a node checks each once. Keyed by
// H(public key, message, signature), never by the signature alone: a cache that forgets the message
// accepts forgeries. Bounded; thread-safe.
#pragma once

#include <cstddef>
#include <memory>

#include "crypto/verifier.hpp"

namespace quorate::crypto {

class VerifiedCache final : public Verifier {
 public:
  // Wraps `inner`, which must outlive this. Holds at most `capacity` entries (two generations);
  // `capacity` is at least 32.
  VerifiedCache(const Verifier& inner, std::size_t capacity);
  ~VerifiedCache() override;
  bool verify(const PublicKey& key, ByteView message, const Signature& signature) const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::crypto
