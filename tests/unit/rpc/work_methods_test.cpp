// What the methods answer on a chain that is ordered by proof of work.
#include "crypto/work/reversal.hpp"
#include "rpc/methods/views_json.hpp"
#include "tests/unit/rpc/dispatcher_fixture.hpp"

using namespace quorate;
using namespace quorate::rpc;
using quorate::rpc::test::FakeBackend;
using quorate::rpc::test::kFakeDepth;

namespace work_methods_test {
namespace {

struct Fixture : quorate::rpc::test::DispatcherFixture {
  Fixture() : DispatcherFixture({.threaded = false, .commit_at_once = false, .work = true}) {}

  Json submitted(std::uint64_t nonce = 1) {
    return {{"transaction_id",
             result("tx_submit",
                    {{"tx", to_0x(backend.transfer(0, nonce, 1, 25))}})["transaction_id"]}};
  }
};

}  // namespace

TEST_CASE("a transaction is included with its depth, then final, and never certain") {
  Fixture fixture;
  Json params = fixture.submitted();
  CHECK(fixture.result("tx_get", params)["status"] == "pending");
  CHECK_FALSE(fixture.result("tx_get", params).contains("depth"));
  fixture.backend.make_block();
  const Json included = fixture.result("tx_get", params);
  CHECK(included["status"] == "included");
  CHECK(included["height"] == 1);
  CHECK(included["depth"] == 1);
  CHECK(included["commit_depth"] == kFakeDepth);
  CHECK(included["receipt"].is_null());
  CHECK(included["reversal"]["attacker_share"] == 0.1);
  CHECK(included["reversal"]["exact"] == Approx(0.2));
  CHECK(included["reversal"]["nakamoto"] == Approx(0.2045873));

  fixture.backend.make_block();
  params["attacker_share"] = 0.3;
  const Json final = fixture.result("tx_get", params);
  CHECK(final["status"] == "final");
  CHECK(final["depth"] == 2);
  CHECK(final["block_id"] == included["block_id"]);
  CHECK(final["receipt"]["outcome"] == "succeeded");
  CHECK(final["reversal"]["exact"] == crypto::work::reversal_probability(0.3, 2));
  CHECK(final["reversal"]["exact"].get<double>() > 0.3);
}

TEST_CASE("what is never executed says by which block that was so, and what that is worth") {
  TransactionView view;
  view.status = TransactionStatus::reversed;
  view.reason = ledger::Reason::nonce_too_low;
  view.withdrawn_from = Height(62);
  Digest block_id;
  block_id.bytes[0] = 9;
  view.decided = TransactionView::Placement{Height(57), block_id, 6};
  const Json json =
      to_json(view, EngineView{.commit_depth = 6, .proved_by = consensus::ProvedBy::work}, 0.3);
  CHECK(json["status"] == "reversed");
  CHECK(json["reason"] == "nonce_too_low");
  CHECK(json["withdrawn_from"] == 62);
  CHECK(json["height"].is_null());
  CHECK(json["decided_at"] == 57);
  CHECK(json["block_id"] == to_0x(block_id));
  CHECK(json["depth"] == 6);
  CHECK(json["commit_depth"] == 6);
  CHECK(json["reversal"]["exact"] == crypto::work::reversal_probability(0.3, 6));
}

TEST_CASE("the attacker's share is a number from 0 to a half") {
  Fixture fixture;
  Json params = fixture.submitted();
  fixture.backend.make_block();
  for (const Json& bad : {Json(0.51), Json(-0.1), Json("0.1"), Json(1)}) {
    params["attacker_share"] = bad;
    const Json error = fixture.error("tx_get", params, -32602, "invalid_params");
    CHECK(error["data"]["parameter"] == "attacker_share");
  }
  params["attacker_share"] = 0.5;
  CHECK(fixture.result("tx_get", params)["reversal"]["exact"] == 1.0);
  params["attacker_share"] = 0;
  CHECK(fixture.result("tx_get", params)["reversal"]["exact"] == 0.0);
}

TEST_CASE("a wait that is over tells how deep the transaction is") {
  Fixture fixture;
  const std::string tx = to_0x(fixture.backend.transfer(0, 1, 1, 25));
  fixture.result("tx_submit", {{"tx", tx}});
  fixture.backend.make_block();
  // The same bytes again: waiting goes on where it was.
  const Json waited = fixture.call("tx_submitAndWait", {{"tx", tx}, {"attacker_share", 0.2}});
  REQUIRE(waited.contains("error"));
  CHECK(waited["error"]["data"]["status"] == "included");
  CHECK(waited["error"]["data"]["depth"] == 1);
  CHECK(waited["error"]["data"]["reversal"]["exact"] == Approx(0.4));
  fixture.backend.make_block();
  const Json final = fixture.result("tx_submitAndWait", {{"tx", tx}});
  CHECK(final["status"] == "final");
  CHECK(final["depth"] == 2);
}

TEST_CASE("status and state show the branch instead of views and seals") {
  Fixture fixture;
  fixture.backend.make_blocks(3);
  const Json status = fixture.result("chain_getStatus", Json::array());
  CHECK(status["height"] == 2);
  CHECK(status["certified_height"] == 2);
  CHECK(status["branch"]["tip"] == 3);
  CHECK(status["branch"]["expected_hashes"] == 2);
  CHECK(status["engine_traits"]["commit_depth"] == kFakeDepth);
  CHECK(status["engine_traits"]["seals"] == false);
  const Json state = fixture.result("consensus_getState", Json::array());
  CHECK(state["branch"] == status["branch"]);
  for (const char* name : {"view", "primary", "quorum", "sealed_to", "suspects"}) {
    CHECK_FALSE(state.contains(name));
  }
}

TEST_CASE("an engine that seals says nothing of work") {
  quorate::rpc::test::DispatcherFixture fixture;
  fixture.backend.make_block();
  const Json status = fixture.result("chain_getStatus", Json::array());
  CHECK_FALSE(status.contains("branch"));
  CHECK_FALSE(status.contains("engine_traits"));
  CHECK(fixture.result("consensus_getState", Json::array()).contains("view"));
  const Json error = fixture.error("chain_getWorkHeaders", Json::object(), -32004, "not_supported");
  CHECK(error["data"]["hint"].get<std::string>().find("chain_getBlockCertificate") !=
        std::string::npos);
}

TEST_CASE("work headers come page by page up to the tip") {
  Fixture fixture;
  fixture.backend.make_blocks(5);
  std::vector<std::string> headers;
  Json params = {{"limit", 2}};
  do {
    const Json page = fixture.result("chain_getWorkHeaders", params);
    CHECK(page["tip"] == 5);
    CHECK(page["from_height"] == headers.size() + 1);
    for (const Json& item : page["items"]) headers.push_back(item);
    params["from"] = page["next_cursor"];
  } while (!params["from"].is_null());
  CHECK(headers.size() == 5);
  CHECK(headers.back().size() == 2 + 2 * crypto::work::kHeaderSize);
  const Json beyond = fixture.result("chain_getWorkHeaders", {{"from", 6}});
  CHECK(beyond["items"].empty());
  CHECK(beyond["next_cursor"].is_null());
  fixture.error("chain_getWorkHeaders", {{"from", 0}}, -32602, "invalid_params");
  fixture.error("chain_getWorkHeaders", {{"limit", 0}}, -32602, "invalid_params");
  fixture.error("chain_getWorkHeaders", {{"limit", 1001}}, -32602, "invalid_params");
}

TEST_CASE("there are no block certificates, and the error says what to ask instead") {
  Fixture fixture;
  fixture.backend.make_blocks(3);
  const Json error =
      fixture.error("chain_getBlockCertificate", Json::object(), -32004, "not_supported");
  CHECK(error["data"]["hint"].get<std::string>().find("chain_getWorkHeaders") != std::string::npos);
}

TEST_CASE("a proof by work says which work headers carry it") {
  Fixture fixture;
  const Json params = fixture.submitted();
  fixture.backend.make_blocks(kFakeDepth + 1);
  fixture.error("tx_getProof", params, -32002, "unavailable");
  fixture.backend.make_blocks(3);
  const Json proof = fixture.result("tx_getProof", params);
  CHECK_FALSE(proof.contains("certificate"));
  CHECK(proof["work"]["from_height"] == 1 + kFakeDepth + 1);
  CHECK(proof["work"]["block_ids"].size() == 3);
  REQUIRE(proof["headers"].size() == 3);
  CHECK(proof["headers"][0]["height"] == 1);
  const Json account = fixture.result(
      "account_getProof",
      {{"address", crypto::to_text(crypto::dev_account_address(0))}, {"carriers", 2}});
  CHECK_FALSE(account.contains("certificate"));
  CHECK(account["headers"].size() == account["work"]["block_ids"].size());
}

}  // namespace work_methods_test
