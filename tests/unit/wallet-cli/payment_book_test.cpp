// What the wallet remembers of its payments, and that it does so through crashes and crowds.
#include "wallet-cli/payment_book.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "crypto/dev_accounts.hpp"
#include "tests/unit/wallet-cli/temp_home.hpp"

namespace quorate::wallet {
namespace {

const Digest kChain = *Digest::from_hex("0x" + std::string(64, '7'));
const Digest kFirst = *Digest::from_hex("0x" + std::string(64, '1'));
const Digest kSecond = *Digest::from_hex("0x" + std::string(64, '2'));

Outcome<PaymentBook> open_book(const test::TempHome& temp) {
  return PaymentBook::open(temp.home().payments, kChain, crypto::dev_account_address(0),
                           std::chrono::steady_clock::now());
}

std::filesystem::path file_of(const test::TempHome& temp) {
  return temp.home().payments /
         (to_hex(kChain) + "-" + crypto::to_text(crypto::dev_account_address(0)) + ".json");
}

}  // namespace

TEST_CASE("a payment that was noted is there for the next command") {
  const test::TempHome temp;
  {
    PaymentBook book = open_book(temp).value();
    CHECK(book.used() == 0);
    book.mark({Height(7), 3, kSecond});
    book.add({4, kFirst, 812});
    REQUIRE(book.save().has_value());
  }
  const PaymentBook book = open_book(temp).value();
  CHECK(book.used() == 3);
  REQUIRE(book.undecided().size() == 1);
  CHECK(book.undecided()[0].nonce == 4);
  CHECK(book.undecided()[0].transaction_id == kFirst);
  CHECK(book.undecided()[0].valid_until_height == 812);
  struct stat status {};
  REQUIRE(::stat(file_of(temp).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
}

TEST_CASE("while a book is open nobody else gets it, and whoever waits too long is told") {
  const test::TempHome temp;
  {
    const PaymentBook book = open_book(temp).value();
    const auto other = open_book(temp);
    REQUIRE_FALSE(other.has_value());
    CHECK(other.error().exit == ExitCode::locked_or_busy);
    CHECK_THAT(other.error().message, Catch::Contains("nothing was sent"));
    // Looking is free.
    CHECK(PaymentBook::peek(temp.home().payments, kChain, crypto::dev_account_address(0))
              .has_value());
    // Another account has a book of its own.
    CHECK(PaymentBook::open(temp.home().payments, kChain, crypto::dev_account_address(1),
                            std::chrono::steady_clock::now())
              .has_value());
  }
  CHECK(open_book(temp).has_value());
}

TEST_CASE("a mark decides what lies under it, and an older one changes nothing") {
  const test::TempHome temp;
  PaymentBook book = open_book(temp).value();
  book.add({4, kFirst, 0});
  book.add({5, kSecond, 20});
  book.add({6, kChain, 50});
  book.mark({Height(10), 4, kChain});
  CHECK(book.undecided().size() == 2);
  book.mark({Height(9), 7, kChain});
  CHECK(book.used() == 4);
  // Of the payments of one block the last one counts.
  book.mark({Height(10), 5, kChain});
  book.mark({Height(10), 4, kChain});
  CHECK(book.used() == 5);
  book.mark({Height(50), 5, kChain});
  CHECK(book.undecided().empty());
  book.unmark();
  CHECK(book.used() == 0);
}

TEST_CASE("a damaged book is named, with what to do") {
  const test::TempHome temp;
  REQUIRE(open_book(temp).value().save().has_value());
  for (const char* text :
       {"", "{", "{}", "{\"undecided\":[{}]}", "{\"undecided\":[],\"more\":1}"}) {
    std::ofstream(file_of(temp)) << text;
    const auto book = open_book(temp);
    INFO(text);
    REQUIRE_FALSE(book.has_value());
    CHECK(book.error().exit == ExitCode::io_or_corrupt);
    CHECK_THAT(book.error().message, Catch::Contains(file_of(temp).string()));
    CHECK_THAT(book.error().hint, Catch::Contains("remove it"));
  }
}

TEST_CASE("where nothing can be written nothing is sent, and the hint says what to do") {
  const test::TempHome temp;
  temp.write("payments", "a file where the folder should be");
  const auto book = open_book(temp);
  REQUIRE_FALSE(book.has_value());
  CHECK_THAT(book.error().hint, Catch::Contains("nothing was sent"));
  CHECK_THAT(book.error().hint, Catch::Contains("writable"));
}

TEST_CASE("the newest block seen only rises, and is nothing where it cannot be read") {
  const test::TempHome temp;
  const auto folder = temp.home().payments;
  CHECK_FALSE(newest_seen(folder, kChain));
  remember_seen(folder, kChain, Height(7));
  remember_seen(folder, kChain, Height(5));
  CHECK(newest_seen(folder, kChain) == Height(7));
  CHECK_FALSE(newest_seen(folder, kFirst));
  std::ofstream(folder / (to_hex(kChain) + ".newest.json")) << "{";
  CHECK_FALSE(newest_seen(folder, kChain));
  remember_seen(temp.path() / "wallet.json" / "below", kChain, Height(9));
}

}  // namespace quorate::wallet
