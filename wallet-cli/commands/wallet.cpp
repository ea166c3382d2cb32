#include "wallet-cli/commands/commands.hpp"

namespace quorate::wallet {

Outcome<Network> Wallet::network() const {
  WALLET_TRY(const Profile profile, load_profile(home, options.profile));
  WALLET_TRY(Network network, Network::open(profile, options.rpc_urls, options.timeout));
  network.keep_headers_in(home.headers);
  network.set_trace([this](const std::string& line) { terminal.detail(line); });
  return network;
}

bool Wallet::dev() const {
  const auto profile = load_profile(home, options.profile);
  return profile && profile->dev;
}

}  // namespace quorate::wallet
