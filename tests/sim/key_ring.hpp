// The signatures of a run. Usually tokens: a keyed hash under a secret that only the signer made by
// this ring holds, so that nobody in the simulation can forge one, at a fiftieth of the cost of a
// curve. Some seeds use real Ed25519 instead. The ring remembers what validators signed: the
// checks of durable-before-send look signatures up in disk images.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "crypto/signer.hpp"
#include "crypto/verifier.hpp"
#include "tests/sim/prng.hpp"

namespace quorate::sim {

using SignatureNumber = std::uint32_t;

class KeyRing final : public crypto::Verifier {
 public:
  KeyRing(Prng prng, bool real_ed25519);
  ~KeyRing() override;

  // The ring owns the signer. With `recorded`, every signature it makes gets a number.
  const crypto::Signer& make_signer(bool recorded);
  bool verify(const PublicKey& key, ByteView message, const Signature& signature) const override;

  // The recorded signature of `key` over `message`, if it was ever made.
  std::optional<SignatureNumber> find(const PublicKey& key, ByteView message) const;
  // Every recorded signature that stands somewhere in `record`.
  void scan(ByteView record, std::vector<SignatureNumber>& found) const;

 private:
  class TokenSigner;
  class RecordingSigner;
  using Secret = Digest;
  void record(const PublicKey& key, ByteView message, const Signature& signature);

  Prng prng_;
  bool real_;
  crypto::Ed25519Verifier ed25519_;
  std::map<PublicKey, Secret> secrets_;
  std::vector<std::unique_ptr<crypto::Signer>> signers_;
  std::map<std::pair<PublicKey, Digest>, SignatureNumber> by_message_;
  // Looked up, never iterated: the first eight bytes of a signature -> its number.
  std::unordered_map<std::uint64_t, SignatureNumber> by_prefix_;
  std::vector<bool> prefix_filter_;
  std::vector<Signature> recorded_;
};

}  // namespace quorate::sim
