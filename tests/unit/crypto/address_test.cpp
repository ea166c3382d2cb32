#include "crypto/address.hpp"

#include <catch2/catch.hpp>

namespace quorate::crypto {
namespace {

constexpr std::string_view kAlice = "qrt1qz3g4ymwhlaavcfr45a9x7egun0vpj9rus6rep49";

std::string complaint(std::string_view text) {
  const auto parsed = parse_address(text);
  return parsed ? "none" : parsed.error().detail;
}

}  // namespace

TEST_CASE("an address is made from a public key and reads back") {
  const auto key =
      PublicKey::from_hex("1bf802a110a26faf784a4bd51d867baac24bf832ebd724bf40cc129fd848018c");
  REQUIRE(key.has_value());
  const Address address = address_of(*key);
  CHECK(to_text(address) == kAlice);
  CHECK(parse_address(kAlice).value() == address);
  CHECK(parse_address("QRT1QZ3G4YMWHLAAVCFR45A9X7EGUN0VPJ9RUS6REP49").value() == address);
}

TEST_CASE("a mistyped address is refused with what is wrong and never corrected") {
  std::string text(kAlice);
  text[10] = 'q';
  CHECK(complaint(text).find("the checksum does not match; a character may be mistyped") !=
        std::string::npos);
  text[10] = 'b';
  CHECK(complaint(text).find("\"b\", cannot occur there") != std::string::npos);
  CHECK(complaint("qrt1Qz3g4ymwhlaavcfr45a9x7egun0vpj9rus6rep49").find("mixes upper and lower") !=
        std::string::npos);
  CHECK(complaint(kAlice.substr(0, 43)).find("43 characters instead of 44") != std::string::npos);
  CHECK(complaint("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4").find("starts with \"qrt1\"") !=
        std::string::npos);
  CHECK(complaint("").find("starts with \"qrt1\"") != std::string::npos);
}

TEST_CASE("an address of another version is refused") {
  Address address;
  address.bytes[0] = 1;
  CHECK(complaint(to_text(address)).find("version 1 is not known") != std::string::npos);
}

TEST_CASE("any single mistyped character of an address is noticed") {
  constexpr std::string_view kCharacters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  for (std::size_t i = 4; i < kAlice.size(); ++i) {
    for (const char c : kCharacters) {
      std::string text(kAlice);
      text[i] = c;
      CHECK(parse_address(text).has_value() == (c == kAlice[i]));
    }
  }
}

}  // namespace quorate::crypto
