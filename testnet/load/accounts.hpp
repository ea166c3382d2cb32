// The accounts that `load` sends from. Their keys follow from a public seed, so genesis can fund
// them and any run of `load` can sign for them: like the dev accounts they are for local chains
// only. Any thread.
#pragma once

#include <cstdint>

#include "crypto/address.hpp"
#include "crypto/keys.hpp"

namespace quorate::testnet {

inline constexpr std::uint32_t kLoadAccountsDefault = 512;
inline constexpr std::uint32_t kLoadAccountsMax = 100'000;
inline constexpr std::uint64_t kLoadAccountBalance = 1'000'000;

// Seed: H("quorate/load-account/1", index u32 little-endian).
crypto::AccountKey load_account_key(std::uint32_t index);

}  // namespace quorate::testnet
