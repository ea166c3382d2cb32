#include <catch2/catch.hpp>

#include "crypto/base/bytes.hpp"
#include "crypto/base/strong_int.hpp"

namespace quorate {

TEST_CASE("hex reads both cases, with and without 0x, and nothing else") {
  CHECK(from_hex("").value().empty());
  CHECK(from_hex("0x").value().empty());
  CHECK(from_hex("00fFA1").value() == Bytes{0x00, 0xFF, 0xA1});
  CHECK(from_hex("0x00ffa1").value() == Bytes{0x00, 0xFF, 0xA1});
  for (const std::string_view bad : {"0", "0x0", "0g", "0x0x00", "00 ", " 00", "-1", "0X00"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(from_hex(bad).has_value());
    CHECK(from_hex(bad).error().code == Errc::bad_encoding);
  }
}

TEST_CASE("hex is written in lower case and reads back") {
  Bytes all;
  for (unsigned i = 0; i < 256; ++i) all.push_back(static_cast<std::uint8_t>(i));
  CHECK(from_hex(to_hex(all)).value() == all);
  CHECK(from_hex(to_0x(all)).value() == all);
  CHECK(to_0x(Bytes{0xAB}) == "0xab");
}

TEST_CASE("a fixed value takes exactly its size") {
  CHECK(Digest::from(Bytes(32, 1)).value().bytes[31] == 1);
  for (const std::size_t size : {0U, 31U, 33U, 64U}) {
    CHECK(Digest::from(Bytes(size)).error().code == Errc::bad_encoding);
  }
  CHECK(Digest{}.is_zero());
  CHECK_FALSE(Digest::from(Bytes(32, 1)).value().is_zero());
  CHECK(Digest::from_hex(std::string(64, '0')).value() == Digest{});
  CHECK_FALSE(Digest::from_hex(std::string(62, '0')).has_value());
}

TEST_CASE("heights stay inside their range") {
  CHECK(Height(5).saturating_sub(7) == Height(0));
  CHECK(Height(5).saturating_sub(5) == Height(0));
  CHECK(Height(5).saturating_add(7) == Height(12));
  CHECK(Height::max().saturating_add(1) == Height::max());
  CHECK(Height::max().previous().saturating_add(1) == Height::max());
  CHECK(Height(5).next() == Height(6));
  CHECK(Height(5).previous() == Height(4));
  CHECK(Height(5) < Height(6));
}

}  // namespace quorate
