#include "testnet/load/accounts.hpp"

#include "crypto/base/assert.hpp"
#include "crypto/hash.hpp"

namespace quorate::testnet {

crypto::AccountKey load_account_key(std::uint32_t index) {
  std::array<std::uint8_t, 4> encoded{};
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    encoded[i] = static_cast<std::uint8_t>(index >> (8 * i));
  }
  const Digest seed = crypto::hash("quorate/load-account/1", {encoded});
  auto secret = crypto::SecretSeed::from(seed);
  QUORATE_ASSERT(secret.has_value());
  return crypto::AccountKey(std::move(*secret));
}

}  // namespace quorate::testnet
