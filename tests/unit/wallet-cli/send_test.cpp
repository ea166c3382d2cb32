// `send` from the command's function down: every tick is a payment of its own.
#include <catch2/catch.hpp>
#include <future>
#include <set>

#include "rpc/json/fields.hpp"
#include "tests/unit/wallet-cli/paying_wallet.hpp"

namespace quorate::wallet {
namespace {

using namespace test;
using rpc::test::error_answer;

std::string id_of(const Outcome<Document>& sent) {
  INFO((sent ? "" : sent.error().message));
  REQUIRE(sent.has_value());
  return (*sent)["transaction_id"];
}

// Says a little less than the truth: the last nonce is still free, the last block is not there.
void repeat_the_past(ScriptedNode& node) {
  node.on("account_get", [](const Json&, const auto& honest) {
    Json answer = honest();
    auto& result = answer["result"];
    if (result["next_nonce"] > 1)
      result["next_nonce"] = result["next_nonce"].template get<int>() - 1;
    if (result["height"] > 0) result["height"] = result["height"].template get<int>() - 1;
    return answer;
  });
}

}  // namespace

TEST_CASE("two payments that are alike are two payments") {
  FakeBackend backend(kAtOnce);
  const ScriptedNode node(backend);
  const PayingWallet paying(backend, {node.url()});
  CHECK(id_of(paying.send("25")) != id_of(paying.send("25")));
  CHECK(balance_of(backend, 1) == 1'000'050);
  CHECK(paying.book().undecided().empty());
  CHECK(paying.book().used() == 2);
}

TEST_CASE("a node that repeats the past does not get an old payment shown as a new one") {
  FakeBackend backend(kAtOnce);
  const FakeBackend before(kByHand);
  ScriptedNode liar(backend);
  repeat_the_past(liar);
  SECTION("it serves old proofs too") {
    liar.on("account_getProof", [&](const Json&, const auto&) {
      const auto proof = before.account_proof(crypto::dev_account_address(0), 0).value();
      return Json{{"result",
                   {{"proof", rpc::to_json(proof.proof)},
                    {"certificate", rpc::to_json(proof.certificate)}}}};
    });
  }
  SECTION("its proofs are of today") {}
  const PayingWallet paying(backend, {liar.url()});
  std::set<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.insert(id_of(paying.send("25")));
  CHECK(ids.size() == 3);
  CHECK(balance_of(backend, 1) == 1'000'075);
}

TEST_CASE(
    "a second wallet with the same key and an old node does not take over the first's payment") {
  FakeBackend backend(kAtOnce);
  ScriptedNode liar(backend);
  repeat_the_past(liar);
  liar.always("account_getProof", error_answer(-32002, "unavailable"));
  const PayingWallet first(backend, {liar.url()}), second(backend, {liar.url()});
  SendOptions options;
  options.valid_for = std::uint64_t{1} << 40U;  // so many payments to choose from
  id_of(first.send("25", options));
  const auto other = second.send("25", options);
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().exit == ExitCode::rejected);
  CHECK(other.error().reason == "nonce_too_low");
  CHECK(balance_of(backend, 1) == 1'000'025);
}

TEST_CASE("of what is only said the median counts: one node cannot make a payment wait for ever") {
  FakeBackend backend(kAtOnce);
  ScriptedNode liar(backend);
  const ScriptedNode honest(backend), other(backend);
  const auto claim = GENERATE(std::uint64_t{7}, std::uint64_t{5'000'000}, rpc::kJsonIntegerMax);
  liar.on("account_get", [claim](const Json&, const auto& honestly) {
    Json answer = honestly();
    answer["result"]["next_nonce"] = claim;
    return answer;
  });
  const PayingWallet paying(backend, {liar.url(), honest.url(), other.url()});
  CHECK_FALSE(id_of(paying.send("25")).empty());
  CHECK(paying.book().used() == 1);
  SECTION("alone, and beyond belief, it is told apart") {
    if (claim < 2'000'000) return;
    paying.use({liar.url()});
    const auto sent = paying.send("25");
    REQUIRE_FALSE(sent.has_value());
    CHECK(sent.error().exit == ExitCode::failed);
    CHECK_THAT(sent.error().message, Catch::Contains("nothing was sent"));
    CHECK(balance_of(backend, 1) == 1'000'025);
  }
}

TEST_CASE("sends at the same time are as many payments") {
  FakeBackend backend(kAtOnce);
  const ScriptedNode node(backend), other(backend);
  const PayingWallet paying(backend, {node.url(), other.url()});
  std::vector<std::future<Outcome<Document>>> sends;
  for (int i = 0; i < 6; ++i) {
    sends.push_back(std::async(std::launch::async, [&] { return paying.send("1"); }));
  }
  std::set<std::string> ids;
  for (auto& send : sends) ids.insert(id_of(send.get()));
  CHECK(ids.size() == 6);
  CHECK(balance_of(backend, 1) == 1'000'006);
}

TEST_CASE("a payment that nobody knows any more gives its nonce to the next") {
  FakeBackend backend(kAtOnce);
  const ScriptedNode node(backend);
  const PayingWallet paying(backend, {node.url()});
  {
    PaymentBook book = paying.book();
    book.add({1, Digest{}, 1000});
    REQUIRE(book.save().has_value());
  }
  id_of(paying.send("25"));
  CHECK(paying.book().used() == 1);
  CHECK(paying.book().undecided().empty());
}

TEST_CASE("a payment that waits at one node alone keeps its nonce") {
  FakeBackend ahead(kByHand), behind(kByHand);
  const ScriptedNode one(ahead), two(behind), three(behind);
  const PayingWallet paying(ahead, {one.url(), two.url(), three.url()});
  const Payment waiting = payment(ahead, 1, 25);
  ahead.submit({ledger::encode(waiting.transaction)}, [](const auto&) {});
  PaymentBook book = paying.book();
  book.add({1, waiting.id, 0});
  Network network = paying.network();
  std::vector<std::string> notes;
  const auto next = sign_payment(network, book, paying.alice, {crypto::dev_account_address(1), 25},
                                 [&](const std::string& line) { notes.push_back(line); });
  REQUIRE(next.has_value());
  CHECK(next->transaction.transaction.nonce == 2);
  REQUIRE(notes.size() == 1);
  CHECK_THAT(notes[0], Catch::Contains(to_0x(waiting.id) + " is not final yet"));
}

TEST_CASE("what was refused gives its nonce back") {
  FakeBackend backend(kAtOnce);
  const ScriptedNode node(backend);
  const PayingWallet paying(backend, {node.url()});
  const auto refused = paying.send("9999999");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().exit == ExitCode::rejected);
  CHECK(paying.book().undecided().empty());
  id_of(paying.send("25"));
  CHECK(paying.book().used() == 1);
}

TEST_CASE("the same bytes are not signed twice while they are under way") {
  FakeBackend backend(kByHand);
  const ScriptedNode node(backend);
  const PayingWallet paying(backend, {node.url()});
  PaymentBook book = paying.book();
  Network network = paying.network();
  const auto ignore = [](const std::string&) {};
  const PaymentOrder order = {crypto::dev_account_address(1), 25, "", 0, 5};
  REQUIRE(sign_payment(network, book, paying.alice, order, ignore).has_value());
  const auto again = sign_payment(network, book, paying.alice, order, ignore);
  REQUIRE_FALSE(again.has_value());
  CHECK_THAT(again.error().message, Catch::Contains("was sent before and is not decided yet"));
  CHECK(book.undecided().size() == 1);
}

TEST_CASE("expiry is drawn between half of what is asked for and all of it") {
  FakeBackend backend(kByHand);
  backend.make_blocks(3);
  const ScriptedNode node(backend);
  const PayingWallet paying(backend, {node.url()});
  PaymentBook book = paying.book();
  Network network = paying.network();
  std::set<std::uint64_t> drawn;
  for (int i = 0; i < 12; ++i) {
    const auto signed_one =
        sign_payment(network, book, paying.alice, {crypto::dev_account_address(1), 25, "", 1000, 1},
                     [](const std::string&) {});
    REQUIRE(signed_one.has_value());
    const std::uint64_t last = signed_one->transaction.transaction.valid_until_height;
    CHECK(last >= 503);
    CHECK(last <= 1003);
    drawn.insert(last);
  }
  CHECK(drawn.size() == 12);
}

TEST_CASE("a height that is only claimed decides nothing: the proved one does") {
  FakeBackend backend(kAtOnce);
  ScriptedNode liar(backend);
  liar.on("account_get", [](const Json&, const auto& honest) {
    Json out = honest();
    out["result"]["height"] = rpc::kJsonIntegerMax;
    return out;
  });
  const PayingWallet paying(backend, {liar.url()});
  std::set<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.insert(id_of(paying.send("25")));
  CHECK(ids.size() == 3);
}

TEST_CASE("a dry run notes nothing and sends nothing") {
  FakeBackend backend(kAtOnce);
  const ScriptedNode node(backend);
  PayingWallet paying(backend, {node.url()});
  paying.wallet.options.dry_run = true;
  const auto checked = paying.send("25");
  REQUIRE(checked.has_value());
  CHECK((*checked)["status"] == "checked");
  CHECK((*checked)["signed_transaction"].get<std::string>().size() > 200);
  CHECK_FALSE(std::filesystem::exists(paying.wallet.home.payments));
  CHECK(balance_of(backend, 1) == 1'000'000);
}

TEST_CASE("a balance that is older than what was seen says so") {
  FakeBackend backend(kAtOnce), behind(kByHand);
  const ScriptedNode node(backend), old(behind);
  const PayingWallet paying(backend, {old.url(), node.url()});
  id_of(paying.send("25"));
  // The node that is behind is asked first, and does not decide.
  const auto balance = run_balance(paying.wallet, {"bob"});
  REQUIRE(balance.has_value());
  CHECK((*balance)["items"][0]["balance"] == "1000025");
  CHECK_FALSE((*balance)["items"][0].contains("newest_height_seen"));
  paying.use({old.url()});
  const auto old_balance = run_balance(paying.wallet, {"bob"});
  REQUIRE(old_balance.has_value());
  CHECK((*old_balance)["items"][0]["height"] == 0);
  CHECK((*old_balance)["items"][0]["newest_height_seen"] == 1);
}

TEST_CASE("under proof of work two payments that are alike are two payments") {
  // Long ago, since the wallet does not take headers from the future.
  FakeBackend backend({.threaded = false, .work = true, .genesis_ms = 1'700'000'000'000});
  ScriptedNode node(backend);
  // A block for every look that somebody takes.
  node.on("tx_get", [&](const Json&, const auto& honest) {
    backend.make_block();
    return honest();
  });
  const PayingWallet paying(backend, {node.url()});
  CHECK(id_of(paying.send("25")) != id_of(paying.send("25")));
  backend.make_blocks(rpc::test::kFakeDepth);
  CHECK(balance_of(backend, 1) == 1'000'050);
  CHECK(paying.book().used() == 2);
}

}  // namespace quorate::wallet
