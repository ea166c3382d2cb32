// A client that knows the genesis is handed proofs by a node that lies in every field it can.
#include "rpc/client/trusted_chain.hpp"

#include <catch2/catch.hpp>

#include "ledger/memory_store.hpp"
#include "tests/unit/ledger/fixture.hpp"

namespace quorate::rpc {
namespace {

using ledger::test::address;
using ledger::test::transfer;
using ledger::test::validator_key;

// One block: anna pays ben 25, ben pays more than he has. Sealed by validators 0, 1 and 3.
struct World {
  ledger::MemoryStore store;
  ledger::Genesis genesis = ledger::test::small_genesis();
  std::unique_ptr<ledger::Chain> chain;
  ledger::TransactionPtr paid, failed;
  ledger::ExecutedBlock block;
  TrustedChain trusted;

  World()
      : chain(std::move(*ledger::Chain::open(store, genesis))),
        trusted(*TrustedChain::from_genesis(genesis, ledger::chain_id(genesis))) {
    paid = transfer(chain->chain_id(), "anna", 1, "ben", 25);
    failed = transfer(chain->chain_id(), "ben", 1, "anna", 99'999);
    std::vector<ledger::OrderedBlock> blocks;
    blocks.push_back(ledger::test::ordered(Height(1), {paid, failed}));
    block = chain->execute(std::move(blocks))->at(0);
  }

  ledger::BlockCertificate certificate(const std::vector<std::uint32_t>& signers) const {
    return {block.header, ledger::test::seals_of(genesis, block.header, signers)};
  }

  Json proof(std::size_t index, const std::vector<std::uint32_t>& signers = {0, 1, 3}) const {
    std::vector<Digest> leaves;
    for (const ledger::Receipt& receipt : block.receipts) leaves.push_back(receipt_leaf(receipt));
    return {{"transaction_id", to_0x(block.receipts[index].transaction_id)},
            {"receipt", to_json(block.receipts[index])},
            {"path", to_json(ledger::merkle_prove(leaves, index))},
            {"headers", Json::array({to_json(block.header)})},
            {"certificate", to_json(certificate(signers))}};
  }

  Json account_proof(const std::string& name) const {
    return {{"proof", to_json(block.state->prove(address(name)))},
            {"certificate", to_json(certificate({0, 1, 3}))}};
  }
};

}  // namespace

TEST_CASE("a proved receipt says what happened, success or failure") {
  const World world;
  const auto paid = world.trusted.check_transaction_proof(world.proof(0), world.paid->id);
  REQUIRE(paid.has_value());
  CHECK(paid->receipt.outcome == ledger::Outcome::succeeded);
  CHECK(paid->height == Height(1));
  CHECK(paid->sealed.seals == 3);
  CHECK(paid->sealed.validators == 4);
  const auto failed = world.trusted.check_transaction_proof(world.proof(1), world.failed->id);
  REQUIRE(failed.has_value());
  CHECK(failed->receipt.outcome == ledger::Outcome::failed);
  CHECK(failed->receipt.reason == ledger::Reason::insufficient_funds);
}

TEST_CASE("a failed receipt cannot be passed off as a success") {
  const World world;
  Json lie = world.proof(1);
  lie["receipt"]["outcome"] = "succeeded";
  lie["receipt"]["reason"] = "none";
  CHECK_FALSE(world.trusted.check_transaction_proof(lie, world.failed->id).has_value());
}

TEST_CASE("a proof for another transaction is not taken") {
  const World world;
  const auto checked = world.trusted.check_transaction_proof(world.proof(0), world.failed->id);
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().code == Errc::conflict);
}

TEST_CASE("too few seals, a repeated seal and a stranger's seal prove nothing") {
  const World world;
  CHECK(
      world.trusted.check_transaction_proof(world.proof(0, {0, 1}), world.paid->id).error().code ==
      Errc::rejected);
  Json repeated = world.proof(0, {0, 1});
  repeated["certificate"]["seals"].push_back(repeated["certificate"]["seals"][1]);
  CHECK_FALSE(world.trusted.check_transaction_proof(repeated, world.paid->id).has_value());
  Json stranger = world.proof(0);
  stranger["certificate"]["seals"][2]["replica"] = 2;
  CHECK(world.trusted.check_transaction_proof(stranger, world.paid->id).error().code ==
        Errc::bad_signature);
}

TEST_CASE("every field of the header is under the seals") {
  const World world;
  const Json honest = world.proof(0);
  for (const auto& [name, value] : honest["headers"][0].items()) {
    Json lie = honest;
    Json& field = lie["headers"][0][name];
    if (value.is_number_unsigned()) {
      field = value.get<std::uint64_t>() + 1;
    } else if (value.is_string() && value.get<std::string>().starts_with("0x")) {
      std::string text = value;
      text.back() = text.back() == '0' ? '1' : '0';
      field = text;
    } else {
      continue;  // the readable time beside time_ms
    }
    lie["certificate"]["header"] = lie["headers"][0];
    INFO(name);
    const bool derived = name == "hash" || name == "block_hash";
    CHECK(world.trusted.check_transaction_proof(lie, world.paid->id).has_value() == derived);
  }
}

TEST_CASE("a moved path, a missing sibling and an unrelated certified header are refused") {
  const World world;
  Json moved = world.proof(0);
  moved["path"]["index"] = 1;
  CHECK_FALSE(world.trusted.check_transaction_proof(moved, world.paid->id).has_value());
  Json shortened = world.proof(0);
  shortened["path"]["siblings"] = Json::array();
  CHECK_FALSE(world.trusted.check_transaction_proof(shortened, world.paid->id).has_value());
  Json none = world.proof(0);
  none["headers"] = Json::array();
  CHECK_FALSE(world.trusted.check_transaction_proof(none, world.paid->id).has_value());
}

TEST_CASE("balances are proved, and so is that an account does not exist") {
  const World world;
  const auto ben = world.trusted.check_account_proof(world.account_proof("ben"), address("ben"));
  REQUIRE(ben.has_value());
  CHECK(ben->account == ledger::Account{525, 1});
  const auto dora = world.trusted.check_account_proof(world.account_proof("dora"), address("dora"));
  REQUIRE(dora.has_value());
  CHECK_FALSE(dora->account.has_value());
  CHECK_FALSE(
      world.trusted.check_account_proof(world.account_proof("ben"), address("anna")).has_value());
}

TEST_CASE("at genesis the balance comes from the client's own genesis, without seals") {
  const World world;
  const ledger::StateViewPtr state = *world.chain->state_at(Height(0));
  const ledger::BlockCertificate unsealed{*world.chain->header(Height(0)), {}};
  const Json answer = {{"proof", to_json(state->prove(address("anna")))},
                       {"certificate", to_json(unsealed)}};
  const auto anna = world.trusted.check_account_proof(answer, address("anna"));
  REQUIRE(anna.has_value());
  CHECK(anna->account == ledger::Account{1000, 0});
  const auto dora = world.trusted.check_account_proof(answer, address("dora"));
  REQUIRE(dora.has_value());
  CHECK_FALSE(dora->account.has_value());
}

TEST_CASE("a genesis that is not the pinned one is refused, naming both") {
  ledger::Genesis other = ledger::test::small_genesis();
  const Digest pinned = ledger::chain_id(other);
  other.accounts[0].balance += 1;
  const auto chain = TrustedChain::from_genesis(other, pinned);
  REQUIRE_FALSE(chain.has_value());
  CHECK(chain.error().detail.find(to_0x(pinned)) != std::string::npos);
  CHECK(chain.error().detail.find(to_0x(ledger::chain_id(other))) != std::string::npos);
}

}  // namespace quorate::rpc
