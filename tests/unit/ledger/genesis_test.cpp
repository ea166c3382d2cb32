#include "ledger/types/genesis.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "crypto/dev_accounts.hpp"
#include "tests/unit/ledger/fixture.hpp"

namespace quorate::ledger {
namespace {

using test::small_genesis;
using Change = std::function<void(Genesis&)>;

// The detail of the refusal, or "accepted".
std::string verdict(const Change& change, bool allow_no_bft = false) {
  Genesis genesis = small_genesis();
  change(genesis);
  const auto result = validate(genesis, allow_no_bft);
  if (result) return "accepted";
  CHECK(result.error().code == Errc::invalid_argument);
  return result.error().detail;
}

}  // namespace

TEST_CASE("a genesis within all rules is accepted") {
  CHECK(verdict([](Genesis&) {}) == "accepted");
  CHECK(verdict([](Genesis& g) {
          g.submit_any = false;
          g.submitters = {g.accounts[0].address};
        }) == "accepted");
  CHECK(verdict([](Genesis& g) { g.accounts.clear(); }) == "accepted");
  // The most that one record of the vote log may have to hold.
  CHECK(verdict([](Genesis& g) { g.consensus.proposals_in_flight = 64; }) == "accepted");
  CHECK(verdict([](Genesis& g) { g.consensus.proposals_in_flight = 65; }) != "accepted");
}

TEST_CASE("every rule of a genesis names the field and the value") {
  const std::vector<std::pair<Change, std::string>> table = {
      {[](Genesis& g) { g.chain_name = ""; }, "chain_name is \"\""},
      {[](Genesis& g) { g.chain_name = "Big Chain"; }, "chain_name is \"Big Chain\""},
      {[](Genesis& g) { g.chain_name = std::string(65, 'a'); }, "chain_name"},
      {[](Genesis& g) { g.genesis_time = WallMs::max(); }, "genesis_time_ms"},
      {[](Genesis& g) { g.consensus.engine = ""; }, "consensus.engine"},
      {[](Genesis& g) { g.consensus.checkpoint_interval = 0; },
       "consensus.checkpoint_interval is 0"},
      {[](Genesis& g) { g.consensus.proposals_in_flight = 257; },
       "consensus.proposals_in_flight is 257; it must be 1 to 256"},
      {[](Genesis& g) { g.consensus.payload_bytes_max = 1000; },
       "consensus.payload_bytes_max is 1000"},
      {[](Genesis& g) { g.consensus.payload_bytes_max = 16U << 20U; },
       "consensus.proposals_in_flight is 32 and consensus.payload_bytes_max is 16777216; twice "
       "their product, what a validator may have to keep, is 1073741824 bytes and must be at most "
       "134217728; lower one of the two"},
      {[](Genesis& g) {
         g.consensus.checkpoint_interval = 1U << 20U;
         g.consensus.proposals_in_flight = 2U << 20U;
       },
       "consensus.proposals_in_flight is 2097152 and consensus.payload_bytes_max is 1048576;"},
      {[](Genesis& g) { g.consensus.payload_transactions_max = 0; },
       "consensus.payload_transactions_max is 0"},
      {[](Genesis& g) { g.validators.clear(); }, "number of validators is 0"},
      {[](Genesis& g) { g.validators.pop_back(); }, "--no-bft"},
      {[](Genesis& g) { g.validators[1].name = g.validators[0].name; }, "validators[1].name"},
      {[](Genesis& g) { g.validators[1].name = "no/slash"; }, "validators[1].name is \"no/slash\""},
      {[](Genesis& g) { g.validators[2].validator_key = g.validators[0].validator_key; },
       "validators[2].validator_key"},
      {[](Genesis& g) { g.validators[2].node_key = g.validators[0].node_key; },
       "validators[2].node_key"},
      {[](Genesis& g) { g.validators[2].node_key = g.validators[2].validator_key; },
       "validators[2].node_key"},
      {[](Genesis& g) { g.validators[3].node_key = {}; }, "validators[3].node_key is all zero"},
      {[](Genesis& g) { g.accounts.push_back(g.accounts[0]); }, "accounts[3].address"},
      {[](Genesis& g) { g.accounts[1].address.bytes[0] = 7; }, "accounts[1].address"},
      {[](Genesis& g) { g.accounts[2].balance = std::numeric_limits<std::uint64_t>::max(); },
       "accounts[2].balance is 18446744073709551615"},
      {[](Genesis& g) {
         g.accounts.push_back({crypto::dev_account_address(0), 5});
       },
       "local- or dev-"},
      {[](Genesis& g) { g.submitters = {g.accounts[0].address}; }, "permissions.submit"},
      {[](Genesis& g) { g.submit_any = false; }, "nobody could ever submit"},
      {[](Genesis& g) {
         g.submit_any = false;
         g.submitters = {g.accounts[0].address, g.accounts[0].address};
       },
       "permissions.submit[1]"},
  };
  for (const auto& [change, expected] : table) {
    INFO(expected);
    CHECK_THAT(verdict(change), Catch::Contains(expected));
  }
}

TEST_CASE("fewer than four validators need consent, dev accounts need a dev chain") {
  CHECK(verdict([](Genesis& g) { g.validators.resize(1); }, true) == "accepted");
  CHECK(verdict([](Genesis& g) { g.validators.clear(); }, true) != "accepted");
  for (const std::string name : {"local-1", "dev-net"}) {
    CHECK(verdict([&name](Genesis& g) {
            g.chain_name = name;
            g.accounts.push_back({crypto::dev_account_address(9), 5});
          }) == "accepted");
  }
}

TEST_CASE("everything but the P2P address is part of the identity") {
  const Digest before = chain_id(small_genesis());
  const std::vector<Change> changes = {
      [](Genesis& g) { g.chain_name += "x"; },
      [](Genesis& g) { g.genesis_time = g.genesis_time.next(); },
      [](Genesis& g) { g.consensus.engine = "pow"; },
      [](Genesis& g) { ++g.consensus.checkpoint_interval; },
      [](Genesis& g) { ++g.consensus.proposals_in_flight; },
      [](Genesis& g) { ++g.consensus.payload_bytes_max; },
      [](Genesis& g) { ++g.consensus.payload_transactions_max; },
      [](Genesis& g) { g.validators[0].name += "x"; },
      [](Genesis& g) { g.validators[0].node_key.bytes[0] ^= 1U; },
      [](Genesis& g) { std::swap(g.validators[0], g.validators[1]); },
      [](Genesis& g) { ++g.accounts[0].balance; },
      [](Genesis& g) { g.accounts.pop_back(); },
      [](Genesis& g) { g.submit_any = false; },
      [](Genesis& g) { g.submitters.push_back(g.accounts[0].address); },
  };
  std::set<Digest> seen = {before};
  for (const Change& change : changes) {
    Genesis genesis = small_genesis();
    change(genesis);
    CHECK(seen.insert(chain_id(genesis)).second);
  }
  // The configuration hash covers members and parameters, and nothing else.
  Genesis richer = small_genesis();
  ++richer.accounts[0].balance;
  CHECK(config_hash(richer) == config_hash(small_genesis()));
  Genesis renamed = small_genesis();
  renamed.validators[0].validator_key.bytes[0] ^= 1U;
  CHECK(config_hash(renamed) != config_hash(small_genesis()));
}

TEST_CASE("the membership of epoch 0 lists the validators in order") {
  const Genesis genesis = small_genesis();
  const crypto::Membership members = membership(genesis);
  CHECK(members.chain_id == chain_id(genesis));
  CHECK(members.config_hash == config_hash(genesis));
  CHECK(members.epoch == Epoch(0));
  REQUIRE(members.size() == 4);
  CHECK(members.key(ReplicaId(2)) == genesis.validators[2].validator_key);
}

}  // namespace quorate::ledger
