#include "crypto/dev_accounts.hpp"

#include <catch2/catch.hpp>

#include "crypto/mnemonic.hpp"
#include "tests/unit/crypto/vector_file.hpp"

namespace quorate::crypto {

TEST_CASE("the development accounts match the published vectors") {
  const auto vectors = load_vectors("vectors.json");
  CHECK(vectors["mnemonic"].get<std::string>() == kDevMnemonic);
  CHECK(to_hex(mnemonic_seed(kDevMnemonic)) == vectors["seed"].get<std::string>());
  REQUIRE(vectors["accounts"].size() == kDevNames.size());
  for (std::uint32_t i = 0; i < kDevNames.size(); ++i) {
    const auto& account = vectors["accounts"][i];
    const AccountKey key = dev_account_key(i);
    CHECK(account["name"].get<std::string>() == kDevNames[i]);
    CHECK(account["secret_seed"].get<std::string>() == to_hex(key.expose_seed()));
    CHECK(account["public_key"].get<std::string>() == to_hex(key.public_key()));
    CHECK(account["address"].get<std::string>() == to_text(dev_account_address(i)));
    CHECK(dev_account_index(kDevNames[i]) == i);
    CHECK(is_dev_account(dev_account_address(i)));
  }
}

TEST_CASE("other accounts and names are not development accounts") {
  CHECK_FALSE(is_dev_account(address_of(AccountKey::random().public_key())));
  CHECK_FALSE(dev_account_index("mallory").has_value());
  CHECK_FALSE(dev_account_index("Alice").has_value());
}

TEST_CASE("only local and dev chains are development chains") {
  CHECK(is_dev_chain_name("local-7f3a"));
  CHECK(is_dev_chain_name("dev-payments"));
  CHECK_FALSE(is_dev_chain_name("payments"));
  CHECK_FALSE(is_dev_chain_name("local"));
  CHECK_FALSE(is_dev_chain_name("my-local-chain"));
}

}  // namespace quorate::crypto
