#include "crypto/verifier.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/crypto/vector_file.hpp"

namespace quorate::crypto {

// Each case was made so that a more lenient library accepts it: in most the verification equation
// holds, and only the acceptance rule stands between the signature and the ledger.
TEST_CASE("edge cases of Ed25519 are accepted and refused as libsodium 1.0.18 does") {
  const Ed25519Verifier verifier;
  std::size_t held_but_refused = 0;
  for (const auto& vector : load_vectors("ed25519_vectors.json")) {
    CAPTURE(vector["name"].get<std::string>());
    const auto key = PublicKey::from_hex(vector["public_key"].get<std::string>()).value();
    const auto message = from_hex(vector["message"].get<std::string>()).value();
    const auto signature = Signature::from_hex(vector["signature"].get<std::string>()).value();
    const bool accepted = vector["accepted"].get<bool>();
    CHECK(verifier.verify(key, message, signature) == accepted);
    if (!accepted && vector["cofactorless_equation_holds"].get<bool>()) ++held_but_refused;
  }
  CHECK(held_but_refused == 34);
}

}  // namespace quorate::crypto
