#include "crypto/dev_accounts.hpp"
#include "crypto/mnemonic.hpp"
#include "wallet-cli/commands/commands.hpp"

namespace quorate::wallet {
namespace {

Document entry_document(const KeyringEntry& entry) {
  return {{"name", entry.name.empty() ? Document(nullptr) : Document(entry.name)},
          {"address", crypto::to_text(entry.address)},
          {"file", entry.file.string()}};
}

Outcome<Document> dry_run(const Wallet& wallet, const crypto::AccountKey& key) {
  const std::string address = crypto::to_text(crypto::address_of(key.public_key()));
  wallet.terminal.success("would add account " + address + "; nothing was written");
  return Document{{"status", "checked"}, {"address", address}};
}

constexpr std::size_t kDevNameWidth = 5;

// The name, with blanks up to the next column.
std::string in_columns(const std::string& name, std::size_t width) {
  return name + std::string(width - std::min(width, name.size()) + 2, ' ');
}

}  // namespace

Outcome<Document> run_new(const Wallet& wallet, const NewOptions& options) {
  WALLET_TRY(std::string mnemonic, crypto::generate_mnemonic(options.words));
  Bytes seed = crypto::mnemonic_seed(mnemonic);
  const crypto::AccountKey key = crypto::derive_account(seed, 0);
  crypto::wipe(seed);
  if (wallet.options.dry_run) return dry_run(wallet, key);
  WALLET_TRY(const KeyringEntry entry, wallet.keyring.add(key, options.name));
  const std::string address = crypto::to_text(entry.address);
  wallet.terminal.success("account " + address);
  wallet.terminal.line("  key file  " + entry.file.string());
  wallet.terminal.line("  mnemonic  " + mnemonic);
  wallet.terminal.line(
      "  Write the words down and keep them offline: they are the only way to get the account "
      "back,");
  wallet.terminal.line("  and they are not shown again.");
  wallet.terminal.next("quorate-wallet balance " + (entry.name.empty() ? address : entry.name));
  Document document = entry_document(entry);
  document["mnemonic"] = mnemonic;
  crypto::wipe(mnemonic);
  return document;
}

Outcome<Document> run_recover(const Wallet& wallet, const RecoverOptions& options) {
  WALLET_TRY(std::string words, wallet.terminal.read_secret("Mnemonic (12 to 24 words)"));
  auto mnemonic = crypto::normalize_mnemonic(words);
  crypto::wipe(words);
  if (!mnemonic) return tl::unexpected(from_error(mnemonic.error()));
  Bytes seed = crypto::mnemonic_seed(*mnemonic);
  crypto::wipe(*mnemonic);
  const crypto::AccountKey key = crypto::derive_account(seed, options.index);
  crypto::wipe(seed);
  if (wallet.options.dry_run) return dry_run(wallet, key);
  WALLET_TRY(const KeyringEntry entry, wallet.keyring.add(key, options.name));
  const std::string address = crypto::to_text(entry.address);
  wallet.terminal.success("account " + address + " recovered (index " +
                          std::to_string(options.index) + ")");
  wallet.terminal.line("  key file  " + entry.file.string());
  wallet.terminal.next("quorate-wallet balance " + (entry.name.empty() ? address : entry.name));
  return entry_document(entry);
}

Outcome<Document> run_list(const Wallet& wallet) {
  WALLET_TRY(const KeyringList all, wallet.keyring.list());
  std::size_t width = kDevNameWidth;
  for (const KeyringEntry& entry : all.entries) width = std::max(width, entry.name.size());
  Document items = Document::array();
  for (const KeyringEntry& entry : all.entries) {
    items.push_back(entry_document(entry));
    wallet.terminal.line(in_columns(entry.name.empty() ? "-" : entry.name, width) +
                         crypto::to_text(entry.address));
  }
  Document dev = Document::array();
  if (wallet.dev()) {
    wallet.terminal.line("Development accounts (WELL-KNOWN KEYS: never fund them elsewhere)");
    for (std::uint32_t i = 0; i < crypto::kDevNames.size(); ++i) {
      const std::string address = crypto::to_text(crypto::dev_account_address(i));
      dev.push_back({{"name", crypto::kDevNames[i]}, {"address", address}});
      wallet.terminal.line(in_columns(std::string(crypto::kDevNames[i]), width) + address);
    }
  }
  Document unreadable = Document::array();
  for (const KeyringList::Unreadable& each : all.unreadable) {
    unreadable.push_back({{"file", each.file.string()}, {"problem", each.why.message}});
    wallet.terminal.note("warning: " + each.why.message);
  }
  if (all.entries.empty()) wallet.terminal.next("quorate-wallet new");
  return Document{{"items", items}, {"unreadable", unreadable}, {"development_accounts", dev}};
}

Outcome<Document> run_address(const Wallet& wallet, const std::string& account) {
  WALLET_TRY(const crypto::Address address, wallet.keyring.resolve(account, wallet.dev()));
  wallet.terminal.line(crypto::to_text(address));
  return Document{{"address", crypto::to_text(address)}};
}

}  // namespace quorate::wallet
