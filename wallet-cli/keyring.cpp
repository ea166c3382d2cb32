#include "wallet-cli/keyring.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>

#include "crypto/dev_accounts.hpp"
#include "crypto/keystore.hpp"
#include "crypto/secure_file.hpp"
#include "rpc/json/ledger_json.hpp"

namespace quorate::wallet {
namespace {

constexpr std::size_t kPrefixMin = 8;  // "qrt1" and four more

WallMs now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return WallMs(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count()));
}

Outcome<rpc::Json> load_names(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return rpc::Json::object();
  WALLET_TRY(Bytes raw, crypto::read_private_file(file));
  auto json = rpc::parse_json(std::string(raw.begin(), raw.end()));
  if (!json || !json->is_object()) {
    return failure(ExitCode::io_or_corrupt,
                   file.string() + " is not a JSON object of names and addresses");
  }
  return *json;
}

Outcome<std::string> name_of(const rpc::Json& names, const std::string& address) {
  for (const auto& [name, value] : names.items()) {
    if (value.is_string() && value.get<std::string>() == address) return name;
  }
  return std::string();
}

// Whatever is wrong with a key file, it is the file: the exit code does not depend on what.
Outcome<crypto::KeystoreInfo> read_info(const std::filesystem::path& file) {
  auto raw = crypto::read_private_file(file);
  if (!raw && raw.error().code == Errc::permission) return tl::unexpected(from_error(raw.error()));
  if (!raw) return failure(ExitCode::io_or_corrupt, raw.error().detail);
  auto info = crypto::read_keystore_info(std::string(raw->begin(), raw->end()));
  if (!info) {
    return failure(ExitCode::io_or_corrupt, file.string() + ": " + info.error().detail,
                   "move it out of the keystore, or put a copy of the account's file there");
  }
  return *info;
}

bool is_valid_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), allowed) &&
         !name.starts_with("qrt1");
}

Outcome<std::string> first_line(std::istream& in, const std::string& what) {
  std::string text;
  if (!std::getline(in, text)) {
    return failure(ExitCode::permission, what + " holds no passphrase");
  }
  if (!text.empty() && text.back() == '\r') text.pop_back();
  return text;
}

}  // namespace

Outcome<KeyringList> Keyring::list() const {
  KeyringList out;
  if (!std::filesystem::exists(home_.keystore)) return out;
  WALLET_TRY(const rpc::Json names, load_names(home_.names_file));
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(home_.keystore, error)) {
    if (file.path().extension() != ".json") continue;
    const auto info = read_info(file.path());
    if (!info) {
      out.unreadable.push_back({file.path(), info.error()});
      continue;
    }
    WALLET_TRY(std::string name, name_of(names, crypto::to_text(info->address)));
    out.entries.push_back({std::move(name), info->address, file.path()});
  }
  if (error)
    return failure(ExitCode::io_or_corrupt, home_.keystore.string() + ": " + error.message());
  const auto by_file = [](const auto& a, const auto& b) { return a.file < b.file; };
  std::sort(out.entries.begin(), out.entries.end(), by_file);
  std::sort(out.unreadable.begin(), out.unreadable.end(), by_file);
  return out;
}

Outcome<KeyringEntry> Keyring::add(const crypto::AccountKey& key, const std::string& name) const {
  if (!name.empty() && (!is_valid_name(name) || crypto::dev_account_index(name))) {
    return failure(
        ExitCode::usage, "'" + name + "' cannot be an account's name",
        "use 1 to 32 of a-z, 0-9, '-' and '_', other than the development accounts' names");
  }
  const crypto::Address address = crypto::address_of(key.public_key());
  WALLET_TRY(const KeyringList have, list());
  for (const KeyringEntry& entry : have.entries) {
    if (entry.address == address) {
      return failure(ExitCode::will_not_overwrite,
                     "this account is in the wallet already: " + entry.file.string());
    }
    if (!name.empty() && entry.name == name) {
      return failure(ExitCode::will_not_overwrite,
                     "there is an account named '" + name + "' already");
    }
  }
  WALLET_TRY(std::string secret, passphrase("New passphrase for the key file", true));
  WALLET_CHECK(crypto::make_private_directory(home_.keystore));
  auto file = crypto::save_keystore(home_.keystore, key, secret, now());
  crypto::wipe(secret);
  if (!file) return tl::unexpected(from_error(file.error()));
  if (!name.empty()) {
    WALLET_TRY(rpc::Json names, load_names(home_.names_file));
    names[name] = crypto::to_text(address);
    const std::string text = names.dump(2) + "\n";
    WALLET_CHECK(crypto::replace_private_file(home_.names_file, as_bytes(text)));
  }
  return KeyringEntry{name, address, *file};
}

Outcome<std::optional<KeyringEntry>> Keyring::own(const std::string& who) const {
  WALLET_TRY(const KeyringList have, list());
  std::optional<KeyringEntry> found;
  for (const KeyringEntry& entry : have.entries) {
    const std::string text = crypto::to_text(entry.address);
    if (entry.name == who || text == who) return std::optional<KeyringEntry>(entry);
    if (who.size() >= kPrefixMin && text.starts_with(who)) {
      if (found) return failure(ExitCode::usage, "'" + who + "' begins more than one address");
      found = entry;
    }
  }
  return found;
}

Failure Keyring::unknown(const std::string& who, bool dev) const {
  std::string have;
  if (const auto all = list()) {
    for (const KeyringEntry& entry : all->entries) {
      have += (have.empty() ? "" : ", ") +
              (entry.name.empty() ? crypto::to_text(entry.address) : entry.name);
    }
  }
  if (dev) have += std::string(have.empty() ? "" : ", ") + "alice, bob, … judy";
  return {ExitCode::not_found, "there is no account '" + who + "'",
          have.empty() ? "make one with 'quorate-wallet new'" : "accounts here: " + have};
}

Outcome<crypto::Address> Keyring::resolve(const std::string& who, bool dev) const {
  WALLET_TRY(const std::optional<KeyringEntry> entry, own(who));
  if (entry) return entry->address;
  if (const auto index = crypto::dev_account_index(who); index && dev) {
    return crypto::dev_account_address(*index);
  }
  // The name of an account whose key file is gone or cannot be read.
  WALLET_TRY(const rpc::Json names, load_names(home_.names_file));
  const auto named = names.find(who);
  if (named != names.end() && named->is_string()) {
    WALLET_TRY(const crypto::Address address, crypto::parse_address(named->get<std::string>()));
    return address;
  }
  if (who.starts_with("qrt1") || who.starts_with("QRT1")) {
    WALLET_TRY(const crypto::Address address, crypto::parse_address(who));
    return address;
  }
  if (crypto::dev_account_index(who)) {
    return failure(ExitCode::permission,
                   "'" + who + "' is a development account, and this is not a development chain",
                   "everybody knows its key; use an account of your own");
  }
  return tl::unexpected(unknown(who, dev));
}

Outcome<crypto::AccountKey> Keyring::unlock(const std::string& who, bool dev) const {
  WALLET_TRY(const std::optional<KeyringEntry> entry, own(who));
  if (entry) {
    WALLET_TRY(std::string secret,
               passphrase("Passphrase of " + entry->file.filename().string(), false));
    auto key = crypto::load_keystore(entry->file, secret);
    crypto::wipe(secret);
    if (!key) return tl::unexpected(from_error(key.error()));
    return std::move(*key);
  }
  WALLET_TRY(const crypto::Address address, resolve(who, dev));
  for (std::uint32_t i = 0; dev && i < crypto::kDevNames.size(); ++i) {
    if (crypto::dev_account_address(i) == address) return crypto::dev_account_key(i);
  }
  // A key file is named after its account: perhaps it is just this one that cannot be read.
  WALLET_TRY(const KeyringList all, list());
  for (const KeyringList::Unreadable& each : all.unreadable) {
    const bool is_it =
        each.file.filename().string().find(crypto::to_text(address)) != std::string::npos;
    if (is_it) return tl::unexpected(each.why);
  }
  return failure(ExitCode::not_found,
                 "the key of " + crypto::to_text(address) + " is not in this wallet",
                 "add it with 'quorate-wallet recover'");
}

Outcome<std::string> Keyring::passphrase(const std::string& prompt, bool twice) const {
  if (passphrase_.file == "-") return first_line(std::cin, "standard input");
  if (!passphrase_.file.empty()) {
    std::ifstream file(passphrase_.file);
    if (!file) return failure(ExitCode::permission, passphrase_.file + " cannot be read");
    return first_line(file, passphrase_.file);
  }
  WALLET_TRY(std::string first, terminal_->ask_secret(prompt));
  if (twice) {
    WALLET_TRY(std::string second, terminal_->ask_secret("The same again"));
    const bool same = first == second;
    crypto::wipe(second);
    if (!same)
      return failure(ExitCode::permission, "the two passphrases differ; nothing was written");
  }
  return first;
}

}  // namespace quorate::wallet
