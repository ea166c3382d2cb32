// Signatures as tokens that only the holder of a key can make in this process: fast and
// deterministic, and the verifier refuses whatever was not signed.
#pragma once

#include <memory>
#include <vector>

#include "crypto/certificate/membership.hpp"
#include "crypto/hash.hpp"
#include "crypto/signer.hpp"
#include "crypto/verifier.hpp"

namespace quorate::consensus::test {

inline Signature token(const PublicKey& key, ByteView message) {
  const Digest half = crypto::hash("quorate/test-signature/1", {key, message});
  Signature out;
  std::copy(half.bytes.begin(), half.bytes.end(), out.bytes.begin());
  std::copy(half.bytes.begin(), half.bytes.end(), out.bytes.begin() + 32);
  return out;
}

class TokenSigner final : public crypto::Signer {
 public:
  explicit TokenSigner(PublicKey key) : key_(key) {}
  const PublicKey& public_key() const override { return key_; }
  Signature sign(ByteView message) const override { return token(key_, message); }

 private:
  PublicKey key_;
};

class TokenVerifier final : public crypto::Verifier {
 public:
  bool verify(const PublicKey& key, ByteView message, const Signature& signature) const override {
    return signature == token(key, message);
  }
};

inline PublicKey test_key(std::uint32_t replica) {
  const Digest digest =
      crypto::hash("quorate/test-key/1", {as_bytes("replica " + std::to_string(replica))});
  PublicKey out;
  std::copy(digest.bytes.begin(), digest.bytes.end(), out.bytes.begin());
  return out;
}

inline crypto::Membership test_membership(std::uint32_t members) {
  crypto::Membership out;
  out.chain_id = crypto::hash("quorate/test-chain/1", {});
  out.config_hash = crypto::hash("quorate/test-config/1", {});
  for (std::uint32_t i = 0; i < members; ++i) out.validators.push_back(test_key(i));
  return out;
}

}  // namespace quorate::consensus::test
