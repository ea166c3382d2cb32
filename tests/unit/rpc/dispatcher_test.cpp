// JSON-RPC itself: what is a request, batches, parameters.
#include "tests/unit/rpc/dispatcher_fixture.hpp"

using namespace quorate;
using namespace quorate::rpc;
using quorate::rpc::test::code_of;
using quorate::rpc::test::FakeBackend;
using Fixture = quorate::rpc::test::DispatcherFixture;

TEST_CASE("what is not JSON is a parse error with id null") {
  Fixture fixture;
  for (const std::string& text : {std::string("{"), std::string(), std::string(200'000, '['),
                                  std::string("{\"id\":1,\"id\":2}"), std::string("\xff"),
                                  std::string("123456789012345678901234567890")}) {
    const Json reply = fixture.answer(text);
    CHECK(code_of(reply) == -32700);
    CHECK(reply["id"].is_null());
    CHECK(reply["error"]["data"]["reason"] == "parse_error");
  }
}

TEST_CASE("what is JSON but not a request is an invalid request") {
  Fixture fixture;
  for (const char* text :
       {"1", "\"x\"", "null", "{}", R"({"jsonrpc":"2.0"})", R"({"jsonrpc":"1.0","method":"a"})",
        R"({"jsonrpc":"2.0","method":1})", R"({"jsonrpc":"2.0","method":"a","params":"x"})",
        R"({"jsonrpc":"2.0","method":"a","id":{}})"}) {
    INFO(text);
    const Json reply = fixture.answer(text);
    CHECK(code_of(reply) == -32600);
    CHECK(reply["id"].is_null());
  }
  CHECK(fixture.answer(R"({"id":7,"method":"chain_getStatus"})")["id"] == 7);
}

TEST_CASE("batches: one error for [], three for [1,2,3], answers in order of the requests") {
  Fixture fixture;
  CHECK(fixture.answer("[]").is_object());
  CHECK(code_of(fixture.answer("[]")) == -32600);
  const Json three = fixture.answer("[1,2,3]");
  REQUIRE(three.size() == 3);
  for (const Json& reply : three) CHECK(code_of(reply) == -32600);

  Json batch = Json::array();
  for (int i = 0; i < 100; ++i) {
    batch.push_back({{"jsonrpc", "2.0"}, {"id", i}, {"method", i % 2 ? "none" : "node_getInfo"}});
  }
  const Json replies = fixture.answer(batch.dump());
  REQUIRE(replies.size() == 100);
  for (int i = 0; i < 100; ++i) {
    CHECK(replies[static_cast<std::size_t>(i)]["id"] == i);
    CHECK(replies[static_cast<std::size_t>(i)].contains(i % 2 ? "error" : "result"));
  }
  batch.push_back(1);
  CHECK(code_of(fixture.answer(batch.dump())) == -32005);
}

TEST_CASE("a batch whose answers grow past 16 MiB answers the rest with limit_exceeded") {
  Fixture fixture;
  std::vector<Bytes> transfers;
  for (std::uint64_t nonce = 1; nonce <= 400; ++nonce) {
    transfers.push_back(fixture.backend.transfer(0, nonce, 1, 1));
  }
  fixture.backend.submit(std::move(transfers), [](const auto&) {});
  fixture.backend.make_block();
  const Json whole = {{"block", 1}, {"full", true}};
  const std::size_t one = fixture.call("chain_getBlock", whole).dump().size();
  REQUIRE(one > std::size_t{200} << 10U);  // so that 100 of them are too much
  Json batch = Json::array();
  for (int i = 0; i < 100; ++i) {
    batch.push_back(
        {{"jsonrpc", "2.0"}, {"id", i}, {"method", "chain_getBlock"}, {"params", whole}});
  }
  const std::string text = fixture.text(batch.dump());
  CHECK(text.size() > kBatchReplyBytesMax);
  CHECK(text.size() < kBatchReplyBytesMax + one + 100 * 256);
  const Json replies = Json::parse(text);
  REQUIRE(replies.size() == 100);
  CHECK(replies[0].contains("result"));
  bool refused = false;
  for (int i = 0; i < 100; ++i) {
    const Json& reply = replies[static_cast<std::size_t>(i)];
    CHECK(reply["id"] == i);
    if (refused) CHECK(reply.contains("error"));
    refused = reply.contains("error");
  }
  REQUIRE(refused);
  CHECK(code_of(replies[99]) == -32005);
  CHECK(replies[99]["error"]["data"]["hint"] == "send fewer requests per batch");
}

TEST_CASE("a request without id is not answered, one with id null is") {
  Fixture fixture;
  CHECK(fixture.text(R"({"jsonrpc":"2.0","method":"chain_getStatus"})").empty());
  CHECK(fixture.text(R"({"jsonrpc":"2.0","method":"no_such"})").empty());
  CHECK(fixture.text(R"([{"jsonrpc":"2.0","method":"chain_getStatus"}])").empty());
  const Json reply = fixture.answer(R"({"jsonrpc":"2.0","id":null,"method":"chain_getStatus"})");
  CHECK(reply["id"].is_null());
  CHECK(reply["result"]["chain_name"] == "local-fake");
  const Json mixed = fixture.answer(
      R"([{"jsonrpc":"2.0","method":"node_getInfo"},{"jsonrpc":"2.0","id":"b","method":"node_getInfo"}])");
  REQUIRE(mixed.size() == 1);
  CHECK(mixed[0]["id"] == "b");
}

TEST_CASE("an unknown method is named, and the hint tells where to look") {
  Fixture fixture;
  const Json error = fixture.error("chain_getBlok", Json::array(), -32601, "method_not_found");
  CHECK(error["message"] == "there is no method \"chain_getBlok\"");
  CHECK(error["data"]["hint"] == "rpc.discover lists the methods");
}

TEST_CASE("parameters go by position and by name") {
  Fixture fixture;
  fixture.backend.make_blocks(3);
  const Json by_name = fixture.result("chain_getBlock", {{"block", 2}});
  CHECK(by_name["height"] == 2);
  CHECK(fixture.result("chain_getBlock", Json::array({2})) == by_name);
  CHECK(fixture.result("chain_getBlock", Json::array({2, nullptr})) == by_name);
  CHECK(fixture.result("chain_getBlock", Json::array({by_name["hash"]})) == by_name);
  CHECK(fixture.result("chain_getBlock", Json::object())["height"] == 3);
}

TEST_CASE("a wrong parameter is -32602 naming it") {
  Fixture fixture;
  const auto named = [&](const std::string& method, const Json& params, const std::string& name) {
    const Json reply = fixture.call(method, params);
    INFO(reply.dump());
    CHECK(code_of(reply) == -32602);
    CHECK(reply["error"]["data"]["parameter"] == name);
    CHECK(reply["error"]["message"].get<std::string>().find(name) != std::string::npos);
    return reply["error"];
  };
  const Json unknown = named("chain_getBlock", {{"blok", 1}}, "blok");
  CHECK(unknown["message"] == "parameter \"blok\": unknown");
  CHECK(unknown["data"]["hint"] == "known are block, full");
  named("account_get", Json::object(), "address");
  named("account_get", {{"address", "qrt1qqq"}}, "address");
  named("account_get", {{"address", 5}}, "address");
  named("tx_get", {{"transaction_id", "0x12"}}, "transaction_id");
  named("tx_submit", {{"tx", "0xzz"}}, "tx");
  named("tx_submit", {{"tx", "00"}}, "tx");
  named("tx_submitBatch", {{"txs", "0x00"}}, "txs");
  named("tx_submitAndWait", {{"tx", "0x00"}, {"timeout_ms", 30'001}}, "timeout_ms");
  named("chain_getBlocks", {{"limit", 101}}, "limit");
  named("chain_getBlocks", {{"limit", 0}}, "limit");
  named("chain_getBlocks", {{"order", "up"}}, "order");
  named("chain_getBlock", {{"block", -1}}, "block");
  named("chain_getBlock", {{"block", "newest"}}, "block");
  named("chain_getBlock", {{"full", 1}}, "full");
  const Json many = fixture.error("chain_getStatus", Json::array({1}), -32602, "invalid_params");
  CHECK(many["message"] == "at most 0 parameters, got 1");
}
