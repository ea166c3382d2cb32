// Passphrase-protected account keys: JSON shaped like Web3 Secret Storage, the passphrase stretched
// by Argon2id, the 32-byte seed sealed by XChaCha20-Poly1305 (ciphertext and tag, 48 bytes). The
// address is in clear and bound as associated data: a file whose address was changed does not open.
//
//   {"format":"quorate-keystore", "version":1, "address":"qrt1...", "created":"2031-02-03T...Z",
//    "crypto":{"cipher":"xchacha20-poly1305-ietf", "cipherparams":{"nonce":hex 24},
//    "ciphertext":hex
//      48, "kdf":"argon2id", "kdfparams":{"version":19, "m":KiB, "t":passes, "p":1, "dklen":32,
//      "salt":hex 16}}}
//
// Stateless; any thread. Sealing and opening take about half a second and the memory of the cost.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "crypto/address.hpp"
#include "crypto/base/strong_int.hpp"
#include "crypto/keys.hpp"

namespace quorate::crypto {

// What one guess of the passphrase costs. Memory 8 KiB .. 2 GiB, passes 1..16, one lane.
struct KdfCost {
  std::uint32_t memory_kib = 262144;
  std::uint32_t passes = 3;
};

// What a keystore says without its passphrase.
struct KeystoreInfo {
  Address address;
  KdfCost cost;
};

// Errors: invalid_argument for a cost out of bounds, unavailable when the memory is not there.
Result<std::string> seal_keystore(const AccountKey& key, std::string_view passphrase,
                                  WallMs created, KdfCost cost = {});
// Errors: permission when the passphrase is wrong; bad_encoding when the text is not a keystore or
// asks for more than the bounds above; unavailable when the memory is not there; corrupt.
Result<AccountKey> open_keystore(std::string_view text, std::string_view passphrase);
// Checks everything that can be checked without the passphrase. Error bad_encoding.
Result<KeystoreInfo> read_keystore_info(std::string_view text);

// "UTC--2031-02-03T04-05-06.789Z--qrt1....json": sorts by time, and no colon for file systems that
// forbid it.
std::string keystore_file_name(const Address& address, WallMs created);
// Seals the key into a new file of `directory`, which must exist, and returns its path. The file
// has mode 0600 and is synced; an existing one is never overwritten (conflict).
Result<std::filesystem::path> save_keystore(const std::filesystem::path& directory,
                                            const AccountKey& key, std::string_view passphrase,
                                            WallMs created, KdfCost cost = {});
// read_private_file and open_keystore in one; errors name the file.
Result<AccountKey> load_keystore(const std::filesystem::path& file, std::string_view passphrase);

}  // namespace quorate::crypto
