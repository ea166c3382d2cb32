// SHA-256 with domain separation, and BLAKE2b-160 for addresses. Every hash starts with a tag
// "quorate/<what>/1" and a zero byte, so that bytes hashed for one purpose mean nothing for
// another. Stateless apart from a Hasher's own progress; any thread.
#pragma once

#include <initializer_list>
#include <string_view>

#include "crypto/base/bytes.hpp"

namespace quorate::crypto {

// SHA-256 over tag || 0x00 || the parts, concatenated as they are.
Digest hash(std::string_view tag, std::initializer_list<ByteView> parts);

// Plain SHA-256 without a tag. For published vectors, files and proof-of-work block ids only.
Digest sha256(ByteView bytes);

// BLAKE2b with an output length of 20 bytes (not a truncated BLAKE2b-256).
using Blake2b160 = FixedBytes<20, struct Blake2b160Tag>;
Blake2b160 blake2b_160(ByteView bytes);

}  // namespace quorate::crypto
