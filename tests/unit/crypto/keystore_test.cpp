#include "crypto/keystore.hpp"

#include <catch2/catch.hpp>

#include "crypto/dev_accounts.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/crypto/vector_file.hpp"

namespace quorate::crypto {
namespace {

constexpr KdfCost kCheap{.memory_kib = 8, .passes = 1};
constexpr WallMs kCreated{1927857906789};  // 2031-02-03T04:05:06.789Z

std::string sealed(std::string_view passphrase = "secret") {
  return seal_keystore(dev_account_key(0), passphrase, kCreated, kCheap).value();
}

// The text with one member changed, found by a path such as "/crypto/kdf".
std::string with(const std::string& where, const nlohmann::json& value) {
  auto json = nlohmann::json::parse(sealed());
  json.at(nlohmann::json::json_pointer(where)) = value;
  return json.dump();
}

Error open_error(const std::string& text, std::string_view passphrase = "secret") {
  const auto key = open_keystore(text, passphrase);
  REQUIRE_FALSE(key.has_value());
  return key.error();
}

}  // namespace

TEST_CASE("a sealed key opens with its passphrase") {
  for (const std::string_view passphrase : {"secret", "", "naïve ☂ passphrase"}) {
    const auto key = open_keystore(sealed(passphrase), passphrase);
    REQUIRE(key.has_value());
    CHECK(to_bytes(key->expose_seed()) == to_bytes(dev_account_key(0).expose_seed()));
    CHECK(key->public_key() == dev_account_key(0).public_key());
  }
}

TEST_CASE("a keystore made by other libraries opens") {
  const auto key = open_keystore(load_vectors("keystore_vector.json").dump(), "correct horse ☂");
  REQUIRE(key.has_value());
  CHECK(key->public_key() == dev_account_key(0).public_key());
}

TEST_CASE("a wrong passphrase is a matter of permission and says so") {
  for (const std::string_view wrong : {"Secret", "secre", "secret ", ""}) {
    const Error error = open_error(sealed(), wrong);
    CHECK(error.code == Errc::permission);
    CHECK(error.detail.find("wrong passphrase for " + to_text(dev_account_address(0))) == 0);
  }
}

TEST_CASE("a keystore shows address and cost, and never the seed") {
  const std::string text = sealed();
  const auto info = read_keystore_info(text);
  REQUIRE(info.has_value());
  CHECK(info->address == dev_account_address(0));
  CHECK(info->cost.memory_kib == 8);
  CHECK(info->cost.passes == 1);
  CHECK(text.find(to_hex(dev_account_key(0).expose_seed())) == std::string::npos);
  CHECK(text.find("\"created\": \"2031-02-03T04:05:06.789Z\"") != std::string::npos);
}

TEST_CASE("two seals of one key share neither salt nor nonce nor ciphertext") {
  const auto one = nlohmann::json::parse(sealed());
  const auto two = nlohmann::json::parse(sealed());
  for (const char* where :
       {"/crypto/kdfparams/salt", "/crypto/cipherparams/nonce", "/crypto/ciphertext"}) {
    const nlohmann::json::json_pointer pointer(where);
    CHECK(one.at(pointer) != two.at(pointer));
  }
}

TEST_CASE("the default cost is the documented one") {
  CHECK(KdfCost{}.memory_kib == 262144);
  CHECK(KdfCost{}.passes == 3);
}

TEST_CASE("a keystore whose address was exchanged does not open") {
  const Error error = open_error(with("/address", to_text(dev_account_address(1))));
  CHECK(error.code == Errc::permission);
}

TEST_CASE("costs out of bounds are refused before any work") {
  for (const std::uint64_t memory : {0ULL, 7ULL, 2097153ULL, 1ULL << 40U}) {
    const Error error = open_error(with("/crypto/kdfparams/m", memory));
    CHECK(error.code == Errc::bad_encoding);
    CHECK(error.detail.find("is outside 8 KiB to 2 GiB") != std::string::npos);
  }
  CHECK(open_error(with("/crypto/kdfparams/t", 0)).code == Errc::bad_encoding);
  CHECK(open_error(with("/crypto/kdfparams/t", 17)).code == Errc::bad_encoding);
  CHECK(open_error(with("/crypto/kdfparams/t", (1ULL << 32U) + 1)).code == Errc::bad_encoding);
  for (const KdfCost cost : {KdfCost{7, 1}, KdfCost{8, 0}, KdfCost{8, 17}, KdfCost{2097153, 1}}) {
    CHECK(seal_keystore(dev_account_key(0), "x", kCreated, cost).error().code ==
          Errc::invalid_argument);
  }
}

TEST_CASE("a keystore of another kind is refused naming what is known") {
  CHECK(open_error(with("/crypto/kdf", "scrypt")).detail ==
        "not a keystore: \"kdf\" is \"scrypt\"; only \"argon2id\" is known here");
  CHECK(open_error(with("/version", 2)).detail ==
        "not a keystore: \"version\" is 2; only 1 is known here");
  for (const char* where : {"/format", "/crypto/cipher", "/address", "/crypto/ciphertext",
                            "/crypto/kdfparams/salt", "/crypto/cipherparams/nonce"}) {
    CAPTURE(where);
    CHECK(open_error(with(where, "something")).code == Errc::bad_encoding);
    CHECK(open_error(with(where, 5)).code == Errc::bad_encoding);
  }
  CHECK(open_error(with("/crypto/kdfparams/p", 2)).code == Errc::bad_encoding);
  CHECK(open_error(with("/crypto/kdfparams/version", 16)).code == Errc::bad_encoding);
  CHECK(open_error(with("/crypto/kdfparams/m", -8)).code == Errc::bad_encoding);
  CHECK(open_error(with("/crypto/kdfparams/m", 8.0)).code == Errc::bad_encoding);
}

TEST_CASE("text that is no keystore is refused without harm") {
  const std::string deep(8000, '[');
  const std::string text = sealed();
  for (const std::string& bad :
       {std::string(), std::string("hello"), std::string("[]"), std::string("{}"),
        std::string("null"), deep, "{\"address\":" + deep, deep + std::string(8000, ']'),
        text + "x", text.substr(0, text.size() / 2), std::string(100000, ' ') + text,
        "{\"version\":1," + text.substr(1), std::string("\xff\xfe")}) {
    CHECK(open_error(bad).code == Errc::bad_encoding);
  }
}

TEST_CASE("a keystore is saved under its time and address and never overwritten") {
  const TemporaryFolder dir;
  const auto file = save_keystore(dir.path(), dev_account_key(0), "secret", kCreated, kCheap);
  REQUIRE(file.has_value());
  CHECK(file->filename() ==
        "UTC--2031-02-03T04-05-06.789Z--" + to_text(dev_account_address(0)) + ".json");
  CHECK(load_keystore(*file, "secret")->public_key() == dev_account_key(0).public_key());
  CHECK(save_keystore(dir.path(), dev_account_key(0), "other", kCreated, kCheap).error().code ==
        Errc::conflict);
  CHECK(load_keystore(*file, "secret").has_value());
  const auto wrong = load_keystore(*file, "other");
  CHECK(wrong.error().code == Errc::permission);
  CHECK(wrong.error().detail.find(file->string()) == 0);
  std::filesystem::permissions(*file, std::filesystem::perms(0644));
  CHECK(load_keystore(*file, "secret").error().detail.find("chmod 600") != std::string::npos);
}

TEST_CASE("times are written for every year there is a form for") {
  const Address address = dev_account_address(0);
  CHECK(keystore_file_name(address, WallMs(0)).find("UTC--1970-01-01T00-00-00.000Z--") == 0);
  CHECK(keystore_file_name(address, WallMs(951827696001)).find("UTC--2000-02-29T12-34-56.001Z") ==
        0);
  CHECK(keystore_file_name(address, WallMs::max()).find("UTC--9999-12-31T23-59-59.999Z--") == 0);
}

}  // namespace quorate::crypto
