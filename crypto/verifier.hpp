// Whoever can check signatures. Ed25519Verifier accepts exactly what libsodium 1.0.18 accepts
// (cofactorless; small-order and non-canonical points and s >= L refused): libraries disagree on
// edge cases, and a disagreement between replicas is a fork. Thread-safe.
#pragma once

#include "crypto/base/bytes.hpp"

namespace quorate::crypto {

class Verifier {
 public:
  virtual ~Verifier() = default;
  virtual bool verify(const PublicKey& key, ByteView message, const Signature& signature) const = 0;
};

class Ed25519Verifier final : public Verifier {
 public:
  Ed25519Verifier();  // initialises libsodium
  bool verify(const PublicKey& key, ByteView message, const Signature& signature) const override;
};

}  // namespace quorate::crypto
