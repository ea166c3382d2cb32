#include "ledger/state_machine.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <random>

#include "tests/unit/ledger/fixture.hpp"

namespace quorate::ledger {
namespace {

using namespace test;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

struct Run {
  explicit Run(Genesis g = small_genesis()) : genesis(std::move(g)), machine(genesis) {
    last = machine.genesis_block();
  }
  const Digest& id() const { return machine.chain_id(); }
  const std::vector<Receipt>& execute(const std::vector<TransactionPtr>& transactions,
                                      WallMs proposed = WallMs(0)) {
    const BlockInput input{last.header.height.next(), Digest{}, proposed, PublicKey{},
                           transactions};
    last = machine.execute(last.header, last.state, input);
    return last.receipts;
  }
  Receipt one(const TransactionPtr& transaction) { return execute({transaction}).front(); }
  std::optional<Account> account(const std::string& name) const {
    return last.state.account(address(name));
  }

  Genesis genesis;
  StateMachine machine;
  BlockOutcome last;
};

Receipt receipt(const TransactionPtr& transaction, Outcome outcome, Reason reason,
                std::uint8_t failed_operation = 0) {
  return {transaction->id, outcome, reason, failed_operation};
}

}  // namespace

TEST_CASE("a transfer moves money and counts the nonce") {
  Run run;
  const auto pay = transfer(run.id(), "anna", 1, "ben", 25);
  CHECK(run.one(pay) == receipt(pay, Outcome::succeeded, Reason::none));
  CHECK(run.account("anna") == Account{975, 1});
  CHECK(run.account("ben") == Account{525, 0});
}

TEST_CASE("a transfer to an unknown address creates the account, which can then send") {
  Run run;
  run.one(transfer(run.id(), "anna", 1, "dora", 25));
  CHECK(run.account("dora") == Account{25, 0});
  run.one(transfer(run.id(), "dora", 1, "ben", 25));
  CHECK(run.account("dora") == Account{0, 1});
}

TEST_CASE("a transfer to oneself changes the nonce alone") {
  Run run;
  run.one(transfer(run.id(), "anna", 1, "anna", 1000));
  CHECK(run.account("anna") == Account{1000, 1});
  const auto more = transfer(run.id(), "anna", 2, "anna", 1001);
  CHECK(run.one(more) == receipt(more, Outcome::failed, Reason::insufficient_funds));
  CHECK(run.account("anna") == Account{1000, 2});
}

TEST_CASE("a failing operation consumes the nonce, undoes the others and is named") {
  Run run;
  const auto pay = transaction(run.id(), "anna", 1,
                               {Transfer{address("ben"), 600}, Transfer{address("dora"), 1},
                                Transfer{address("cleo"), 600}});
  CHECK(run.one(pay) == receipt(pay, Outcome::failed, Reason::insufficient_funds, 2));
  CHECK(run.account("anna") == Account{1000, 1});
  CHECK(run.account("ben") == Account{500, 0});
  CHECK(run.account("cleo") == Account{0, 0});
  CHECK_FALSE(run.account("dora").has_value());
  const auto next = transfer(run.id(), "anna", 2, "ben", 1);
  CHECK(run.one(next).outcome == Outcome::succeeded);
}

TEST_CASE("operations of one transaction see each other") {
  Run run;
  const auto pay = transaction(run.id(), "anna", 1,
                               {Transfer{address("anna"), 1000}, Transfer{address("ben"), 999},
                                Transfer{address("dora"), 1}});
  CHECK(run.one(pay).outcome == Outcome::succeeded);
  CHECK(run.account("anna") == Account{0, 1});
  CHECK(run.account("dora") == Account{1, 0});
}

TEST_CASE("a balance above the range fails instead of wrapping") {
  // Impossible while the sum of balances fits, which the genesis rules see to.
  Genesis genesis = small_genesis();
  genesis.accounts.push_back({address("rich"), kMax});
  Run run(genesis);
  const auto pay = transfer(run.id(), "anna", 1, "rich", 1);
  CHECK(run.one(pay) == receipt(pay, Outcome::failed, Reason::balance_overflow));
  CHECK(run.account("rich") == Account{kMax, 0});
  CHECK(run.account("anna") == Account{1000, 1});
}

TEST_CASE("what cannot execute is skipped and changes nothing") {
  Run run;
  run.one(transfer(run.id(), "anna", 1, "ben", 1));  // height 1
  const Digest root = run.last.state.root();
  const auto skipped = [&](const TransactionPtr& transaction, Reason reason) {
    const bool as_said = run.one(transaction) == receipt(transaction, Outcome::skipped, reason);
    return as_said && run.last.state.root() == root && run.last.changes.empty();
  };
  CHECK(skipped(transfer(run.id(), "anna", 1, "ben", 1), Reason::nonce_too_low));
  CHECK(skipped(transfer(run.id(), "anna", 0, "ben", 1), Reason::nonce_too_low));
  CHECK(skipped(transfer(run.id(), "anna", 3, "ben", 1), Reason::nonce_too_high));
  CHECK(skipped(transfer(run.id(), "anna", kMax, "ben", 1), Reason::nonce_too_high));
  CHECK(skipped(transfer(run.id(), "dora", 1, "ben", 1), Reason::unknown_sender));
  // Height 7 by now.
  CHECK(run.last.header.height == Height(6));
  CHECK(skipped(transfer(run.id(), "anna", 2, "ben", 1, {6, ""}), Reason::expired));
  // Expiry is told first: it is final, the other reasons may pass.
  CHECK(skipped(transfer(run.id(), "dora", 9, "ben", 1, {1, ""}), Reason::expired));
}

TEST_CASE("valid_until_height is inclusive") {
  Run run;
  run.execute({});
  const auto last_chance = transfer(run.id(), "anna", 1, "ben", 1, {2, ""});
  CHECK(run.one(last_chance).outcome == Outcome::succeeded);
}

TEST_CASE("a transaction twice in a payload executes once") {
  Run run;
  const auto pay = transfer(run.id(), "anna", 1, "ben", 10);
  const auto receipts = run.execute({pay, pay, pay});
  CHECK(receipts[0] == receipt(pay, Outcome::succeeded, Reason::none));
  CHECK(receipts[1] == receipt(pay, Outcome::skipped, Reason::duplicate));
  CHECK(receipts[2] == receipt(pay, Outcome::skipped, Reason::duplicate));
  CHECK(run.account("ben") == Account{510, 0});
  // In a later block its nonce is used.
  CHECK(run.one(pay) == receipt(pay, Outcome::skipped, Reason::nonce_too_low));

  // A second copy is a duplicate even where the first one came too early.
  const auto first = transfer(run.id(), "ben", 1, "anna", 1);
  const auto second = transfer(run.id(), "ben", 2, "anna", 1);
  const auto order = run.execute({second, first, second});
  CHECK(order[0] == receipt(second, Outcome::skipped, Reason::nonce_too_high));
  CHECK(order[1] == receipt(first, Outcome::succeeded, Reason::none));
  CHECK(order[2] == receipt(second, Outcome::skipped, Reason::duplicate));
}

TEST_CASE("two transactions with one nonce: the first one counts") {
  Run run;
  const auto a = transfer(run.id(), "anna", 1, "ben", 10);
  const auto b = transfer(run.id(), "anna", 1, "cleo", 10);
  const auto receipts = run.execute({a, b});
  CHECK(receipts[0].outcome == Outcome::succeeded);
  CHECK(receipts[1] == receipt(b, Outcome::skipped, Reason::nonce_too_low));
}

TEST_CASE("where the genesis lists submitters, others are skipped") {
  Genesis genesis = small_genesis();
  genesis.submit_any = false;
  genesis.submitters = {address("ben")};
  Run run(genesis);
  const auto anna = transfer(run.id(), "anna", 1, "ben", 10);
  const auto ben = transfer(run.id(), "ben", 1, "anna", 10);
  const auto dora = transfer(run.id(), "dora", 1, "anna", 10);
  const auto receipts = run.execute({anna, ben, dora});
  CHECK(receipts[0] == receipt(anna, Outcome::skipped, Reason::not_permitted));
  CHECK(receipts[1] == receipt(ben, Outcome::succeeded, Reason::none));
  CHECK(receipts[2] == receipt(dora, Outcome::skipped, Reason::not_permitted));
  CHECK(run.account("anna") == Account{1010, 0});
}

TEST_CASE("block time never falls behind and never stands still") {
  Run run;
  const std::uint64_t start = run.genesis.genesis_time.value();
  run.execute({}, WallMs(start + 500));
  CHECK(run.last.header.time == WallMs(start + 500));
  run.execute({}, WallMs(start + 500));
  CHECK(run.last.header.time == WallMs(start + 501));
  run.execute({}, WallMs(0));
  CHECK(run.last.header.time == WallMs(start + 502));
  run.execute({}, WallMs(kMax));
  run.execute({}, WallMs(5));
  CHECK(run.last.header.time == WallMs(kMax));
}

TEST_CASE("the header links, commits to the payload and carries the configuration") {
  Run run;
  const Digest genesis_hash = run.last.block_hash;
  const auto pay = transfer(run.id(), "anna", 1, "ben", 10);
  run.execute({pay});
  const Header& header = run.last.header;
  CHECK(header.parent_hash == genesis_hash);
  CHECK(header.transactions_root == merkle_root({pay->id}));
  CHECK(header.receipts_root == merkle_root({receipt_leaf(run.last.receipts[0])}));
  CHECK(header.state_root == run.last.state.root());
  CHECK(header.config_hash == config_hash(run.genesis));
  CHECK(header.next_config_hash == config_hash(run.genesis));
  CHECK(run.last.block_hash == block_hash(header));
}

TEST_CASE("random payloads conserve the total, use each nonce once and execute equally twice") {
  const std::vector<std::string> names = {"anna", "ben", "cleo", "dora", "eva", "finn"};
  std::mt19937_64 random(11);
  Run run;
  Run again;
  std::map<std::string, std::uint64_t> nonces;
  std::vector<TransactionPtr> old;
  for (int block = 0; block < 40; ++block) {
    std::vector<TransactionPtr> payload;
    for (std::uint64_t i = random() % 8; i > 0; --i) {
      const std::string& from = names[random() % names.size()];
      const std::uint64_t nonce = nonces[from] + random() % 3;
      std::vector<Operation> operations;
      for (std::uint64_t o = 1 + random() % 3; o > 0; --o) {
        operations.push_back(Transfer{address(names[random() % names.size()]), 1 + random() % 400});
      }
      payload.push_back(transaction(run.id(), from, nonce, operations));
      if (!old.empty() && random() % 4 == 0) payload.push_back(old[random() % old.size()]);
    }
    run.execute(payload);
    again.execute(payload);
    REQUIRE(run.last.header == again.last.header);
    std::uint64_t total = 0;
    for (const std::string& name : names) {
      const Account account = run.account(name).value_or(Account{});
      total += account.balance;
      std::uint64_t executed = 0;
      for (std::size_t i = 0; i < payload.size(); ++i) {
        if (payload[i]->sender == address(name) &&
            run.last.receipts[i].outcome != Outcome::skipped) {
          ++executed;
        }
      }
      REQUIRE(account.nonce == nonces[name] + executed);
      nonces[name] = account.nonce;
    }
    REQUIRE(total == 1500);
    old.insert(old.end(), payload.begin(), payload.end());
  }
}

}  // namespace quorate::ledger
