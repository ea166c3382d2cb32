#include "crypto/verifier.hpp"

#include <sodium.h>

#include "crypto/sodium.hpp"

namespace quorate::crypto {

Ed25519Verifier::Ed25519Verifier() { ensure_sodium(); }

bool Ed25519Verifier::verify(const PublicKey& key, ByteView message,
                             const Signature& signature) const {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.data()) == 0;
}

}  // namespace quorate::crypto
