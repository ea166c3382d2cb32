#include "crypto/bech32m.hpp"

#include <catch2/catch.hpp>

namespace quorate::crypto {

TEST_CASE("the valid strings of BIP-350 decode and encode back") {
  const std::vector<std::string> valid = {
      "A1LQFN3A",
      "a1lqfn3a",
      "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
      "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
      "11" + std::string(82, 'l') + "ludsr8",
      "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
      "?1v759aa",
  };
  for (const std::string& text : valid) {
    CAPTURE(text);
    const auto decoded = bech32m_decode(text);
    REQUIRE(decoded.has_value());
    const std::string again = bech32m_encode(decoded->prefix, decoded->values);
    CHECK(again == (text == "A1LQFN3A" ? "a1lqfn3a" : text));
  }
}

TEST_CASE("the invalid strings of BIP-350 are refused") {
  const std::vector<std::string> invalid = {
      "\x20"
      "1xj0phk",
      "\x7f"
      "1g6xzxy",
      "\x80"
      "1vctc34",
      "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
      "qyrz8wqd2c9m",
      "1qyrz8wqd2c9m",
      "y1b0jsk6g",
      "lt1igcx5c0",
      "in1muywd",
      "mm1crxm3i",
      "au1s5cgom",
      "M1VUXWEZ",
      "16plkw9",
      "1p2gdwpf",
      "",
  };
  for (const std::string& text : invalid) {
    CAPTURE(text);
    const auto decoded = bech32m_decode(text);
    REQUIRE_FALSE(decoded.has_value());
    CHECK(decoded.error().code == Errc::bad_encoding);
  }
}

TEST_CASE("a text with the older bech32 checksum is refused") {
  CHECK_FALSE(bech32m_decode("a12uel5l").has_value());
  CHECK_FALSE(bech32m_decode("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4").has_value());
}

TEST_CASE("bytes regroup into five bits and back") {
  Bytes bytes;
  for (std::size_t size = 0; size < 40; ++size) {
    CHECK(from_five_bits(to_five_bits(bytes)).value() == bytes);
    bytes.push_back(static_cast<std::uint8_t>(size * 151 + 77));
  }
}

TEST_CASE("padding that carries anything is refused") {
  CHECK(from_five_bits(Bytes{31, 28}).value() == Bytes{0xFF});
  CHECK_FALSE(from_five_bits(Bytes{31, 29}).has_value());     // a bit in the padding
  CHECK_FALSE(from_five_bits(Bytes{31, 28, 0}).has_value());  // a whole character of padding
  CHECK_FALSE(from_five_bits(Bytes{0}).has_value());
}

}  // namespace quorate::crypto
