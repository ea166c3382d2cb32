#include "crypto/keys.hpp"

#include <catch2/catch.hpp>

#include "crypto/verifier.hpp"

namespace quorate::crypto {
namespace {

struct Rfc8032Vector {
  std::string_view seed, public_key, message, signature;
};

// RFC 8032 section 7.1: tests 1, 2, 3 and SHA(abc).
constexpr std::array<Rfc8032Vector, 4> kRfc8032 = {{
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fee"
     "bbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e"
     "0303dca179c138ac17ad9bef1177331a704"},
}};

}  // namespace

TEST_CASE("keys and signatures match the vectors of RFC 8032") {
  const Ed25519Verifier verifier;
  for (const Rfc8032Vector& vector : kRfc8032) {
    auto seed = SecretSeed::from(from_hex(vector.seed).value());
    REQUIRE(seed.has_value());
    const AccountKey key(std::move(*seed));
    CHECK(to_hex(key.public_key()) == vector.public_key);
    const Bytes message = from_hex(vector.message).value();
    const Signature signature = key.sign(message);
    CHECK(to_hex(signature) == vector.signature);
    CHECK(verifier.verify(key.public_key(), message, signature));
  }
}

TEST_CASE("a changed bit in message, signature or key is refused") {
  const Ed25519Verifier verifier;
  const ValidatorKey key = ValidatorKey::random();
  Bytes message = to_bytes(as_bytes("vote"));
  const Signature signature = key.sign(message);
  CHECK(verifier.verify(key.public_key(), message, signature));
  for (std::size_t bit = 0; bit < Signature::kSize * 8; ++bit) {
    Signature changed = signature;
    changed.bytes[bit / 8] = static_cast<std::uint8_t>(changed.bytes[bit / 8] ^ (1U << (bit % 8)));
    CHECK_FALSE(verifier.verify(key.public_key(), message, changed));
  }
  PublicKey other = key.public_key();
  other.bytes[3] ^= 1;
  CHECK_FALSE(verifier.verify(other, message, signature));
  message[0] ^= 1;
  CHECK_FALSE(verifier.verify(key.public_key(), message, signature));
}

TEST_CASE("a secret seed has exactly 32 bytes and survives a move") {
  CHECK_FALSE(SecretSeed::from(Bytes(31)).has_value());
  CHECK_FALSE(SecretSeed::from(Bytes(33)).has_value());
  Bytes bytes(32, 7);
  auto seed = SecretSeed::from(bytes);
  REQUIRE(seed.has_value());
  SecretSeed moved = std::move(*seed);
  CHECK(to_bytes(moved.expose()) == bytes);
  moved = SecretSeed::random();
  CHECK(to_bytes(moved.expose()) != bytes);
}

TEST_CASE("a key gives back the seed it was made from, and moves") {
  AccountKey key(SecretSeed::from(Bytes(32, 9)).value());
  CHECK(to_bytes(key.expose_seed()) == Bytes(32, 9));
  const PublicKey before = key.public_key();
  AccountKey moved = std::move(key);
  CHECK(moved.public_key() == before);
  key = std::move(moved);
  CHECK(key.public_key() == before);
}

TEST_CASE("two random keys differ") {
  CHECK(NodeKey::random().public_key() != NodeKey::random().public_key());
}

TEST_CASE("wiping overwrites a secret in place") {
  Bytes bytes(5, 1);
  wipe(bytes);
  CHECK(bytes == Bytes(5, 0));
  std::string text = "secret";
  wipe(text);
  CHECK(text == std::string(6, '\0'));
}

}  // namespace quorate::crypto
