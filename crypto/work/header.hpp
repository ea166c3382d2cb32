// The header of a block that is proved by work: 192 bytes, hashed twice with SHA-256. Its encoding
// is the block's commit certificate: whoever knows the chain can check it (header_rules.hpp).
// Plain values and pure functions; any thread.
#pragma once

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"
#include "crypto/base/strong_int.hpp"
#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"

namespace quorate::crypto::work {

constexpr std::uint32_t kHeaderVersion = 1;
constexpr std::uint64_t kTimeLimitS = 1ULL << 40U;  // every header's time is below it

struct Header {
  std::uint32_t version = kHeaderVersion;
  Digest chain_id;
  Digest parent;  // zero at height 1: genesis has no header
  Height height;
  Digest payload_digest;
  Digest exec_ref;           // block hash of the ledger depth + 1 heights below
  std::uint64_t time_s = 0;  // since 1970
  std::uint32_t bits = 0;    // bits.hpp
  std::uint64_t nonce = 0;
  PublicKey miner;
  bool operator==(const Header&) const = default;
};

// The fields in the order of the struct, fixed-width little-endian.
constexpr std::size_t kHeaderSize = 192;
constexpr std::size_t kNonceOffset = 152;

void encode(Writer& out, const Header& header);
Bytes encode(const Header& header);
// Refuses what no header of any chain may say: another version, height 0, a time past the limit,
// bits that are no canonical target.
Header decode_header(Reader& in);
// Exactly one header.
Result<Header> decode_header(ByteView bytes);

// SHA256(SHA256(encoding)). As a number it is read little-endian (from_little_endian).
Digest id_of(const Header& header);
Digest id_of_encoded(ByteView encoded_header);

}  // namespace quorate::crypto::work
