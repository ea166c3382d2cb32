// Bech32m (BIP-350): a readable prefix, "1", five-bit characters and a six-character checksum that
// catches any four mistyped characters. Knows nothing of addresses. Stateless; any thread.
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"

namespace quorate::crypto {

inline constexpr std::size_t kBech32mLengthMax = 90;

struct Bech32mText {
  std::string prefix;  // lower case
  Bytes values;        // each 0..31, without the checksum
};

// `prefix` is lower case and `values` are below 32; the whole text has at most 90 characters.
std::string bech32m_encode(std::string_view prefix, ByteView values);
// Error bad_encoding: length, character, mixed case, separator or checksum.
Result<Bech32mText> bech32m_decode(std::string_view text);

// Regroups bytes as five-bit values, the last one padded with zeros.
Bytes to_five_bits(ByteView bytes);
// The reverse; error bad_encoding when the padding is longer than four bits or not zero.
Result<Bytes> from_five_bits(ByteView values);

}  // namespace quorate::crypto
