// The bytes of a header, its id, and what no decoder accepts.
#include "crypto/work/header.hpp"

#include <catch2/catch.hpp>

#include "crypto/hash.hpp"
#include "crypto/work/bits.hpp"
#include "crypto/work/work_function.hpp"

namespace quorate::crypto::work {

namespace {

Digest filled(std::uint8_t byte) {
  Digest out;
  out.bytes.fill(byte);
  return out;
}

Header sample() {
  Header out;
  out.chain_id = filled(0x11);
  out.parent = filled(0x22);
  out.height = Height(0x0102030405060708);
  out.payload_digest = filled(0x33);
  out.exec_ref = filled(0x44);
  out.time_s = 0xa1b2c3d4;
  out.bits = 0x1e0fffff;
  out.nonce = 0x1122334455667788;
  out.miner.bytes.fill(0x55);
  return out;
}

std::string times(const char* byte, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += byte;
  return out;
}

std::string refusal(const Header& header) {
  const auto decoded = decode_header(encode(header));
  REQUIRE_FALSE(decoded);
  REQUIRE(decoded.error().code == Errc::bad_encoding);
  return decoded.error().detail;
}

}  // namespace

TEST_CASE("a work header has exactly these 192 bytes") {
  const Bytes bytes = encode(sample());
  REQUIRE(to_hex(bytes) == "01000000" + times("11", 32) + times("22", 32) + "0807060504030201" +
                               times("33", 32) + times("44", 32) + "d4c3b2a100000000" + "ffff0f1e" +
                               "8877665544332211" + times("55", 32));
  REQUIRE(bytes.size() == kHeaderSize);
  Header other = sample();
  ++other.nonce;
  const Bytes changed = encode(other);
  REQUIRE(std::equal(bytes.begin(), bytes.begin() + kNonceOffset, changed.begin()));
  REQUIRE(bytes[kNonceOffset] != changed[kNonceOffset]);
  REQUIRE(decode_header(bytes).value() == sample());
}

TEST_CASE("the id is SHA-256 of SHA-256 of the bytes") {
  const Bytes bytes = encode(sample());
  REQUIRE(id_of(sample()) == sha256(sha256(bytes)));
  REQUIRE(id_of_encoded(bytes) == id_of(sample()));
  // From an independent implementation.
  REQUIRE(to_hex(id_of(sample())) ==
          "1c64a98bce78bc6881eb32f710d5aa5dcfe3dabc228ee18972befc3025a8e354");
}

TEST_CASE("bytes that are no header of any chain are refused") {
  Header header = sample();
  header.version = 2;
  REQUIRE(refusal(header) == "a work header of version 2; known is version 1");
  header = sample();
  header.height = Height(0);
  REQUIRE(refusal(header) == "a work header of height 0; genesis has none");
  header = sample();
  header.time_s = 1ULL << 40U;
  REQUIRE(refusal(header) == "a work header's time of 1099511627776 s is not below 2^40");
  header = sample();
  header.bits = 0x1d0000ff;
  REQUIRE(refusal(header) == "bits 0x1d0000ff are not the canonical form 0x1c00ff00");
  Bytes bytes = encode(sample());
  bytes.push_back(0);
  REQUIRE_FALSE(decode_header(bytes));
  bytes.resize(kHeaderSize - 1);
  REQUIRE_FALSE(decode_header(bytes));
  REQUIRE_FALSE(decode_header({}));
}

TEST_CASE("an id meets the target when it is, read little-endian, at most the target") {
  Header header;
  header.bits = 0x1d00ffff;
  const Uint256 target = *target_of_bits(header.bits);
  const auto meets = [&](const Uint256& value) {
    return double_sha256().meets(header, to_little_endian(value));
  };
  REQUIRE(meets({}));
  REQUIRE(meets(target));
  REQUIRE_FALSE(meets(saturating_add(target, Uint256::of(1))));
  Digest big_endian_small;  // a large number, for its last byte is the most significant one
  big_endian_small.bytes[31] = 1;
  REQUIRE_FALSE(double_sha256().meets(header, big_endian_small));
  header.bits = 0x1d80ffff;
  REQUIRE_FALSE(meets({}));
}

TEST_CASE("searching nonces finds real work at about the rate its bits say") {
  Header header = sample();
  header.bits = bits_for(64);
  int found = 0;
  constexpr int kTries = 64 * 100;
  for (int i = 0; i < kTries; ++i) {
    header.nonce = static_cast<std::uint64_t>(i);
    if (double_sha256().meets(header, id_of(header))) ++found;
  }
  REQUIRE(found > 70);  // 100 expected, three standard deviations are 30
  REQUIRE(found < 130);
}

}  // namespace quorate::crypto::work
