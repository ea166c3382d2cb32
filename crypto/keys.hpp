// Secret keys. Key memory is locked against swapping and wiped when it is freed; a key can be moved
// but not copied. Account, validator and node keys are different types on purpose: the same key
// must never serve two of these roles.
#pragma once

#include <memory>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"
#include "crypto/signer.hpp"

namespace quorate::crypto {

// 32 secret bytes in guarded memory (sodium_malloc). Movable only; wiped on destruction.
class SecretSeed {
 public:
  static constexpr std::size_t kSize = 32;
  // From the operating system's random source.
  static SecretSeed random();
  // Copies `bytes`; error bad_encoding unless there are 32. The caller wipes its own copy.
  static Result<SecretSeed> from(ByteView bytes);
  SecretSeed(SecretSeed&&) noexcept;
  SecretSeed& operator=(SecretSeed&&) noexcept;
  ~SecretSeed();
  // Valid while this object lives.
  ByteView expose() const;

 private:
  SecretSeed();
  std::uint8_t* bytes_;
};

// Fills the buffer with zeros in a way the compiler does not remove.
void wipe(Bytes& secret);
void wipe(std::string& secret);

// An Ed25519 key pair for one purpose. Thread-safe to sign with.
template <class Purpose>
class Ed25519Key final : public Signer {
 public:
  explicit Ed25519Key(SecretSeed seed);
  static Ed25519Key random() { return Ed25519Key(SecretSeed::random()); }
  Ed25519Key(Ed25519Key&&) noexcept;
  Ed25519Key& operator=(Ed25519Key&&) noexcept;
  ~Ed25519Key() override;
  const PublicKey& public_key() const override;
  Signature sign(ByteView message) const override;
  // The seed, to store it in a key file.
  ByteView expose_seed() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

using AccountKey = Ed25519Key<struct AccountPurpose>;      // signs transactions
using ValidatorKey = Ed25519Key<struct ValidatorPurpose>;  // signs consensus messages
using NodeKey = Ed25519Key<struct NodePurpose>;            // authenticates TLS between nodes

}  // namespace quorate::crypto
