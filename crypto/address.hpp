// Account addresses: version byte 0x00 and BLAKE2b-160 of the public key; as text bech32m (BIP-350)
// with the prefix "qrt". A text whose checksum fails is refused, never corrected.
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"

namespace quorate::crypto {

// The version byte and the 20-byte hash. This is also the canonical binary form.
using Address = FixedBytes<21, struct AddressTag>;

inline constexpr std::string_view kAddressPrefix = "qrt";
inline constexpr std::uint8_t kAddressVersion = 0;

Address address_of(const PublicKey& account_key);
std::string to_text(const Address& address);
// Error bad_encoding that says what is wrong: prefix, character, mixed case, length, version, or
// "the checksum does not match; a character may be mistyped".
Result<Address> parse_address(std::string_view text);

}  // namespace quorate::crypto
