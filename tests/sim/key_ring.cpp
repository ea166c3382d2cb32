#include "tests/sim/key_ring.hpp"

#include <cstring>

#include "crypto/base/assert.hpp"
#include "crypto/hash.hpp"
#include "crypto/keys.hpp"

namespace quorate::sim {
namespace {

constexpr std::size_t kFilterBits = 1U << 18U;

std::uint64_t prefix_of(const std::uint8_t* bytes) {
  std::uint64_t out = 0;
  std::memcpy(&out, bytes, sizeof(out));
  return out;
}

Digest random_digest(Prng& prng) {
  Digest out;
  for (std::uint8_t& byte : out.bytes) byte = static_cast<std::uint8_t>(prng.next());
  return out;
}

Signature token(const Digest& secret, ByteView message) {
  const Digest half = crypto::hash("sim/token/1", {secret, message});
  Signature out;
  for (std::size_t i = 0; i < Digest::kSize; ++i) {
    out.bytes[i] = half.bytes[i];
    out.bytes[i + Digest::kSize] = static_cast<std::uint8_t>(half.bytes[i] ^ 0x5aU);
  }
  return out;
}

}  // namespace

class KeyRing::TokenSigner final : public crypto::Signer {
 public:
  TokenSigner(PublicKey key, Digest secret) : key_(key), secret_(secret) {}
  const PublicKey& public_key() const override { return key_; }
  Signature sign(ByteView message) const override { return token(secret_, message); }

 private:
  PublicKey key_;
  Digest secret_;
};

class KeyRing::RecordingSigner final : public crypto::Signer {
 public:
  RecordingSigner(const crypto::Signer& inner, KeyRing& ring) : inner_(inner), ring_(ring) {}
  const PublicKey& public_key() const override { return inner_.public_key(); }
  Signature sign(ByteView message) const override {
    const Signature signature = inner_.sign(message);
    ring_.record(inner_.public_key(), message, signature);
    return signature;
  }

 private:
  const crypto::Signer& inner_;
  KeyRing& ring_;
};

KeyRing::KeyRing(Prng prng, bool real_ed25519)
    : prng_(prng), real_(real_ed25519), prefix_filter_(kFilterBits) {}

KeyRing::~KeyRing() = default;

const crypto::Signer& KeyRing::make_signer(bool recorded) {
  const Digest secret = random_digest(prng_);
  if (real_) {
    auto seed = crypto::SecretSeed::from(secret);
    QUORATE_ASSERT(seed.has_value());
    signers_.push_back(std::make_unique<crypto::ValidatorKey>(std::move(*seed)));
  } else {
    PublicKey key;
    const Digest name = crypto::hash("sim/key/1", {secret});
    std::copy(name.bytes.begin(), name.bytes.end(), key.bytes.begin());
    secrets_.emplace(key, secret);
    signers_.push_back(std::make_unique<TokenSigner>(key, secret));
  }
  if (recorded) signers_.push_back(std::make_unique<RecordingSigner>(*signers_.back(), *this));
  return *signers_.back();
}

bool KeyRing::verify(const PublicKey& key, ByteView message, const Signature& signature) const {
  if (real_) return ed25519_.verify(key, message, signature);
  const auto secret = secrets_.find(key);
  return secret != secrets_.end() && token(secret->second, message) == signature;
}

void KeyRing::record(const PublicKey& key, ByteView message, const Signature& signature) {
  const auto number = static_cast<SignatureNumber>(recorded_.size());
  const auto added = by_message_.emplace(std::make_pair(key, crypto::sha256(message)), number);
  if (!added.second) return;  // signing is deterministic: the same bytes again
  recorded_.push_back(signature);
  const std::uint64_t prefix = prefix_of(signature.data());
  by_prefix_.emplace(prefix, number);
  prefix_filter_[prefix % kFilterBits] = true;
}

std::optional<SignatureNumber> KeyRing::find(const PublicKey& key, ByteView message) const {
  const auto it = by_message_.find({key, crypto::sha256(message)});
  if (it == by_message_.end()) return std::nullopt;
  return it->second;
}

void KeyRing::scan(ByteView record, std::vector<SignatureNumber>& found) const {
  if (record.size() < Signature::kSize) return;
  for (std::size_t i = 0; i + Signature::kSize <= record.size(); ++i) {
    const std::uint64_t prefix = prefix_of(record.data() + i);
    if (!prefix_filter_[prefix % kFilterBits]) continue;
    const auto it = by_prefix_.find(prefix);
    if (it == by_prefix_.end()) continue;
    const Signature& signature = recorded_[it->second];
    if (std::equal(signature.bytes.begin(), signature.bytes.end(),
                   record.begin() + static_cast<std::ptrdiff_t>(i))) {
      found.push_back(it->second);
    }
  }
}

}  // namespace quorate::sim
