// The wallet's configuration: which network it talks to and which chain it has pinned. One file,
// wallet.json, with named profiles; 'quorate-testnet up' writes the profile "local".
//
//   {"profile":"local","profiles":{"local":{"chain_name":"local-7f3a","chain_id":"0x…",
//     "genesis_file":"/…/genesis.json","rpc_urls":["http://127.0.0.1:8645",…],"dev":true}}}
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/bytes.hpp"
#include "rpc/client/trusted_chain.hpp"
#include "wallet-cli/failure.hpp"

namespace quorate::wallet {

// Where the wallet keeps its files. --home or $QUORATE_WALLET_HOME holds both; otherwise
// $XDG_CONFIG_HOME/quorate (wallet.json) and $XDG_DATA_HOME/quorate/wallet (keys).
struct WalletHome {
  std::filesystem::path config_file;
  std::filesystem::path keystore;    // one file per account
  std::filesystem::path names_file;  // names that the user gave to accounts
  std::filesystem::path headers;     // checked work headers, one file per chain
  std::filesystem::path payments;    // what was signed last, one file per chain and account
};
Outcome<WalletHome> find_wallet_home(const std::string& flag);

struct Profile {
  std::string name;
  std::string chain_name;
  Digest chain_id;  // the pin
  std::optional<std::filesystem::path> genesis_file;
  std::vector<std::string> rpc_urls;
  bool dev = false;  // alice, bob, … may be used by name
};

// The named profile, or the one the file selects when `name` is empty. Errors: configuration, with
// what to do, when there is no file or no such profile.
Outcome<Profile> load_profile(const WalletHome& home, const std::string& name);
// The pinned genesis from the profile's file; none when the profile has no file.
Outcome<std::optional<ledger::Genesis>> load_genesis(const Profile& profile);

}  // namespace quorate::wallet
