#include "crypto/keys.hpp"

#include <sodium.h>

#include <new>

#include "crypto/base/assert.hpp"
#include "crypto/sodium.hpp"

namespace quorate::crypto {
namespace {

// Guard pages around the secret, and its page is locked where the limits of the process allow.
std::uint8_t* allocate_secret(std::size_t size) {
  ensure_sodium();
  void* const memory = sodium_malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return static_cast<std::uint8_t*>(memory);
}

struct SecretFree {
  void operator()(std::uint8_t* secret) const { sodium_free(secret); }  // wipes first
};

}  // namespace

SecretSeed::SecretSeed() : bytes_(allocate_secret(kSize)) {}

SecretSeed::SecretSeed(SecretSeed&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)) {}

SecretSeed& SecretSeed::operator=(SecretSeed&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

SecretSeed::~SecretSeed() { sodium_free(bytes_); }

SecretSeed SecretSeed::random() {
  SecretSeed out;
  randombytes_buf(out.bytes_, kSize);
  return out;
}

Result<SecretSeed> SecretSeed::from(ByteView bytes) {
  if (bytes.size() != kSize) {
    return fail(Errc::bad_encoding, "a secret key has " + std::to_string(kSize) + " bytes, not " +
                                        std::to_string(bytes.size()));
  }
  SecretSeed out;
  std::copy(bytes.begin(), bytes.end(), out.bytes_);
  return out;
}

ByteView SecretSeed::expose() const {
  QUORATE_ASSERT(bytes_ != nullptr);
  return {bytes_, kSize};
}

void wipe(Bytes& secret) { sodium_memzero(secret.data(), secret.size()); }
void wipe(std::string& secret) { sodium_memzero(secret.data(), secret.size()); }

template <class Purpose>
struct Ed25519Key<Purpose>::Impl {
  // libsodium's form: the seed, then the public key.
  std::unique_ptr<std::uint8_t, SecretFree> secret{allocate_secret(crypto_sign_SECRETKEYBYTES)};
  PublicKey public_key;
};

template <class Purpose>
Ed25519Key<Purpose>::Ed25519Key(SecretSeed seed) : impl_(std::make_unique<Impl>()) {
  QUORATE_ASSERT(crypto_sign_seed_keypair(impl_->public_key.data(), impl_->secret.get(),
                                          seed.expose().data()) == 0);
}

template <class Purpose>
Ed25519Key<Purpose>::Ed25519Key(Ed25519Key&&) noexcept = default;
template <class Purpose>
Ed25519Key<Purpose>& Ed25519Key<Purpose>::operator=(Ed25519Key&&) noexcept = default;
template <class Purpose>
Ed25519Key<Purpose>::~Ed25519Key() = default;

template <class Purpose>
const PublicKey& Ed25519Key<Purpose>::public_key() const {
  QUORATE_ASSERT(impl_ != nullptr);
  return impl_->public_key;
}

template <class Purpose>
Signature Ed25519Key<Purpose>::sign(ByteView message) const {
  QUORATE_ASSERT(impl_ != nullptr);
  Signature out;
  QUORATE_ASSERT(crypto_sign_detached(out.data(), nullptr, message.data(), message.size(),
                                      impl_->secret.get()) == 0);
  return out;
}

template <class Purpose>
ByteView Ed25519Key<Purpose>::expose_seed() const {
  QUORATE_ASSERT(impl_ != nullptr);
  return {impl_->secret.get(), SecretSeed::kSize};
}

template class Ed25519Key<AccountPurpose>;
template class Ed25519Key<ValidatorPurpose>;
template class Ed25519Key<NodePurpose>;

}  // namespace quorate::crypto
