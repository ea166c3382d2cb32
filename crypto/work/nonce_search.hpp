// Looks for a nonce by double SHA-256, as fast as the machine's hash instructions allow. The nonce
// stands in the last 64 bytes of a header, so the part of the hash before them is computed once.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "crypto/base/bytes.hpp"

namespace quorate::crypto::work {

// The first nonce of `first`, first + 1, ... (`count` of them, wrapping around) with which the
// encoded header's id is at most `target`, a 256-bit number in little-endian bytes. The header has
// kHeaderSize bytes; the nonce it holds does not matter.
std::optional<std::uint64_t> search_nonce(ByteView encoded_header, const Digest& target,
                                          std::uint64_t first, std::uint64_t count);

}  // namespace quorate::crypto::work
