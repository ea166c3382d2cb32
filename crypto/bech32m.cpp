#include "crypto/bech32m.hpp"

#include "crypto/base/assert.hpp"

namespace quorate::crypto {
namespace {

constexpr std::string_view kCharacters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::uint32_t kBech32mConstant = 0x2BC830A3;
constexpr std::size_t kChecksumSize = 6;

// One step of the BCH code of BIP-173.
std::uint32_t polymod_step(std::uint32_t state, std::uint8_t value) {
  constexpr std::array<std::uint32_t, 5> kGenerator = {0x3B6A57B2, 0x26508E6D, 0x1EA119FA,
                                                       0x3D4233DD, 0x2A1462B3};
  const std::uint32_t top = state >> 25U;
  state = ((state & 0x1FFFFFFU) << 5U) ^ value;
  for (std::size_t i = 0; i < kGenerator.size(); ++i) {
    if (((top >> i) & 1U) != 0) state ^= kGenerator[i];
  }
  return state;
}

std::uint32_t polymod(std::string_view prefix, ByteView values) {
  std::uint32_t state = 1;
  for (const char c : prefix) {
    state = polymod_step(state, static_cast<std::uint8_t>(static_cast<std::uint8_t>(c) >> 5U));
  }
  state = polymod_step(state, 0);
  for (const char c : prefix) state = polymod_step(state, static_cast<std::uint8_t>(c & 0x1F));
  for (const std::uint8_t value : values) state = polymod_step(state, value);
  return state;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// The text in lower case, once every character may stand in a bech32m text at all.
Result<std::string> lower_case(std::string_view text) {
  if (text.size() > kBech32mLengthMax) {
    return fail(Errc::bad_encoding, "it has " + std::to_string(text.size()) +
                                        " characters, more than the " +
                                        std::to_string(kBech32mLengthMax) + " there can be");
  }
  if (std::any_of(text.begin(), text.end(), is_upper) &&
      std::any_of(text.begin(), text.end(), is_lower)) {
    return fail(Errc::bad_encoding, "it mixes upper and lower case");
  }
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c < 33 || c > 126) {
      return fail(Errc::bad_encoding, "character " + std::to_string(i + 1) +
                                          " is a space, a control character or not ASCII");
    }
    out.push_back(is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

}  // namespace

std::string bech32m_encode(std::string_view prefix, ByteView values) {
  QUORATE_ASSERT(prefix.size() + 1 + values.size() + kChecksumSize <= kBech32mLengthMax);
  Bytes checked = to_bytes(values);
  checked.resize(values.size() + kChecksumSize);
  const std::uint32_t checksum = polymod(prefix, checked) ^ kBech32mConstant;
  for (std::size_t i = 0; i < kChecksumSize; ++i) {
    const std::size_t shift = 5 * (kChecksumSize - 1 - i);
    checked[values.size() + i] = static_cast<std::uint8_t>((checksum >> shift) & 0x1FU);
  }
  std::string out = std::string(prefix) + "1";
  for (const std::uint8_t value : checked) {
    QUORATE_ASSERT(value < kCharacters.size());
    out.push_back(kCharacters[value]);
  }
  return out;
}

Result<Bech32mText> bech32m_decode(std::string_view text) {
  QUORATE_TRY(const std::string lower, lower_case(text));
  const std::size_t separator = lower.rfind('1');
  if (separator == std::string::npos || separator == 0) {
    return fail(Errc::bad_encoding, "there is no prefix followed by \"1\"");
  }
  if (lower.size() - separator - 1 < kChecksumSize) {
    return fail(Errc::bad_encoding, "it ends too early");
  }
  Bech32mText out;
  out.prefix = lower.substr(0, separator);
  for (std::size_t i = separator + 1; i < lower.size(); ++i) {
    const std::size_t value = kCharacters.find(lower[i]);
    if (value == std::string_view::npos) {
      return fail(Errc::bad_encoding, std::string("character ") + std::to_string(i + 1) + ", \"" +
                                          lower[i] + "\", cannot occur there");
    }
    out.values.push_back(static_cast<std::uint8_t>(value));
  }
  if (polymod(out.prefix, out.values) != kBech32mConstant) {
    return fail(Errc::bad_encoding, "the checksum does not match; a character may be mistyped");
  }
  out.values.resize(out.values.size() - kChecksumSize);
  return out;
}

Bytes to_five_bits(ByteView bytes) {
  Bytes out;
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : bytes) {
    pending = ((pending << 8U) | byte) & 0xFFFU;
    for (bits += 8; bits >= 5; bits -= 5) {
      out.push_back(static_cast<std::uint8_t>((pending >> (bits - 5)) & 0x1FU));
    }
  }
  if (bits > 0) out.push_back(static_cast<std::uint8_t>((pending << (5 - bits)) & 0x1FU));
  return out;
}

Result<Bytes> from_five_bits(ByteView values) {
  Bytes out;
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const std::uint8_t value : values) {
    pending = ((pending << 5U) | value) & 0xFFFU;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out.push_back(static_cast<std::uint8_t>((pending >> bits) & 0xFFU));
  }
  if (bits >= 5 || (pending & ((1U << bits) - 1U)) != 0) {
    return fail(Errc::bad_encoding, "its last character carries bits that must be zero");
  }
  return out;
}

}  // namespace quorate::crypto
