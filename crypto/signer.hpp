// Whoever can sign with one Ed25519 key. Signing is deterministic (RFC 8032), so an engine may sign
// inside a pure step. The simulator implements Signer with unforgeable tokens instead of curves.
#pragma once

#include "crypto/base/bytes.hpp"

namespace quorate::crypto {

class Signer {
 public:
  virtual ~Signer() = default;
  virtual const PublicKey& public_key() const = 0;
  virtual Signature sign(ByteView message) const = 0;
};

}  // namespace quorate::crypto
