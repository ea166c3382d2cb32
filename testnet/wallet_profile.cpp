#include "testnet/wallet_profile.hpp"

#include <cstdlib>

#include "node/config/files.hpp"
#include "rpc/json/ledger_json.hpp"
#include "testnet/files.hpp"

namespace quorate::testnet {

namespace {

constexpr std::size_t kConfigBytesMax = 1U << 20U;
constexpr const char* kProfile = "local";

Result<rpc::Json> read_config(const std::filesystem::path& file) {
  const auto text = node::read_text_file(file, kConfigBytesMax);
  if (!text && text.error().code == Errc::not_found) return rpc::Json::object();
  if (!text) return tl::unexpected(text.error());
  auto json = rpc::parse_json(*text);
  if (!json || !json->is_object() ||
      (json->contains("profiles") && !(*json)["profiles"].is_object())) {
    return fail(Errc::corrupt,
                file.string() + " is not a wallet configuration; move it away and try again");
  }
  return json;
}

Result<void> replace_config(const std::filesystem::path& file, const rpc::Json& json) {
  return replace_file(file, json.dump(2) + "\n", 0600);
}

}  // namespace

Result<std::filesystem::path> wallet_config_file() {
  const auto environment = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (const auto home = environment("QUORATE_WALLET_HOME"); !home.empty()) {
    return std::filesystem::path(home) / "wallet.json";
  }
  if (const auto config = environment("XDG_CONFIG_HOME"); !config.empty()) {
    return std::filesystem::path(config) / "quorate" / "wallet.json";
  }
  if (const auto home = environment("HOME"); !home.empty()) {
    return std::filesystem::path(home) / ".config" / "quorate" / "wallet.json";
  }
  return fail(Errc::invalid_argument,
              "no place for the wallet's profile: set HOME, XDG_CONFIG_HOME or "
              "QUORATE_WALLET_HOME");
}

Result<void> check_wallet_config(const std::filesystem::path& file) {
  QUORATE_CHECK(read_config(file));
  return {};
}

Result<std::optional<std::filesystem::path>> other_testnet(const std::filesystem::path& file,
                                                           const Digest& chain_id) {
  QUORATE_TRY(const auto config, read_config(file));
  const auto text = [&config](const char* key) -> std::string {
    const auto profiles = config.find("profiles");
    if (profiles == config.end() || !profiles->contains(kProfile)) return "";
    const auto& profile = (*profiles)[kProfile];
    if (!profile.is_object() || !profile.contains(key) || !profile[key].is_string()) return "";
    return profile[key].get<std::string>();
  };
  const std::filesystem::path genesis = text("genesis_file");
  if (genesis.empty() || text("chain_id") == to_0x(chain_id)) return std::nullopt;
  return genesis.lexically_normal().parent_path();
}

Result<std::string> write_wallet_profile(const std::filesystem::path& file, const Layout& layout,
                                         const Manifest& manifest) {
  QUORATE_TRY(auto config, read_config(file));
  rpc::Json urls = rpc::Json::array();
  for (const auto& node : manifest.nodes) urls.push_back(node.rpc_url());
  const rpc::Json profile = {
      {"chain_name", manifest.chain_name},
      {"chain_id", to_0x(manifest.chain_id)},
      {"genesis_file", std::filesystem::absolute(layout.genesis_file()).string()},
      {"rpc_urls", std::move(urls)},
      {"dev", true}};
  const rpc::Json before = config;
  config["profiles"][kProfile] = profile;
  if (!config.contains("profile") || !config["profile"].is_string()) config["profile"] = kProfile;
  if (config != before) QUORATE_CHECK(replace_config(file, config));
  return config["profile"].get<std::string>();
}

Result<void> remove_wallet_profile(const std::filesystem::path& file, const Digest& chain_id) {
  QUORATE_TRY(auto config, read_config(file));
  if (!config.contains("profiles") || !config["profiles"].contains(kProfile)) return {};
  const auto& profile = config["profiles"][kProfile];
  if (!profile.is_object() || !profile.contains("chain_id") ||
      profile["chain_id"] != to_0x(chain_id)) {
    return {};
  }
  config["profiles"].erase(kProfile);
  if (config["profiles"].empty()) config.erase("profiles");
  if (config.contains("profile") && config["profile"] == kProfile) config.erase("profile");
  if (config.empty()) {
    // To the wallet a file without a profile is a broken one; no file says what to do next.
    std::error_code error;
    std::filesystem::remove(file, error);
    if (error) return fail(Errc::io, "cannot remove " + file.string() + ": " + error.message());
    return {};
  }
  return replace_config(file, config);
}

}  // namespace quorate::testnet
