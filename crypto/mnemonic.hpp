// BIP-39 English mnemonics and SLIP-0010 Ed25519 derivation for account keys. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.hpp"
#include "crypto/keys.hpp"

namespace quorate::crypto {

// `words` is 12, 15, 18, 21 or 24. Words are separated by one space.
Result<std::string> generate_mnemonic(unsigned words = 24);
// Encodes 16, 20, 24, 28 or 32 bytes of entropy.
Result<std::string> mnemonic_from_entropy(ByteView entropy);
// Checks count, words and checksum. The error names the first unknown word and the nearest word.
// Surrounding and repeated white space and upper case are accepted and normalised in the result.
Result<std::string> normalize_mnemonic(std::string_view text);
// PBKDF2-HMAC-SHA512, 2048 rounds, 64 bytes. `mnemonic` must be normalised.
Bytes mnemonic_seed(std::string_view mnemonic, std::string_view passphrase = "");
// SLIP-0010 Ed25519 along a path of hardened steps such as "m/44'/1'/0'/0'/0'".
// Error invalid_argument when the path is malformed or has a step that is not hardened.
Result<SecretSeed> derive(ByteView seed, std::string_view path);
// m/44'/1'/0'/0'/index'; `index` is below 2^31.
AccountKey derive_account(ByteView seed, std::uint32_t index);

}  // namespace quorate::crypto
