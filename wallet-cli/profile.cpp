#include "wallet-cli/profile.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "rpc/json/fields.hpp"

namespace quorate::wallet {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Outcome<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return failure(ExitCode::configuration, path.string() + " cannot be read");
  }
  return text.str();
}

// A malformed file is a configuration failure that names the file.
Failure in_file(const std::filesystem::path& path, const Error& error) {
  return {ExitCode::configuration, path.string() + ": " + error.detail};
}

Failure no_network(const WalletHome& home) {
  return {ExitCode::configuration,
          "no network is configured (" + home.config_file.string() + " selects none)",
          "'quorate-testnet up' writes it for a local network"};
}

Result<Profile> read_profile(const std::string& name, const rpc::Json& json) {
  QUORATE_TRY(const rpc::Fields fields, rpc::Fields::of(json, "profiles." + name));
  QUORATE_CHECK(fields.only({"chain_name", "chain_id", "genesis_file", "rpc_urls", "dev"}));
  Profile profile;
  profile.name = name;
  QUORATE_TRY(profile.chain_name, fields.text("chain_name"));
  QUORATE_TRY(profile.chain_id, fields.fixed<Digest>("chain_id"));
  if (fields.has("genesis_file")) {
    QUORATE_TRY(const std::string path, fields.text("genesis_file"));
    profile.genesis_file = path;
  }
  if (const auto dev = json.find("dev"); dev != json.end()) {
    if (!dev->is_boolean()) {
      return fail(Errc::bad_encoding, fields.path("dev") + ": expected true or false");
    }
    profile.dev = dev->get<bool>();
  }
  QUORATE_TRY(const rpc::Json* urls, fields.array("rpc_urls", 1000));
  for (const rpc::Json& url : *urls) {
    QUORATE_TRY(std::string text, rpc::read_text(url, fields.path("rpc_urls")));
    profile.rpc_urls.push_back(std::move(text));
  }
  return profile;
}

}  // namespace

Outcome<WalletHome> find_wallet_home(const std::string& flag) {
  const std::string own = flag.empty() ? environment("QUORATE_WALLET_HOME") : flag;
  if (!own.empty()) {
    const std::filesystem::path root = std::filesystem::absolute(own);
    return WalletHome{root / "wallet.json", root / "keystore", root / "names.json",
                      root / "headers", root / "payments"};
  }
  const std::filesystem::path user = environment("HOME");
  std::filesystem::path config = environment("XDG_CONFIG_HOME");
  std::filesystem::path data = environment("XDG_DATA_HOME");
  if (user.empty() && (config.empty() || data.empty())) {
    return failure(ExitCode::configuration, "there is no home folder for the wallet",
                   "set QUORATE_WALLET_HOME, or give --home");
  }
  if (config.empty()) config = user / ".config";
  if (data.empty()) data = user / ".local" / "share";
  const std::filesystem::path keys = data / "quorate" / "wallet";
  return WalletHome{config / "quorate" / "wallet.json", keys / "keystore", keys / "names.json",
                    keys / "headers", keys / "payments"};
}

Outcome<Profile> load_profile(const WalletHome& home, const std::string& name) {
  if (!std::filesystem::exists(home.config_file)) {
    return tl::unexpected(no_network(home));
  }
  WALLET_TRY(const std::string text, read_file(home.config_file));
  auto json = rpc::parse_json(text);
  if (!json) return tl::unexpected(in_file(home.config_file, json.error()));
  const auto root = rpc::Fields::of(*json, "wallet.json");
  if (!root) return tl::unexpected(in_file(home.config_file, root.error()));
  if (const auto known = root->only({"profile", "profiles"}); !known) {
    return tl::unexpected(in_file(home.config_file, known.error()));
  }
  std::string chosen = name;
  if (chosen.empty()) {
    if (json->is_object() && !json->contains("profile")) {
      return failure(ExitCode::configuration, home.config_file.string() + " chooses no profile",
                     "choose one with --profile NAME; 'quorate-testnet up' writes one for a local "
                     "network");
    }
    auto selected = root->text("profile");
    if (!selected) return tl::unexpected(in_file(home.config_file, selected.error()));
    chosen = *selected;
  }
  const auto profiles = root->get("profiles");
  if (!profiles) return tl::unexpected(in_file(home.config_file, profiles.error()));
  if (!(*profiles)->is_object() || !(*profiles)->contains(chosen)) {
    return failure(ExitCode::configuration,
                   home.config_file.string() + " has no profile named '" + chosen + "'");
  }
  auto profile = read_profile(chosen, (**profiles)[chosen]);
  if (!profile) return tl::unexpected(in_file(home.config_file, profile.error()));
  return *profile;
}

Outcome<std::optional<ledger::Genesis>> load_genesis(const Profile& profile) {
  if (!profile.genesis_file || !std::filesystem::exists(*profile.genesis_file)) return std::nullopt;
  WALLET_TRY(const std::string text, read_file(*profile.genesis_file));
  auto json = rpc::parse_json(text);
  if (!json) return tl::unexpected(in_file(*profile.genesis_file, json.error()));
  auto genesis = rpc::genesis_from_json(*json);
  if (!genesis) return tl::unexpected(in_file(*profile.genesis_file, genesis.error()));
  return std::optional<ledger::Genesis>(std::move(*genesis));
}

}  // namespace quorate::wallet
