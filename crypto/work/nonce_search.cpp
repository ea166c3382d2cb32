#include "crypto/work/nonce_search.hpp"

// The low-level calls: fetching and copying contexts would cost more than these short hashes.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <array>

#include "crypto/base/assert.hpp"
#include "crypto/work/header.hpp"

namespace quorate::crypto::work {
namespace {

constexpr std::size_t kPrefix = 128;  // two blocks of SHA-256
constexpr std::size_t kSuffix = kHeaderSize - kPrefix;
static_assert(kNonceOffset >= kPrefix && kNonceOffset + 8 <= kHeaderSize);

// Both little-endian: the last byte weighs most.
bool at_most(const Digest& number, const Digest& bound) {
  for (std::size_t i = Digest::kSize; i-- > 0;) {
    if (number.bytes[i] != bound.bytes[i]) return number.bytes[i] < bound.bytes[i];
  }
  return true;
}

void put_nonce(std::array<std::uint8_t, kSuffix>& suffix, std::uint64_t nonce) {
  for (std::size_t i = 0; i < sizeof(nonce); ++i) {
    suffix[kNonceOffset - kPrefix + i] = static_cast<std::uint8_t>(nonce >> (8U * i));
  }
}

}  // namespace

std::optional<std::uint64_t> search_nonce(ByteView encoded_header, const Digest& target,
                                          std::uint64_t first, std::uint64_t count) {
  QUORATE_ASSERT(encoded_header.size() == kHeaderSize);
  SHA256_CTX prefix;
  SHA256_Init(&prefix);
  SHA256_Update(&prefix, encoded_header.data(), kPrefix);
  std::array<std::uint8_t, kSuffix> suffix;
  std::copy(encoded_header.begin() + kPrefix, encoded_header.end(), suffix.begin());
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t nonce = first + i;
    put_nonce(suffix, nonce);
    Digest digest;
    SHA256_CTX inner = prefix;
    SHA256_Update(&inner, suffix.data(), suffix.size());
    SHA256_Final(digest.data(), &inner);
    SHA256_CTX outer;
    SHA256_Init(&outer);
    SHA256_Update(&outer, digest.data(), Digest::kSize);
    SHA256_Final(digest.data(), &outer);
    if (at_most(digest, target)) return nonce;
  }
  return std::nullopt;
}

}  // namespace quorate::crypto::work
