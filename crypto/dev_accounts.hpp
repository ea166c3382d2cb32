// The ten well-known development accounts (alice, bob, ... judy), derived from a public mnemonic.
// Everybody knows their keys: a chain that is not local or for development refuses them.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "crypto/address.hpp"
#include "crypto/keys.hpp"

namespace quorate::crypto {

inline constexpr std::string_view kDevMnemonic =
    "test test test test test test test test test test test junk";
inline constexpr std::array<std::string_view, 10> kDevNames = {
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"};

// `index` is 0..9.
AccountKey dev_account_key(std::uint32_t index);
Address dev_account_address(std::uint32_t index);
std::optional<std::uint32_t> dev_account_index(std::string_view name);
bool is_dev_account(const Address& address);
// A chain whose name starts with "local-" or "dev-" may fund dev accounts.
bool is_dev_chain_name(std::string_view chain_name);

}  // namespace quorate::crypto
