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
