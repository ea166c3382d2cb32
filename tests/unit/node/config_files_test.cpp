#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "crypto/dev_accounts.hpp"
#include "node/config/files.hpp"
#include "node/config/genesis_file.hpp"
#include "node/config/home.hpp"
#include "node/config/key_files.hpp"
#include "node/config/report.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace quorate;
using namespace quorate::node;

namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

ValidatorEntry entry(const std::string& name, std::uint64_t created) {
  ValidatorEntry out;
  out.validator.name = name;
  out.validator.validator_key = crypto::ValidatorKey::random().public_key();
  out.validator.node_key = crypto::NodeKey::random().public_key();
  out.validator.p2p = "127.0.0.1:30645";
  out.created = WallMs(created);
  return out;
}

}  // namespace

TEST_CASE("the home folder is private and laid out as documented") {
  const TemporaryFolder folder;
  const Home home{folder / "node0"};
  REQUIRE(create_home(home));
  REQUIRE(create_home(home));  // what exists stays
  for (const char* part : {"", "config", "keys", "data", "data/db", "data/votes", "run"}) {
    CAPTURE(part);
    CHECK(mode_of(home.root / part) == 0700);
  }
}

TEST_CASE("the home comes from the flag, then QUORATE_HOME, then the data folder of the user") {
  Environment environment = {{"HOME", "/h"}};
  CHECK(find_home({}, environment)->root == "/h/.local/share/quorate");
  environment["XDG_DATA_HOME"] = "/x";
  CHECK(find_home({}, environment)->root == "/x/quorate");
  environment["QUORATE_HOME"] = "/q/";
  CHECK(find_home({}, environment)->root == "/q");
  CHECK(find_home("/f", environment)->root == "/f");
  CHECK_FALSE(find_home({}, {}));
}

TEST_CASE("a home is locked once, and the error names the holder") {
  const TemporaryFolder folder;
  const Home home{folder / "node0"};
  CHECK(HomeLock::acquire(home).error().code == Errc::not_found);
  REQUIRE(create_home(home));
  {
    const auto first = HomeLock::acquire(home);
    REQUIRE(first);
    const auto second = HomeLock::acquire(home);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Errc::unavailable);
    CHECK(second.error().detail.find("process " + std::to_string(::getpid())) != std::string::npos);
  }
  CHECK(HomeLock::acquire(home));
}

TEST_CASE("a new file appears whole and is never replaced") {
  const TemporaryFolder folder;
  REQUIRE(write_new_file(folder / "a", "first", 0640));
  CHECK(mode_of(folder / "a") == 0640);
  const auto again = write_new_file(folder / "a", "second", 0640);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::conflict);
  CHECK(folder.read("a") == "first");
  std::size_t files = 0;
  for (const auto& each : std::filesystem::directory_iterator(folder.path())) {
    if (each.is_regular_file()) ++files;
  }
  CHECK(files == 1);
  CHECK(read_text_file(folder / "a", 4).error().code == Errc::limit_exceeded);
  CHECK(read_text_file(folder / "none", 4).error().code == Errc::not_found);
}

TEST_CASE("key files keep the key, are private, and are never replaced") {
  const TemporaryFolder folder;
  const auto node_key = crypto::NodeKey::random();
  REQUIRE(write_node_key(folder / "node_key.json", node_key));
  CHECK(mode_of(folder / "node_key.json") == 0600);
  const auto read = read_node_key(folder / "node_key.json");
  REQUIRE(read);
  CHECK(read->public_key() == node_key.public_key());
  CHECK(read->sign(as_bytes("m")) == node_key.sign(as_bytes("m")));

  const auto again = write_node_key(folder / "node_key.json", crypto::NodeKey::random());
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::conflict);
}

TEST_CASE("a key file that others can read is refused") {
  const TemporaryFolder folder;
  REQUIRE(write_validator_key(folder / "k", crypto::ValidatorKey::random()));
  REQUIRE(::chmod((folder / "k").c_str(), 0640) == 0);
  const auto key = read_validator_key(folder / "k");
  REQUIRE_FALSE(key);
  CHECK(key.error().code == Errc::permission);
}

TEST_CASE("a key file of the other kind or with a changed digit is refused") {
  const TemporaryFolder folder;
  REQUIRE(write_node_key(folder / "k", crypto::NodeKey::random()));
  const auto other = read_validator_key(folder / "k");
  REQUIRE_FALSE(other);
  CHECK(other.error().detail.find("quorate-node-key/1") != std::string::npos);

  std::string text = folder.read("k");
  char& digit = text[text.find("secret_seed") + 20];
  digit = digit == '0' ? '1' : '0';
  folder.write("k", text);
  const auto changed = read_node_key(folder / "k");
  REQUIRE_FALSE(changed);
  CHECK(changed.error().code == Errc::corrupt);
  CHECK(changed.error().detail.find("does not belong") != std::string::npos);
  CHECK(read_node_key(folder / "none").error().code == Errc::not_found);
}

TEST_CASE("validator entries survive their text form, and damage is named") {
  const ValidatorEntry original = entry("node0", 1'900'000'000'123);
  const auto read = parse_validator_entry(validator_entry_text(original));
  REQUIRE(read);
  CHECK(read->validator == original.validator);
  CHECK(read->created == original.created);

  std::string text = validator_entry_text(original);
  text.replace(text.find("\"p2p\""), 5, "\"p2q\"");
  CHECK(parse_validator_entry(text).error().detail.find("'p2p'") != std::string::npos);
  CHECK_FALSE(parse_validator_entry("[]"));
  CHECK_FALSE(parse_validator_entry("{}"));
}

TEST_CASE("everybody builds the same genesis, whatever the order of the entries") {
  std::vector<ValidatorEntry> entries;
  for (const char* name : {"node10", "node2", "node1", "bank"}) {
    entries.push_back(entry(name, 1'900'000'000'000 + entries.size()));
  }
  GenesisPlan plan;
  plan.chain_name = "local-test";
  plan.entries = entries;
  plan.accounts = {{crypto::dev_account_address(0), 10}, {crypto::dev_account_address(1), 20}};
  const auto first = build_genesis(plan, false);
  REQUIRE(first);
  std::reverse(plan.entries.begin(), plan.entries.end());
  std::reverse(plan.accounts.begin(), plan.accounts.end());
  const auto second = build_genesis(plan, false);
  REQUIRE(second);
  CHECK(genesis_text(*first) == genesis_text(*second));
  CHECK(ledger::chain_id(*first) == ledger::chain_id(*second));

  CHECK(first->genesis_time == WallMs(1'900'000'000'003));
  CHECK(first->validators[0].name == "bank");
  CHECK(first->validators[1].name == "node1");
  CHECK(first->validators[2].name == "node2");
  CHECK(first->validators[3].name == "node10");
}

TEST_CASE("a genesis of fewer than four, or with dev accounts on a real chain, is refused") {
  GenesisPlan plan;
  plan.chain_name = "local-test";
  plan.entries = {entry("a", 1), entry("b", 2), entry("c", 3)};
  CHECK_FALSE(build_genesis(plan, false));
  CHECK(build_genesis(plan, true));
  plan.entries.push_back(entry("d", 4));
  CHECK(build_genesis(plan, false));
  plan.accounts = {{crypto::dev_account_address(0), 10}};
  CHECK(build_genesis(plan, false));
  plan.chain_name = "mainnet";
  CHECK_FALSE(build_genesis(plan, false));
}

TEST_CASE("a genesis file is read back as it was written and is never replaced") {
  const TemporaryFolder folder;
  GenesisPlan plan;
  plan.chain_name = "local-test";
  plan.entries = {entry("a", 1), entry("b", 2), entry("c", 3), entry("d", 4)};
  plan.accounts = {{crypto::dev_account_address(0), 18'446'744'073'709'551'615U}};
  plan.submitters = {crypto::dev_account_address(0)};
  const auto genesis = build_genesis(plan, false);
  REQUIRE(genesis);
  REQUIRE(write_genesis_file(folder / "genesis.json", *genesis));
  const auto read = read_genesis_file(folder / "genesis.json");
  REQUIRE(read);
  CHECK(*read == *genesis);
  CHECK(write_genesis_file(folder / "genesis.json", *genesis).error().code == Errc::conflict);

  folder.write("bad.json", "{\"chain_name\": 1}");
  const auto bad = read_genesis_file(folder / "bad.json");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().detail.find("bad.json") != std::string::npos);
  CHECK(bad.error().detail.find("chain_name") != std::string::npos);
}

TEST_CASE("genesis accounts are given as address and balance") {
  const std::string alice = crypto::to_text(crypto::dev_account_address(0));
  const auto account = parse_genesis_account(alice + "=1000");
  REQUIRE(account);
  CHECK(account->address == crypto::dev_account_address(0));
  CHECK(account->balance == 1000);
  CHECK_FALSE(parse_genesis_account(alice));
  CHECK_FALSE(parse_genesis_account(alice + "="));
  CHECK_FALSE(parse_genesis_account(alice + "=-1"));
  CHECK_FALSE(parse_genesis_account("alice=1"));
}

TEST_CASE("a report is the same as text and as JSON") {
  Report row;
  row.add("name", "a\"b");
  Report report;
  report.add("chain_id", std::string("0x12")).add("count", std::uint64_t{3}).add("ok", true);
  report.add("rows", std::vector<Report>{row});
  CHECK(report.text() == "chain id  0x12\ncount     3\nok        yes\nrows      \n  name  a\"b\n");
  CHECK(report.json() ==
        "{\n  \"chain_id\": \"0x12\",\n  \"count\": 3,\n  \"ok\": true,\n  \"rows\": [\n    {\n"
        "      \"name\": \"a\\\"b\"\n    }\n  ]\n}\n");
}
