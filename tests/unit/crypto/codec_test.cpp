#include <catch2/catch.hpp>

#include "crypto/certificate/quorum.hpp"
#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"

namespace quorate::crypto {

TEST_CASE("integers are little-endian and fixed in width") {
  Writer out;
  out.u16(0x0102);
  out.u32(0x03040506);
  out.u64(0x0708090A0B0C0D0EULL);
  CHECK(to_hex(out.view()) == "0201060504030e0d0c0b0a090807");
  Reader in(out.view());
  CHECK(in.u16() == 0x0102);
  CHECK(in.u32() == 0x03040506);
  CHECK(in.u64() == 0x0708090A0B0C0D0EULL);
  CHECK(in.finish().has_value());
}

TEST_CASE("a reader keeps its first failure and allocates nothing for a lying length") {
  Writer out;
  out.u32(0xFFFFFFFF);
  Reader in(out.view());
  CHECK(in.bytes(1000).empty());
  CHECK(in.u64() == 0);
  REQUIRE_FALSE(in.finish().has_value());
  CHECK(in.finish().error().detail.find("above its cap") != std::string::npos);
  Reader counted(out.view());
  CHECK(counted.count(0, 0xFFFFFFFF, 1) == 0);
  CHECK_FALSE(counted.ok());
}

TEST_CASE("trailing bytes are refused") {
  const Bytes input{1, 2};
  Reader in(input);
  CHECK(in.u8() == 1);
  REQUIRE_FALSE(in.finish().has_value());
  CHECK(in.finish().error().detail == "1 bytes too many");
}

TEST_CASE("every kind of field reads back as it was written, and no prefix of it reads") {
  const Digest digest = Digest::from(Bytes(32, 0xD1)).value();
  Writer out;
  out.u8(1);
  out.u16(0xFFFF);
  out.u64(0xFFFFFFFFFFFFFFFFULL);
  out.integer_of(Height(7));
  out.bytes(Bytes{1, 2, 3});
  out.text("memo");
  out.raw(digest);
  const auto read = [&](ByteView input) {
    Reader in(input);
    const bool same = in.u8() == 1 && in.u16() == 0xFFFF && in.u64() == 0xFFFFFFFFFFFFFFFFULL &&
                      in.integer_of<Height>() == Height(7) &&
                      to_bytes(in.bytes(3)) == Bytes{1, 2, 3} && in.text(4) == "memo" &&
                      in.fixed<Digest>() == digest;
    return same && in.finish().has_value();
  };
  CHECK(read(out.view()));
  for (std::size_t size = 0; size < out.size(); ++size) CHECK_FALSE(read(out.view().first(size)));
}

TEST_CASE("a length above its cap is refused even when the bytes are there") {
  Writer out;
  out.text("12345");
  Reader in(out.view());
  CHECK(in.text(4).empty());
  REQUIRE_FALSE(in.finish().has_value());
  CHECK(in.finish().error().detail == "a length of 5 is above its cap of 4");
}

TEST_CASE("a count outside its range or above what can follow is refused") {
  Writer out;
  out.u32(3);
  out.raw(Bytes(6));
  const auto count = [&](std::uint32_t min, std::uint32_t max, std::size_t element) {
    Reader in(out.view());
    return in.count(min, max, element);
  };
  CHECK(count(1, 3, 2) == 3);
  CHECK(count(4, 9, 2) == 0);
  CHECK(count(0, 2, 2) == 0);
  CHECK(count(1, 3, 3) == 0);
}

TEST_CASE("a failure found by the caller sticks and is the one reported") {
  const Bytes input{1, 2, 3, 4};
  Reader in(input);
  in.reject("an unknown type");
  in.reject("something later");
  CHECK(in.u32() == 0);
  CHECK(in.finish().error().detail == "an unknown type");
  CHECK(in.finish().error().code == Errc::bad_encoding);
}

TEST_CASE("quorum sizes match the protocol's table") {
  const std::vector<std::array<std::uint32_t, 3>> table = {
      {1, 0, 1},  {2, 0, 2},  {3, 0, 2},  {4, 1, 3},   {5, 1, 4},
      {6, 1, 4},  {7, 2, 5},  {8, 2, 6},  {9, 2, 6},   {10, 3, 7},
      {11, 3, 8}, {12, 3, 8}, {13, 4, 9}, {16, 5, 11}, {31, 10, 21}};
  for (const auto& [n, f, q] : table) {
    CHECK(faults_tolerated(n) == f);
    CHECK(quorum_size(n) == q);
    CHECK(2 * q - n >= f + 1);
    CHECK(q <= n - f);
  }
}

}  // namespace quorate::crypto
