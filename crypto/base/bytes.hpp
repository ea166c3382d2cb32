// Byte containers used everywhere: growable Bytes, read-only ByteView, and fixed-size values whose
// types do not mix (a Digest is not a PublicKey even where both have 32 bytes).
// Plain values; safe on any thread.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.hpp"

namespace quorate {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

// Lower-case hex without a prefix.
std::string to_hex(ByteView bytes);
// Lower-case hex with the prefix "0x": the form of every hash and byte string outside the node.
std::string to_0x(ByteView bytes);
// Accepts lower- and upper-case digits, with or without "0x". Error bad_encoding on anything else.
Result<Bytes> from_hex(std::string_view text);

// A value of exactly N bytes. Tag keeps kinds apart at compile time.
template <std::size_t N, class Tag>
struct FixedBytes {
  static constexpr std::size_t kSize = N;
  std::array<std::uint8_t, N> bytes{};

  auto operator<=>(const FixedBytes&) const = default;
  operator ByteView() const { return {bytes.data(), N}; }  // NOLINT: a view of itself
  const std::uint8_t* data() const { return bytes.data(); }
  std::uint8_t* data() { return bytes.data(); }
  static constexpr std::size_t size() { return N; }
  bool is_zero() const { return *this == FixedBytes{}; }

  // Error bad_encoding unless `view` has exactly N bytes.
  static Result<FixedBytes> from(ByteView view) {
    if (view.size() != N) {
      return fail(Errc::bad_encoding,
                  "expected " + std::to_string(N) + " bytes, got " + std::to_string(view.size()));
    }
    FixedBytes out;
    std::copy(view.begin(), view.end(), out.bytes.begin());
    return out;
  }
  static Result<FixedBytes> from_hex(std::string_view text) {
    auto raw = quorate::from_hex(text);
    if (!raw) return tl::unexpected(raw.error());
    return from(*raw);
  }
};

using Digest = FixedBytes<32, struct DigestTag>;        // SHA-256 output
using PublicKey = FixedBytes<32, struct PublicKeyTag>;  // Ed25519 point, compressed
using Signature = FixedBytes<64, struct SignatureTag>;  // Ed25519 R || s

// For unordered containers outside consensus. Digests are uniformly distributed, so eight bytes do.
template <class Fixed>
struct FixedHash {
  std::size_t operator()(const Fixed& value) const {
    std::size_t out = 0;
    for (std::size_t i = 0; i < sizeof(out); ++i) out = (out << 8U) | value.bytes[i];
    return out;
  }
};

}  // namespace quorate
