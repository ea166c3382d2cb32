// How a payment becomes final, and what is not taken for that: with nodes that are gone, behind,
// or lie.
#include "wallet-cli/submission.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/wallet-cli/paying_wallet.hpp"

namespace quorate::wallet {
namespace {

using namespace test;
using rpc::test::error_answer;
using std::chrono::milliseconds;

// Nobody listens there.
std::string gone() {
  FakeBackend backend(kByHand);
  return ScriptedNode(backend).url();
}

Outcome<FinalTransaction> submit(const PayingWallet& paying, const Payment& payment,
                                 milliseconds timeout = std::chrono::seconds(20)) {
  Network network = paying.network();
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  return submit_until_final(network, *chain, payment, timeout);
}

}  // namespace

TEST_CASE("a payment is final when the proof of its receipt holds") {
  FakeBackend backend(kAtOnce);
  const ScriptedNode node(backend);
  const PayingWallet paying(backend, {node.url()});
  const Payment once = payment(backend, 1, 25);
  const auto final = submit(paying, once);
  REQUIRE(final.has_value());
  CHECK(final->proved.receipt.transaction_id == once.id);
  CHECK(final->proved.height == Height(1));
  CHECK(final->proved.sealed.seals == 3);
  CHECK(final->url == node.url());
  CHECK(node.calls("tx_getProof") == 1);
}

TEST_CASE("the next node is asked when one is gone, is syncing or has no room") {
  FakeBackend backend(kAtOnce);
  ScriptedNode syncing(backend), full(backend);
  const ScriptedNode good(backend);
  syncing.always("tx_submitAndWait", error_answer(-32002, "unavailable"));
  full.always("tx_submitAndWait", error_answer(-32011, "mempool_full"));
  const PayingWallet paying(backend, {gone(), syncing.url(), full.url(), good.url()});
  const auto final = submit(paying, payment(backend, 1, 25));
  REQUIRE(final.has_value());
  CHECK(final->url == good.url());
  CHECK(syncing.calls("tx_submitAndWait") == 1);
  CHECK(full.calls("tx_submitAndWait") == 1);
}

TEST_CASE("with every node gone it is unreachable, and not after the whole time") {
  FakeBackend backend(kAtOnce);
  const PayingWallet paying(backend, {gone(), gone()});
  const auto start = std::chrono::steady_clock::now();
  const auto final = submit(paying, payment(backend, 1, 25));
  REQUIRE_FALSE(final.has_value());
  CHECK(final.error().exit == ExitCode::unreachable);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("time that runs out says why, and with which id to ask") {
  FakeBackend backend(kByHand);
  ScriptedNode node(backend);
  node.always("tx_submitAndWait", error_answer(-32010, "commit_timeout"));
  const PayingWallet paying(backend, {node.url()});
  SECTION("the network does not go on") {
    backend.set_not_ready("2 of 4 peers connected");
    const Payment waiting = payment(backend, 1, 25);
    const auto final = submit(paying, waiting, milliseconds(250));
    REQUIRE_FALSE(final.has_value());
    CHECK(final.error().exit == ExitCode::timed_out);
    CHECK_THAT(final.error().message, Catch::Contains("2 of 4 peers connected"));
    CHECK_THAT(final.error().hint, Catch::Contains(to_0x(waiting.id)));
    CHECK_THAT(final.error().data, Catch::Contains(to_0x(waiting.id)));
  }
  SECTION("a nonce before it is missing") {
    const auto final = submit(paying, payment(backend, 3, 25), milliseconds(250));
    REQUIRE_FALSE(final.has_value());
    CHECK(final.error().exit == ExitCode::timed_out);
    CHECK_THAT(final.error().message, Catch::Contains("nonce 1 of this account has not been used"));
  }
  SECTION("both") {
    backend.set_not_ready("2 of 4 peers connected");
    const auto final = submit(paying, payment(backend, 3, 25), milliseconds(250));
    REQUIRE_FALSE(final.has_value());
    CHECK_THAT(final.error().message,
               Catch::Contains("2 of 4 peers connected; and it has nonce 3"));
  }
}

TEST_CASE("a payment that got through although nobody said so is final") {
  FakeBackend backend(kByHand);
  ScriptedNode node(backend);
  const Payment paid = payment(backend, 1, 25);
  backend.submit({ledger::encode(paid.transaction)}, [](const auto&) {});
  backend.make_block();
  const PayingWallet paying(backend, {node.url()});
  SECTION("the node calls it a replay") {
    node.always("tx_submitAndWait", error_answer(-32003, "nonce_too_low"));
    CHECK(submit(paying, paid).has_value());
  }
  SECTION("the node keeps saying that it is not final yet") {
    node.always("tx_submitAndWait", error_answer(-32010, "commit_timeout"));
    CHECK(submit(paying, paid, milliseconds(250)).has_value());
  }
}

TEST_CASE("a refusal ends it at once, with the node's reason") {
  FakeBackend backend(kAtOnce);
  const ScriptedNode node(backend);
  const PayingWallet paying(backend, {node.url()});
  const auto final = submit(paying, payment(backend, 1, 9'999'999));
  REQUIRE_FALSE(final.has_value());
  CHECK(final.error().exit == ExitCode::rejected);
  CHECK(final.error().reason == "insufficient_funds");
  CHECK(node.calls("tx_submitAndWait") == 1);
}

TEST_CASE("one node's refusal says nothing: it may be behind, or pass the payment on") {
  FakeBackend backend(kAtOnce);
  ScriptedNode liar(backend);
  const ScriptedNode honest(backend);
  const auto refusal = error_answer(-32003, "insufficient_funds");
  liar.on("tx_submitAndWait", [&](const auto&, const auto& pass_on) {
    pass_on();
    return refusal;
  });
  liar.always("tx_getProof", error_answer(-32004, "not_found"));
  const PayingWallet paying(backend, {liar.url(), honest.url()});
  const auto final = submit(paying, payment(backend, 1, 25));
  REQUIRE(final.has_value());
  CHECK(final->url == honest.url());
}

TEST_CASE("more refusals than nodes may lie end it, whoever else hangs") {
  FakeBackend backend(kAtOnce);
  const ScriptedNode first(backend), second(backend), third(backend);
  const PayingWallet paying(backend, {first.url(), second.url(), third.url()});
  const auto final = submit(paying, payment(backend, 1, 9'999'999));
  REQUIRE_FALSE(final.has_value());
  CHECK(final.error().exit == ExitCode::rejected);
  CHECK(first.calls("tx_submitAndWait") + second.calls("tx_submitAndWait") == 2);
  CHECK(third.calls("tx_submitAndWait") == 0);
}

TEST_CASE("what a node may have taken is neither refused nor unreachable") {
  FakeBackend backend(kByHand);
  ScriptedNode node(backend);
  std::vector<std::string> urls;
  SECTION("by a node that refuses it later") {
    node.always("tx_submitAndWait", error_answer(-32003, "insufficient_funds"));
    urls = {node.url()};
  }
  SECTION("by a node that is gone since") { urls = {gone()}; }
  SECTION("by a node that is gone, and another one refuses it") {
    node.always("tx_submitAndWait", error_answer(-32003, "insufficient_funds"));
    urls = {gone(), node.url()};
  }
  Payment taken = payment(backend, 1, 25);
  taken.maybe_taken = true;
  const auto final = submit(PayingWallet(backend, urls), taken, milliseconds(250));
  REQUIRE_FALSE(final.has_value());
  CHECK(final.error().exit == ExitCode::timed_out);
  CHECK_THAT(final.error().hint, Catch::Contains(to_0x(taken.id)));
  CHECK(node.calls("tx_submitAndWait") <= 3);  // with a pause in between
}

TEST_CASE("what was taken and is refused by every node since is refused") {
  FakeBackend backend(kByHand);
  ScriptedNode one(backend), other(backend);
  for (ScriptedNode* node : {&one, &other}) {
    node->always("tx_submitAndWait", error_answer(-32003, "nonce_too_low"));
  }
  Payment taken = payment(backend, 1, 25);
  taken.maybe_taken = true;
  const auto final = submit(PayingWallet(backend, {one.url(), other.url()}), taken);
  REQUIRE_FALSE(final.has_value());
  CHECK(final.error().exit == ExitCode::rejected);
  CHECK(final.error().reason == "nonce_too_low");
}

TEST_CASE("a proved failure is a rejection, never a success") {
  FakeBackend backend(kByHand);
  const ScriptedNode node(backend);
  // Either could be paid, but not both.
  backend.submit({backend.transfer(0, 1, 2, 700'000)}, [](const auto&) {});
  const Payment too_much = payment(backend, 2, 700'000);
  backend.submit({ledger::encode(too_much.transaction)}, [](const auto&) {});
  backend.make_block();
  const auto final = submit(PayingWallet(backend, {node.url()}), too_much);
  REQUIRE_FALSE(final.has_value());
  CHECK(final.error().exit == ExitCode::rejected);
  CHECK(final.error().reason == "insufficient_funds");
  CHECK_THAT(final.error().message, Catch::Contains("final in block 1 and had no effect"));
}

TEST_CASE("a proof that does not hold proves nothing, and another node decides") {
  FakeBackend backend(kAtOnce);
  ScriptedNode liar(backend);
  std::string what, expected;
  std::tie(what, expected) = GENERATE(table<std::string, std::string>(
      {{"skipped", "skipped"}, {"failed", "does not stand under the block's receipts root"}}));
  liar.on("tx_getProof", [what](const Json&, const auto& honest) {
    Json answer = honest();
    answer["result"]["receipt"]["outcome"] = what;
    answer["result"]["receipt"]["reason"] = what == "skipped" ? "duplicate" : "insufficient_funds";
    return answer;
  });
  const Payment paid = payment(backend, 1, 25);
  SECTION("with nobody else it fails, and says whom not to trust") {
    const auto final = submit(PayingWallet(backend, {liar.url()}), paid);
    REQUIRE_FALSE(final.has_value());
    CHECK(final.error().exit == ExitCode::failed);
    CHECK_THAT(final.error().message, Catch::Contains(expected));
    CHECK_THAT(final.error().message, Catch::Contains(liar.url()));
  }
  SECTION("with an honest node it is final") {
    const ScriptedNode honest(backend);
    const auto final = submit(PayingWallet(backend, {liar.url(), honest.url()}), paid);
    REQUIRE(final.has_value());
    CHECK(final->url == honest.url());
  }
}

TEST_CASE("the receipt of an earlier payment of the same bytes is not taken for this one's") {
  FakeBackend backend(kByHand);
  const ScriptedNode node(backend);
  const Payment earlier = payment(backend, 1, 25);
  backend.submit({ledger::encode(earlier.transaction)}, [](const auto&) {});
  backend.make_blocks(3);
  const auto final =
      submit(PayingWallet(backend, {node.url()}), payment(backend, 1, 25, Height(3)));
  REQUIRE_FALSE(final.has_value());
  CHECK(final.error().exit == ExitCode::failed);
  CHECK_THAT(final.error().message,
             Catch::Contains("was already final in block 1: nothing was sent"));
  // In a block that was not known to be final it may well be this one.
  CHECK(submit(PayingWallet(backend, {node.url()}), payment(backend, 1, 25)).has_value());
}

}  // namespace quorate::wallet
