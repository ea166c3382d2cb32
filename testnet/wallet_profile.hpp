// The wallet's configuration file, of which the testnet owns the profile "local":
//
//   { "profile": "local",
//     "profiles": { "local": { "chain_name": "local-7f3a", "chain_id": "0x…", "dev": true,
//                              "genesis_file": "/abs/path/genesis.json",
//                              "rpc_urls": ["http://127.0.0.1:8645", …] } } }
//
// It pins the chain for the wallet, which never takes a genesis from the node it asks. Other
// profiles and other keys are kept as they are; the file is replaced in one step.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "testnet/manifest.hpp"

namespace quorate::testnet {

// $QUORATE_WALLET_HOME/wallet.json, else $XDG_CONFIG_HOME/quorate/wallet.json, else
// ~/.config/quorate/wallet.json. Error invalid_argument when none of the three is set.
Result<std::filesystem::path> wallet_config_file();

// Error corrupt when the file is there and is not one of ours, naming it; io. So that `up` can ask
// before it writes or starts anything.
Result<void> check_wallet_config(const std::filesystem::path& file);
// The data folder of the testnet that the profile "local" points to, if that is another chain than
// this one.
Result<std::optional<std::filesystem::path>> other_testnet(const std::filesystem::path& file,
                                                           const Digest& chain_id);
// Writes the profile "local". Returns the name of the profile the wallet will use, which is another
// one when the user has chosen another one. Errors: corrupt when the file is not JSON, io.
Result<std::string> write_wallet_profile(const std::filesystem::path& file, const Layout& layout,
                                         const Manifest& manifest);
// Removes the profile "local" if it pins this chain, and the file when nothing else was in it.
Result<void> remove_wallet_profile(const std::filesystem::path& file, const Digest& chain_id);

}  // namespace quorate::testnet
