// The accounts a user can name: keys in the keystore (by name, address or a unique part of it), the
// development accounts on development chains, and plain addresses as recipients.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/address.hpp"
#include "crypto/keys.hpp"
#include "wallet-cli/profile.hpp"
#include "wallet-cli/terminal.hpp"

namespace quorate::wallet {

struct KeyringEntry {
  std::string name;  // empty when the user gave none
  crypto::Address address;
  std::filesystem::path file;
};

struct KeyringList {
  std::vector<KeyringEntry> entries;
  // Files in the keystore that are none of its accounts as they are; the rest goes on without them.
  struct Unreadable {
    std::filesystem::path file;
    Failure why;
  };
  std::vector<Unreadable> unreadable;
};

// Where a passphrase comes from: a file, '-' for standard input, else the terminal.
struct PassphraseSource {
  std::string file;
};

class Keyring {
 public:
  Keyring(WalletHome home, const Terminal& terminal, PassphraseSource passphrase)
      : home_(std::move(home)), terminal_(&terminal), passphrase_(std::move(passphrase)) {}

  Outcome<KeyringList> list() const;
  // Seals the key in a new file and gives it `name` (empty for none). Errors: exists when the name
  // or the account is there already.
  Outcome<KeyringEntry> add(const crypto::AccountKey& key, const std::string& name) const;
  // A name, an address, a unique beginning of one's own address, or a development account's name
  // where `dev`. Error not_found lists what there is.
  Outcome<crypto::Address> resolve(const std::string& who, bool dev) const;
  // The same for someone who must sign: asks for the passphrase. Fails for the reason for which the
  // account's own file cannot be read.
  Outcome<crypto::AccountKey> unlock(const std::string& who, bool dev) const;

 private:
  Outcome<std::string> passphrase(const std::string& prompt, bool twice) const;
  Outcome<std::optional<KeyringEntry>> own(const std::string& who) const;
  Failure unknown(const std::string& who, bool dev) const;

  WalletHome home_;
  const Terminal* terminal_;
  PassphraseSource passphrase_;
};

}  // namespace quorate::wallet
