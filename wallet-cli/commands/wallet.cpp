#include "wallet-cli/commands/commands.hpp"

namespace quorate::wallet {

Outcome<Network> Wallet::network() const {
  WALLET_TRY(const Profile profile, load_profile(home, options.profile));
  return Network::open(profile, options.rpc_urls, options.timeout);
}

bool Wallet::dev() const {
  const auto profile = load_profile(home, options.profile);
  return profile && profile->dev;
}

}  // namespace quorate::wallet
