#include "testnet/output.hpp"

#include <catch2/catch.hpp>

namespace quorate::testnet {

TEST_CASE("a table pads by characters on the screen, not by bytes") {
  CHECK(table({{"a", "b"}, {"\u2714\u2714", "c"}}) == "  a   b\n  \u2714\u2714  c\n");
}

TEST_CASE("rows may differ in length") {
  CHECK(table({{"a"}, {"bb", "c"}}) == "  a\n  bb  c\n");
  CHECK(table({}).empty());
}

TEST_CASE("a short hash shows both ends") {
  Digest digest;
  digest.bytes.front() = 0x5b;
  digest.bytes.back() = 0x9d;
  CHECK(short_hash(digest) == "0x5b00\u2026009d");
}

}  // namespace quorate::testnet
