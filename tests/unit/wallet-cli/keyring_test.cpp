#include "wallet-cli/keyring.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "crypto/dev_accounts.hpp"
#include "tests/unit/wallet-cli/temp_home.hpp"

namespace quorate::wallet {
namespace {

const Terminal kSilent({.json = false, .plain = true, .quiet = true, .no_input = true});

Keyring keyring(const test::TempHome& temp, const std::string& passphrase_file = "") {
  return Keyring(temp.home(), kSilent, {passphrase_file});
}

}  // namespace

TEST_CASE("an account is found by name, by address and by a unique beginning of it") {
  const test::TempHome temp;
  const Keyring keys = keyring(temp, temp.write("pass", "correct horse\n").string());
  const crypto::AccountKey key = crypto::dev_account_key(3);
  const auto added = keys.add(key, "savings");
  REQUIRE(added.has_value());
  const std::string address = crypto::to_text(added->address);
  CHECK(*keys.resolve("savings", false) == added->address);
  CHECK(*keys.resolve(address, false) == added->address);
  CHECK(*keys.resolve(address.substr(0, 12), false) == added->address);
  CHECK(keys.unlock("savings", false)->public_key() == key.public_key());

  SECTION("and cannot be added twice, nor its name given again") {
    CHECK(keys.add(key, "other").error().exit == ExitCode::will_not_overwrite);
    CHECK(keys.add(crypto::dev_account_key(4), "savings").error().exit ==
          ExitCode::will_not_overwrite);
  }
  SECTION("and stays locked with a wrong passphrase") {
    const Keyring wrong = keyring(temp, temp.write("wrong", "battery staple").string());
    CHECK(wrong.unlock("savings", false).error().exit == ExitCode::permission);
  }
  SECTION("and nobody is asked without a terminal") {
    CHECK(keyring(temp).unlock("savings", false).error().exit == ExitCode::permission);
  }
}

TEST_CASE("development accounts have names on development chains only") {
  const test::TempHome temp;
  const Keyring keys = keyring(temp);
  CHECK(*keys.resolve("alice", true) == crypto::dev_account_address(0));
  CHECK(keys.unlock("bob", true)->public_key() == crypto::dev_account_key(1).public_key());
  CHECK(keys.resolve("alice", false).error().exit == ExitCode::permission);
  CHECK(keys.add(crypto::dev_account_key(0), "alice").error().exit == ExitCode::usage);
}

TEST_CASE("a mistyped address is refused for its checksum, an unknown name lists what there is") {
  const test::TempHome temp;
  const Keyring keys = keyring(temp);
  std::string address = crypto::to_text(crypto::dev_account_address(0));
  address.back() = address.back() == 'q' ? 'p' : 'q';
  const auto mistyped = keys.resolve(address, true);
  REQUIRE_FALSE(mistyped.has_value());
  CHECK(mistyped.error().message.find("checksum") != std::string::npos);
  const auto unknown = keys.resolve("zoe", true);
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().exit == ExitCode::not_found);
  CHECK(unknown.error().hint.find("alice") != std::string::npos);
}

TEST_CASE("a key file that cannot be read is in nobody's way but its own account's") {
  const test::TempHome temp;
  const Keyring keys = keyring(temp, temp.write("pass", "correct horse\n").string());
  const auto broken = keys.add(crypto::dev_account_key(3), "broken");
  REQUIRE(broken.has_value());
  const std::string content =
      GENERATE(std::string("{}"), std::string(), std::string(1'100'000, ' '));
  std::ofstream(broken->file) << content;
  CHECK(*keys.resolve("alice", true) == crypto::dev_account_address(0));
  const auto all = keys.list();
  REQUIRE(all.has_value());
  CHECK(all->entries.empty());
  REQUIRE(all->unreadable.size() == 1);
  CHECK(all->unreadable[0].file == broken->file);
  for (const std::string& who : {std::string("broken"), crypto::to_text(broken->address)}) {
    CHECK(*keys.resolve(who, false) == broken->address);
    const auto key = keys.unlock(who, false);
    REQUIRE_FALSE(key.has_value());
    CHECK(key.error().exit == ExitCode::io_or_corrupt);
    CHECK_THAT(key.error().message, Catch::Contains(broken->file.string()));
  }
  CHECK(keys.unlock("zoe", false).error().exit == ExitCode::not_found);
}

}  // namespace quorate::wallet
