#include "crypto/verified_cache.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "crypto/keys.hpp"

namespace quorate::crypto {
namespace {

// Counts how often a signature was really checked.
class CountingVerifier final : public Verifier {
 public:
  bool verify(const PublicKey& key, ByteView message, const Signature& signature) const override {
    ++checks;
    return inner_.verify(key, message, signature);
  }
  mutable std::atomic<std::size_t> checks{0};

 private:
  Ed25519Verifier inner_;
};

// Accepts everything, at no cost.
class YesVerifier final : public Verifier {
 public:
  bool verify(const PublicKey&, ByteView, const Signature&) const override {
    ++checks;
    return true;
  }
  mutable std::atomic<std::size_t> checks{0};
};

Bytes message_number(std::size_t number) {
  Bytes out(8);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return out;
}

}  // namespace

TEST_CASE("a signature that verified is not checked again") {
  const CountingVerifier inner;
  const VerifiedCache cache(inner, 1000);
  const AccountKey key = AccountKey::random();
  const Signature signature = key.sign(as_bytes("pay"));
  CHECK(cache.verify(key.public_key(), as_bytes("pay"), signature));
  CHECK(cache.verify(key.public_key(), as_bytes("pay"), signature));
  CHECK(inner.checks == 1);
}

TEST_CASE("a cached signature does not vouch for another message, key or signature") {
  const CountingVerifier inner;
  const VerifiedCache cache(inner, 1000);
  const AccountKey key = AccountKey::random();
  Signature signature = key.sign(as_bytes("pay"));
  REQUIRE(cache.verify(key.public_key(), as_bytes("pay"), signature));
  CHECK_FALSE(cache.verify(key.public_key(), as_bytes("pay more"), signature));
  CHECK_FALSE(cache.verify(key.public_key(), {}, signature));
  CHECK_FALSE(cache.verify(AccountKey::random().public_key(), as_bytes("pay"), signature));
  signature.bytes[0] ^= 1;
  CHECK_FALSE(cache.verify(key.public_key(), as_bytes("pay"), signature));
}

TEST_CASE("a refusal is not remembered") {
  const CountingVerifier inner;
  const VerifiedCache cache(inner, 1000);
  const PublicKey key = AccountKey::random().public_key();
  CHECK_FALSE(cache.verify(key, as_bytes("x"), Signature{}));
  CHECK_FALSE(cache.verify(key, as_bytes("x"), Signature{}));
  CHECK(inner.checks == 2);
}

TEST_CASE("the cache is bounded, forgets the oldest and keeps what is used") {
  constexpr std::size_t kCapacity = 3200;
  const YesVerifier inner;
  const VerifiedCache cache(inner, kCapacity);
  const auto checked = [&](std::size_t number) {
    const std::size_t before = inner.checks;
    REQUIRE(cache.verify(PublicKey{}, message_number(number), Signature{}));
    return inner.checks != before;
  };
  for (std::size_t i = 1; i <= 20 * kCapacity; ++i) {
    checked(i);
    if (i % 100 == 0) checked(0);  // in use all the time
  }
  CHECK_FALSE(checked(0));
  CHECK_FALSE(checked(20 * kCapacity));
  std::size_t remembered = 0;
  for (std::size_t i = 20 * kCapacity; i > 15 * kCapacity; --i) {
    // Asking for what is forgotten stores it again, so each number is asked for once.
    if (!checked(i)) ++remembered;
  }
  CHECK(remembered <= kCapacity);
  CHECK(remembered >= kCapacity / 4);
  CHECK(checked(1));
}

TEST_CASE("threads may share the cache") {
  const CountingVerifier inner;
  const VerifiedCache cache(inner, 64);
  const AccountKey key = AccountKey::random();
  std::vector<Signature> signatures;
  for (std::size_t i = 0; i < 50; ++i) signatures.push_back(key.sign(message_number(i)));
  std::atomic<bool> right{true};
  const auto work = [&] {
    for (std::size_t i = 0; i < signatures.size(); ++i) {
      const std::size_t other = (i + 1) % signatures.size();
      if (!cache.verify(key.public_key(), message_number(i), signatures[i])) right = false;
      if (cache.verify(key.public_key(), message_number(i), signatures[other])) right = false;
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  CHECK(right);
}

}  // namespace quorate::crypto
