#include "crypto/mnemonic.hpp"

#include <catch2/catch.hpp>

#include "crypto/hash.hpp"
#include "crypto/wordlist.hpp"
#include "tests/unit/crypto/vector_file.hpp"

namespace quorate::crypto::mnemonic_test {
namespace {

std::string complaint(std::string_view text) {
  const auto result = normalize_mnemonic(text);
  return result ? "none" : result.error().detail;
}

Errc derive_error(std::string_view path) {
  const auto result = derive(Bytes(64, 1), path);
  REQUIRE_FALSE(result.has_value());
  return result.error().code;
}

}  // namespace

TEST_CASE("the word list is the English list of BIP-39") {
  std::string joined;
  for (const std::string_view word : kWords) joined += std::string(word) + "\n";
  CHECK(to_hex(sha256(as_bytes(joined))) ==
        "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
  CHECK(std::is_sorted(kWords.begin(), kWords.end()));
}

TEST_CASE("mnemonics and seeds match the vectors of BIP-39") {
  const nlohmann::json vectors = load_vectors("mnemonic_vectors.json")["bip39"];
  REQUIRE(vectors.size() == 26);
  for (const auto& vector : vectors) {
    const auto entropy = from_hex(vector["entropy"].get<std::string>()).value();
    const auto mnemonic = vector["mnemonic"].get<std::string>();
    CAPTURE(mnemonic);
    CHECK(mnemonic_from_entropy(entropy).value() == mnemonic);
    CHECK(normalize_mnemonic(mnemonic).value() == mnemonic);
    CHECK(to_hex(mnemonic_seed(mnemonic, "TREZOR")) == vector["seed"].get<std::string>());
  }
}

TEST_CASE("derived keys match the Ed25519 vectors of SLIP-0010") {
  const nlohmann::json vectors = load_vectors("mnemonic_vectors.json")["slip10"];
  REQUIRE(vectors.size() == 12);
  for (const auto& vector : vectors) {
    const auto seed = from_hex(vector["seed"].get<std::string>()).value();
    const auto path = vector["path"].get<std::string>();
    CAPTURE(path);
    auto secret = derive(seed, path);
    REQUIRE(secret.has_value());
    CHECK(to_hex(secret->expose()) == vector["private"].get<std::string>());
    CHECK(to_hex(AccountKey(std::move(*secret)).public_key()) ==
          vector["public"].get<std::string>());
  }
}

TEST_CASE("a path that is malformed or not hardened is refused") {
  for (const std::string_view path :
       {"", "44'", "M/44'", "m/", "m/44", "m/44'/", "m//44'", "m/x'", "m/'", "m/-1'", "m/44'x",
        "m44'", "m/2147483648'", "m/99999999999999999999'", "m/44h"}) {
    CAPTURE(path);
    CHECK(derive_error(path) == Errc::invalid_argument);
  }
  CHECK(derive(Bytes(64, 1), "m/2147483647'").has_value());
}

TEST_CASE("white space and upper case are normalised") {
  CHECK(normalize_mnemonic("  Legal WINNER thank year\twave sausage\nworth useful legal  winner "
                           "thank yellow\n")
            .value() ==
        "legal winner thank year wave sausage worth useful legal winner thank yellow");
}

TEST_CASE("a wrong mnemonic is refused with what is wrong") {
  CHECK(complaint("") == "a mnemonic has 12, 15, 18, 21 or 24 words, not 0");
  CHECK(complaint("zoo zoo") == "a mnemonic has 12, 15, 18, 21 or 24 words, not 2");
  CHECK(complaint("legal winnar thank year wave sausage worth useful legal winner thank yellow") ==
        "word 2, \"winnar\", is not in the list of mnemonic words; the nearest is \"winner\"");
  CHECK(complaint("winner legal thank year wave sausage worth useful legal winner thank yellow")
            .find("the checksum does not match") != std::string::npos);
  CHECK(
      complaint(std::string(100000, 'a') + " zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo").size() <
      200);
}

TEST_CASE("only the word with the right checksum ends a mnemonic") {
  std::size_t accepted = 0;
  for (const std::string_view last : kWords) {
    accepted +=
        normalize_mnemonic("zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo " + std::string(last))
            .has_value();
  }
  CHECK(accepted == 128);  // 7 of its 11 bits are free
}

TEST_CASE("a generated mnemonic has the words asked for and is valid") {
  for (const unsigned words : {12U, 15U, 18U, 21U, 24U}) {
    const auto mnemonic = generate_mnemonic(words);
    REQUIRE(mnemonic.has_value());
    CHECK(normalize_mnemonic(*mnemonic).value() == *mnemonic);
    CHECK(static_cast<unsigned>(std::count(mnemonic->begin(), mnemonic->end(), ' ')) == words - 1);
  }
  CHECK(generate_mnemonic().value() != generate_mnemonic().value());
  for (const unsigned words : {0U, 11U, 13U, 27U}) {
    CHECK(generate_mnemonic(words).error().code == Errc::invalid_argument);
  }
  for (const std::size_t size : {0U, 15U, 17U, 18U, 36U}) {
    CHECK(mnemonic_from_entropy(Bytes(size)).error().code == Errc::invalid_argument);
  }
}

}  // namespace quorate::crypto::mnemonic_test
