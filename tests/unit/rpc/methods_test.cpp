// What every method answers.
#include "ledger/types/block_certificate.hpp"
#include "rpc/json/fields.hpp"
#include "tests/unit/rpc/dispatcher_fixture.hpp"

using namespace quorate;
using namespace quorate::rpc;
using quorate::rpc::test::code_of;
using quorate::rpc::test::FakeBackend;
using Fixture = quorate::rpc::test::DispatcherFixture;

TEST_CASE("blocks by height, hash, latest and certified, whole or in part") {
  Fixture fixture;
  fixture.backend.submit({fixture.backend.transfer(0, 1, 1, 25)}, [](const auto&) {});
  fixture.backend.make_block();
  fixture.backend.make_unsealed_block();
  CHECK(fixture.result("chain_getBlock", {{"block", "latest"}})["height"] == 2);
  CHECK(fixture.result("chain_getBlock", {{"block", "latest"}})["certified"] == false);
  const Json block = fixture.result("chain_getBlock", {{"block", "certified"}, {"full", true}});
  CHECK(block["height"] == 1);
  CHECK(block["certified"] == true);
  CHECK(block["header"]["transaction_count"] == 1);
  REQUIRE(block["transactions"].size() == 1);
  CHECK(block["transactions"][0]["transaction_id"] == block["transaction_ids"][0]);
  CHECK(block["transactions"][0]["receipt"]["outcome"] == "succeeded");
  CHECK(block["transactions"][0]["transaction"]["operations"][0]["amount"] == "25");
  CHECK(block["transactions"][0]["tx"] == to_0x(fixture.backend.transfer(0, 1, 1, 25)));
  CHECK(block["commit_certificate"] == "0xcc");
  fixture.error("chain_getBlock", {{"block", 3}}, -32001, "not_found");
  fixture.error("chain_getBlock", {{"block", to_0x(Digest{})}}, -32001, "not_found");
}

TEST_CASE("lists of blocks go page by page in both directions") {
  Fixture fixture;
  fixture.backend.make_blocks(5);
  std::vector<int> seen;
  Json params = {{"limit", 4}};
  do {
    const Json page = fixture.result("chain_getBlocks", params);
    for (const Json& item : page["items"]) seen.push_back(item["height"].get<int>());
    params["cursor"] = page["next_cursor"];
  } while (!params["cursor"].is_null());
  CHECK(seen == std::vector<int>{5, 4, 3, 2, 1, 0});

  seen.clear();
  params = {{"limit", 3}, {"order", "asc"}};
  do {
    const Json page = fixture.result("chain_getBlocks", params);
    for (const Json& item : page["items"]) seen.push_back(item["height"].get<int>());
    params["cursor"] = page["next_cursor"];
  } while (!params["cursor"].is_null());
  CHECK(seen == std::vector<int>{0, 1, 2, 3, 4, 5});
  CHECK(fixture.result("chain_getBlocks", {{"order", "asc"}, {"cursor", 9}})["items"].empty());
}

TEST_CASE("certificates verify against the genesis that the node gives") {
  Fixture fixture;
  fixture.backend.make_blocks(2);
  fixture.backend.make_unsealed_block();
  const Json genesis_json = fixture.result("chain_getGenesis", Json::array());
  const auto genesis = genesis_from_json(genesis_json["genesis"]).value();
  CHECK(to_0x(ledger::chain_id(genesis)) == genesis_json["chain_id"]);
  const auto certificate =
      certificate_from_json(fixture.result("chain_getBlockCertificate", Json::array())).value();
  CHECK(certificate.header.height == Height(2));
  CHECK(ledger::verify(certificate, ledger::membership(genesis), crypto::Ed25519Verifier()));
  CHECK(fixture.result("chain_getBlockCertificate", Json::array({1}))["header"]["height"] == 1);
  fixture.error("chain_getBlockCertificate", {{"block", "latest"}}, -32002, "unavailable");
  fixture.error("chain_getBlockCertificate", Json::array({9}), -32001, "not_found");
}

TEST_CASE("the validators and the quorum are those of the genesis") {
  Fixture fixture;
  const Json validators = fixture.result("chain_getValidators", Json::array());
  CHECK(validators["quorum"] == 3);
  REQUIRE(validators["items"].size() == 4);
  CHECK(validators["items"][3]["name"] == "node3");
  CHECK(validators["next_cursor"].is_null());
}

TEST_CASE("accounts and their proofs, present and absent") {
  Fixture fixture;
  fixture.backend.submit({fixture.backend.transfer(0, 1, 1, 25)}, [](const auto&) {});
  fixture.backend.make_block();
  const std::string alice = crypto::to_text(crypto::dev_account_address(0));
  const Json account = fixture.result("account_get", Json::array({alice}));
  CHECK(account["balance"] == "999975");
  CHECK(account["nonce"] == 1);
  CHECK(account["next_nonce"] == 2);
  const auto proved = [&](std::uint32_t index) {
    const auto address = crypto::dev_account_address(index);
    const Json json = fixture.result("account_getProof", {{"address", crypto::to_text(address)}});
    const auto certificate = certificate_from_json(json["certificate"]).value();
    return ledger::verify_state_proof(certificate.header.state_root, address,
                                      state_proof_from_json(json["proof"]).value())
        .value();
  };
  REQUIRE(proved(0));
  CHECK(proved(0)->balance == 999'975);
  CHECK_FALSE(proved(9));
}

TEST_CASE("each refused transaction has the code, reason and values of the table") {
  Fixture fixture;
  FakeBackend& backend = fixture.backend;
  const auto refused = [&](const Bytes& tx, int code, const std::string& reason) {
    return fixture.error("tx_submit", {{"tx", to_0x(tx)}}, code, reason);
  };
  Bytes forged = backend.transfer(0, 1, 1, 25);
  forged.back() ^= 1U;
  CHECK(refused(forged, -32003, "bad_signature")["data"].contains("transaction_id"));
  refused({1, 2, 3}, -32003, "bad_encoding");
  refused({}, -32003, "bad_encoding");
  refused(Bytes(ledger::kTransactionBytesMax + 1), -32003, "too_large");
  refused(backend.transfer(9, 1, 1, 1), -32003, "unknown_sender");
  const Json poor = refused(backend.transfer(0, 1, 1, 99'999'999), -32003, "insufficient_funds");
  CHECK(poor["message"] == "insufficient funds (have 1000000, need 99999999)");
  CHECK(poor["data"]["expected"] == "1000000");
  CHECK(poor["data"]["got"] == "99999999");
  const Json high = refused(backend.transfer(0, 99'999, 1, 1), -32003, "nonce_too_high");
  CHECK(high["data"]["hint"] == "next nonce is 1");

  const Bytes good = backend.transfer(0, 1, 1, 25, 5);
  const Json admitted = fixture.result("tx_submit", {{"tx", to_0x(good)}});
  CHECK(admitted["transaction_id"] == to_0x(backend.id_of(good)));
  CHECK(admitted["status"] == "pending");
  CHECK(fixture.result("tx_submit", {{"tx", to_0x(good)}}) == admitted);
  backend.make_blocks(6);
  const Json replayed = refused(backend.transfer(0, 1, 1, 26), -32003, "nonce_too_low");
  CHECK(replayed["data"]["expected"] == 2);
  CHECK(replayed["data"]["got"] == 1);
  CHECK(replayed["data"]["hint"] == "next nonce is 2");
  refused(backend.transfer(0, 2, 1, 1, 5), -32003, "expired");
}

TEST_CASE("another chain is told apart when the caller names the chain") {
  Fixture fixture;
  const std::string tx = to_0x(fixture.backend.transfer(0, 1, 1, 25));
  const std::string other = to_0x(Digest{});
  for (const char* method : {"tx_submit", "tx_submitAndWait"}) {
    const Json error =
        fixture.error(method, {{"tx", tx}, {"chain_id", other}}, -32003, "wrong_chain_id");
    CHECK(error["data"]["got"] == other);
    CHECK(error["data"]["expected"] == to_0x(fixture.backend.chain_id()));
  }
  fixture.error("tx_submitBatch", {{"txs", {tx}}, {"chain_id", other}}, -32003, "wrong_chain_id");
  const Json checked = fixture.result("tx_check", {{"tx", tx}, {"chain_id", other}});
  CHECK(checked["valid"] == false);
  CHECK(checked["error"]["data"]["reason"] == "wrong_chain_id");
  fixture.result("tx_submit", {{"tx", tx}, {"chain_id", to_0x(fixture.backend.chain_id())}});
}

TEST_CASE("every reason a backend can give has a code and travels by name") {
  for (unsigned value = 1; value <= UINT8_MAX; ++value) {
    const auto reason = ledger::reason_from(static_cast<std::uint8_t>(value));
    if (!reason) continue;
    const MethodError error = from_refusal({*reason, "", {}, {}});
    CHECK(error.data["reason"] == ledger::to_string(*reason));
    CHECK(error.data.contains("hint"));
    CHECK_FALSE(error.message.empty());
    const int expected = *reason == ledger::Reason::mempool_full    ? -32011
                         : *reason == ledger::Reason::not_permitted ? -32012
                                                                    : -32003;
    CHECK(static_cast<int>(error.code) == expected);
  }
}

TEST_CASE("every error of a backend has a code") {
  CHECK(from_error({Errc::not_found, ""}).code == Code::not_found);
  CHECK(from_error({Errc::unavailable, ""}).code == Code::unavailable);
  CHECK(from_error({Errc::limit_exceeded, ""}).code == Code::limit_exceeded);
  CHECK(from_error({Errc::corrupt, ""}).code == Code::internal_error);
  CHECK(from_error({Errc::io, ""}).data["reason"] == "internal_error");
}

TEST_CASE("a batch of transactions answers each in its place") {
  Fixture fixture;
  FakeBackend& backend = fixture.backend;
  const Json txs = {to_0x(backend.transfer(0, 1, 1, 1)), "nonsense", to_0x(Bytes{1}),
                    to_0x(backend.transfer(0, 2, 1, 1)), 7};
  const Json result = fixture.result("tx_submitBatch", {{"txs", txs}});
  CHECK(result["admitted"] == 2);
  REQUIRE(result["items"].size() == 5);
  CHECK(result["items"][0]["error"].is_null());
  CHECK(result["items"][1]["error"]["data"]["reason"] == "bad_encoding");
  CHECK(result["items"][1]["error"]["message"].get<std::string>().find("txs[1]") == 0);
  CHECK(result["items"][2]["error"]["code"] == -32003);
  CHECK(result["items"][3]["transaction_id"] == to_0x(backend.id_of(backend.transfer(0, 2, 1, 1))));
  CHECK(result["items"][4]["transaction_id"].is_null());
  CHECK(fixture.result("tx_submitBatch", {{"txs", Json::array()}})["items"].empty());
  fixture.error("tx_submitBatch", {{"txs", std::vector<std::string>(10'001, "0x")}}, -32005,
                "limit_exceeded");
}

TEST_CASE("waiting answers final, failed, time out, or the outcome of an earlier submission") {
  FakeBackend backend({.threaded = false, .commit_at_once = true});
  Fixture fixture;
  Dispatcher dispatcher(backend, nullptr);
  const auto wait = [&](const Bytes& tx) {
    Json reply;
    const Json request = {{"jsonrpc", "2.0"},
                          {"id", 1},
                          {"method", "tx_submitAndWait"},
                          {"params", {{"tx", to_0x(tx)}}}};
    dispatcher.handle(request.dump(), nullptr,
                      [&](const std::string& text) { reply = Json::parse(text); });
    return reply;
  };
  const Bytes tx = backend.transfer(0, 1, 1, 25);
  const Json first = wait(tx);
  CHECK(first["result"]["status"] == "final");
  CHECK(first["result"]["height"] == 1);
  CHECK(first["result"]["receipt"]["outcome"] == "succeeded");
  // The same bytes again: the same answer, not a refusal. Other bytes with the nonce: refused.
  CHECK(wait(tx) == first);
  CHECK(wait(backend.transfer(0, 1, 1, 26))["error"]["data"]["reason"] == "nonce_too_low");

  // A backend that makes no blocks: the time is up and the transaction still waits.
  const Json error =
      fixture.error("tx_submitAndWait", {{"tx", to_0x(fixture.backend.transfer(0, 1, 1, 1))}},
                    -32010, "commit_timeout");
  CHECK(error["data"]["status"] == "pending");
}

TEST_CASE("a receipt's proof leads to the seals of a quorum, over uncertified blocks as well") {
  Fixture fixture;
  FakeBackend& backend = fixture.backend;
  const Bytes tx = backend.transfer(0, 1, 1, 25);
  const Json params = {{"transaction_id", to_0x(backend.id_of(tx))}};
  CHECK(fixture.result("tx_get", params)["status"] == "unknown");
  fixture.error("tx_getProof", params, -32001, "not_found");
  fixture.result("tx_submit", {{"tx", to_0x(tx)}});
  CHECK(fixture.result("tx_get", params)["status"] == "pending");
  backend.make_unsealed_block();
  CHECK(fixture.result("tx_get", params)["status"] == "pending");
  fixture.error("tx_getProof", params, -32002, "unavailable");
  backend.make_block();
  CHECK(fixture.result("tx_get", params)["status"] == "final");

  const Json proof = fixture.result("tx_getProof", params);
  REQUIRE(proof["headers"].size() == 2);
  const auto first = header_from_json(proof["headers"][0]).value();
  const auto last = header_from_json(proof["headers"][1]).value();
  const auto receipt = receipt_from_json(proof["receipt"]).value();
  const auto certificate = certificate_from_json(proof["certificate"]).value();
  CHECK(ledger::merkle_verify(first.receipts_root, ledger::receipt_leaf(receipt),
                              merkle_proof_from_json(proof["path"]).value()));
  CHECK(last.parent_hash == ledger::block_hash(first));
  CHECK(certificate.header == last);
  CHECK(ledger::verify(certificate, ledger::membership(backend.genesis()),
                       crypto::Ed25519Verifier()));
}

TEST_CASE("checking a transaction changes nothing") {
  Fixture fixture;
  const std::string tx = to_0x(fixture.backend.transfer(0, 1, 1, 25));
  const Json checked = fixture.result("tx_check", {{"tx", tx}});
  CHECK(checked["valid"] == true);
  CHECK(checked["error"].is_null());
  CHECK(fixture.result("mempool_getStatus", Json::array())["transactions"] == 0);
  const Json poor =
      fixture.result("tx_check", {{"tx", to_0x(fixture.backend.transfer(0, 1, 1, 99'999'999))}});
  CHECK(poor["valid"] == false);
  CHECK(poor["error"]["data"]["reason"] == "insufficient_funds");
}

TEST_CASE("the node tells about itself") {
  Fixture fixture;
  const Json status = fixture.result("chain_getStatus", Json::array());
  CHECK(status["height"] == 0);
  CHECK(status["ready"] == true);
  CHECK(status["not_ready_reason"].is_null());
  CHECK(fixture.result("consensus_getState", Json::array())["quorum"] == 3);
  const Json peers = fixture.result("net_getPeers", Json::array());
  CHECK(peers["items"][1]["last_error"] == "connection refused");
  CHECK(fixture.result("node_getInfo", Json::array())["libraries"]["libsodium"] == "1.0.18");
}

TEST_CASE("subscribing over plain HTTP says where to connect instead") {
  Fixture fixture;
  const Json error =
      fixture.error("chain_subscribe", Json::array({"newBlocks"}), -32004, "not_supported");
  CHECK(error["data"]["hint"] == "connect to /ws on this address");
}

TEST_CASE("rpc.discover describes exactly the methods that dispatch") {
  Fixture fixture;
  const Json document = fixture.result("rpc.discover", Json::array());
  CHECK(document["openrpc"] == "1.2.6");
  REQUIRE(document["methods"].size() == method_table().size());
  for (const Json& method : document["methods"]) {
    CHECK(find_method(method["name"].get<std::string>()) != nullptr);
    for (const Json& param : method["params"]) {
      INFO(method["name"] << param.dump());
      CHECK(param["schema"].is_object());
      CHECK_FALSE(param["schema"].empty());
      CHECK_FALSE(param["summary"].get<std::string>().empty());
    }
    // The examples that need nothing filled in work on any node with a block.
    for (const Json& example : method.value("examples", Json::array())) {
      Json params = Json::object();
      for (const Json& param : example["params"]) {
        params[param["name"].get<std::string>()] = param["value"];
      }
      fixture.backend.make_block();
      const Json reply = fixture.call(method["name"].get<std::string>(), params);
      INFO(reply.dump());
      const bool needs_websocket = reply.contains("error") && code_of(reply) == -32004;
      CHECK((reply.contains("result") || needs_websocket));
    }
  }
  CHECK(document["components"]["errors"]["not_found"]["code"] == -32001);
}
