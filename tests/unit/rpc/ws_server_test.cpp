// The real server on a loopback port, over WebSocket, and the client's subscriptions.
#include <thread>

#include "rpc/client/rpc_client.hpp"
#include "rpc/json/fields.hpp"
#include "rpc/server/rpc_server.hpp"
#include "tests/unit/rpc/fake_backend.hpp"
#include "tests/unit/rpc/raw_connection.hpp"

using namespace quorate;
using namespace quorate::rpc;
using namespace quorate::rpc::test;
using namespace std::chrono_literals;

namespace ws_server_test {
namespace {

struct Fixture {
  explicit Fixture(RpcServerOptions options = {}) {
    options.listen = "127.0.0.1:0";
    server = RpcServer::start(options, backend).value();
    url = "http://" + server->address();
  }
  RpcSubscription subscribe(const std::string& topic, const Json& options) {
    auto subscription = RpcSubscription::open(url, topic, options);
    if (!subscription) FAIL(subscription.error().message);
    return std::move(*subscription);
  }

  FakeBackend backend;
  std::unique_ptr<RpcServer> server;
  std::string url;
};

Json next(RpcSubscription& subscription) {
  auto message = subscription.next(30s);
  if (!message) FAIL(message.error().message);
  return *message;
}

std::string request(int id, const std::string& method, const Json& params) {
  return Json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}}.dump();
}

Json read_json(RawConnection& connection) {
  const auto frame = connection.frame();
  REQUIRE(frame);
  REQUIRE(frame->opcode == 1);
  return parse_json(frame->payload).value();
}

}  // namespace

TEST_CASE("JSON-RPC works over a WebSocket, batches and errors included") {
  Fixture fixture;
  RawConnection connection(fixture.server->address());
  CHECK(connection.upgrade().status == 101);
  connection.send_frame(1, request(7, "chain_getStatus", Json::array()));
  CHECK(read_json(connection)["result"]["chain_name"] == "local-fake");
  connection.send_frame(1, "[1,2]");
  CHECK(read_json(connection).size() == 2);
  connection.send_frame(1, std::string(200'000, '['));
  CHECK(read_json(connection)["error"]["code"] == -32700);
  connection.send_frame(9, "ping");
  const auto pong = connection.frame();
  REQUIRE(pong);
  CHECK(pong->opcode == 10);
  CHECK(pong->payload == "ping");
}

TEST_CASE("a page of another origin may not open a WebSocket") {
  Fixture fixture;
  CHECK(RawConnection(fixture.server->address()).upgrade("Origin: https://evil.org\r\n").status ==
        403);
  CHECK(RawConnection(fixture.server->address())
            .upgrade("Origin: http://localhost:3000\r\n")
            .status == 101);
}

TEST_CASE("a message over the limit closes 1009, binary closes 1003") {
  Fixture fixture;
  RawConnection large(fixture.server->address());
  large.upgrade();
  large.send_frame(1, std::string(1'000'001, ' '));
  const auto closed = large.frame();
  REQUIRE(closed);
  CHECK(closed->close_code() == 1009);

  RawConnection binary(fixture.server->address());
  binary.upgrade();
  binary.send_frame(2, "x");
  CHECK(binary.frame()->close_code() == 1003);
}

TEST_CASE("new blocks are announced with header, hash and count") {
  Fixture fixture;
  RpcSubscription blocks = fixture.subscribe("newBlocks", Json::object());
  fixture.backend.submit({fixture.backend.transfer(0, 1, 1, 25)}, [](const auto&) {});
  while (fixture.backend.mempool().transactions == 0) std::this_thread::yield();
  fixture.backend.make_block();
  const Json block = next(blocks);
  CHECK(block["height"] == 1);
  CHECK(block["transaction_count"] == 1);
  const auto header = header_from_json(block["header"]).value();
  CHECK(block["hash"] == to_0x(ledger::block_hash(header)));
  CHECK(blocks.next(0ms).error().kind == RpcError::Kind::timeout);
  fixture.backend.make_block();
  CHECK(next(blocks)["height"] == 2);
}

TEST_CASE("a block without seals is announced when a later one proves it, in order") {
  Fixture fixture;
  RpcSubscription blocks = fixture.subscribe("newBlocks", Json::object());
  fixture.backend.make_unsealed_block();
  fixture.backend.make_unsealed_block();
  CHECK(blocks.next(50ms).error().kind == RpcError::Kind::timeout);
  fixture.backend.make_block();
  for (int height = 1; height <= 3; ++height) CHECK(next(blocks)["height"] == height);
}

TEST_CASE("transactions are announced by block, filtered by sender and recipient") {
  Fixture fixture;
  const auto address = [](std::uint32_t i) {
    return crypto::to_text(crypto::dev_account_address(i));
  };
  RpcSubscription all = fixture.subscribe("transactions", Json::object());
  RpcSubscription carol = fixture.subscribe("transactions", {{"address", address(2)}});
  FakeBackend& backend = fixture.backend;
  const auto commit = [&](std::vector<Bytes> txs) {
    const std::size_t count = txs.size();
    backend.submit(std::move(txs), [](const auto&) {});
    while (backend.mempool().transactions < count) std::this_thread::yield();
    backend.make_block();
  };
  commit({backend.transfer(0, 1, 1, 5), backend.transfer(3, 1, 2, 6)});
  backend.make_block();
  commit({backend.transfer(0, 2, 1, 7)});
  commit({backend.transfer(2, 1, 0, 8)});

  CHECK(next(all)["items"].size() == 2);
  CHECK(next(all)["height"] == 3);
  CHECK(next(all)["height"] == 4);
  const Json to_carol = next(carol);
  CHECK(to_carol["height"] == 1);
  REQUIRE(to_carol["items"].size() == 1);
  CHECK(to_carol["items"][0]["transaction"]["operations"][0]["amount"] == "6");
  CHECK(to_carol["items"][0]["receipt"]["outcome"] == "succeeded");
  CHECK(next(carol)["height"] == 4);
}

TEST_CASE("a replay goes live without a gap or a duplicate while blocks are being made") {
  Fixture fixture;
  constexpr int kBlocks = 1500;
  fixture.backend.make_blocks(300);
  std::thread producer([&] { fixture.backend.make_blocks(kBlocks - 300); });
  std::vector<std::thread> readers;
  std::vector<int> expected_first = {0, 1, 150, 300, 700};
  std::vector<std::vector<int>> seen(expected_first.size());
  for (std::size_t i = 0; i < expected_first.size(); ++i) {
    readers.emplace_back([&, i] {
      auto opened =
          RpcSubscription::open(fixture.url, "newBlocks", {{"from_height", expected_first[i]}});
      while (opened && (seen[i].empty() || seen[i].back() < kBlocks)) {
        const auto message = opened->next(10s);
        if (!message) return;
        seen[i].push_back((*message)["height"].get<int>());
      }
    });
  }
  producer.join();
  for (std::thread& reader : readers) reader.join();
  for (std::size_t i = 0; i < seen.size(); ++i) {
    std::vector<int> expected;
    for (int height = expected_first[i]; height <= kBlocks; ++height) expected.push_back(height);
    CHECK(seen[i] == expected);
  }
}

TEST_CASE("a subscription of the future starts at its height") {
  Fixture fixture;
  RpcSubscription blocks = fixture.subscribe("newBlocks", {{"from_height", 3}});
  fixture.backend.make_blocks(4);
  CHECK(next(blocks)["height"] == 3);
  CHECK(next(blocks)["height"] == 4);
}

TEST_CASE("one connection has at most 64 subscriptions, and each can be ended") {
  Fixture fixture;
  RawConnection connection(fixture.server->address());
  connection.upgrade();
  Json first;
  for (int i = 0; i < 65; ++i) {
    connection.send_frame(1, request(i, "chain_subscribe", Json::array({"newBlocks"})));
    const Json reply = read_json(connection);
    if (i == 0) first = reply["result"];
    CHECK(reply.contains(i < 64 ? "result" : "error"));
    if (i == 64) CHECK(reply["error"]["code"] == -32005);
  }
  connection.send_frame(1, request(70, "chain_unsubscribe", Json::array({first})));
  CHECK(read_json(connection)["result"] == true);
  connection.send_frame(1, request(71, "chain_unsubscribe", Json::array({first})));
  CHECK(read_json(connection)["result"] == false);
  fixture.backend.make_block();
  for (int i = 0; i < 63; ++i) {
    const Json note = read_json(connection);
    CHECK(note["method"] == "chain_subscription");
    CHECK(note["params"]["subscription"] != first);
  }
}

TEST_CASE("the answer to a subscription comes before its first notification") {
  Fixture fixture;
  fixture.backend.make_blocks(3);
  RawConnection connection(fixture.server->address());
  connection.upgrade();
  // A batch whose first call takes its time: the subscription must wait with its notifications.
  const std::string tx = to_0x(fixture.backend.transfer(0, 1, 1, 1));
  connection.send_frame(1,
                        "[" + request(1, "tx_submitAndWait", Json::array({tx, 200})) + "," +
                            request(2, "chain_subscribe",
                                    {{"topic", "newBlocks"}, {"options", {{"from_height", 1}}}}) +
                            "]");
  const Json replies = read_json(connection);
  REQUIRE(replies.is_array());
  CHECK(replies[0]["error"]["code"] == -32010);
  for (int height = 1; height <= 3; ++height) {
    const Json note = read_json(connection);
    CHECK(note["params"]["subscription"] == replies[1]["result"]);
    CHECK(note["params"]["result"]["height"] == height);
  }
}

TEST_CASE("wrong subscriptions are refused by name") {
  Fixture fixture;
  const auto refusal = [&](const std::string& topic, const Json& options) {
    const auto subscription = RpcSubscription::open(fixture.url, topic, options);
    REQUIRE_FALSE(subscription);
    CHECK(subscription.error().kind == RpcError::Kind::answered);
    CHECK(subscription.error().code == -32602);
    return subscription.error().message;
  };
  CHECK(refusal("blocks", Json::object()).find("\"topic\"") != std::string::npos);
  CHECK(refusal("newBlocks", {{"height", 1}}).find("\"height\": unknown") != std::string::npos);
  CHECK(refusal("newBlocks", {{"from_height", -1}}).find("from_height") != std::string::npos);
  CHECK(refusal("transactions", {{"address", "x"}}).find("address") != std::string::npos);
}

TEST_CASE("a subscriber that does not read is closed with 1013, others and the node go on") {
  Fixture fixture({.listen = "", .slow_grace = 200ms});
  RpcSubscription slow = fixture.subscribe("newBlocks", Json::object());
  RpcSubscription quick = fixture.subscribe("newBlocks", Json::object());
  // Enough for the buffers of both kernels and the queue of 1024 messages; made at the pace of the
  // quick one.
  constexpr int kBlocks = 12'000;
  int last = 0;
  while (last < kBlocks) {
    fixture.backend.make_blocks(100);
    for (int i = 0; i < 100; ++i) REQUIRE(next(quick)["height"] == ++last);
  }
  const auto slow_metric = [&] {
    auto client = RpcClient::create({fixture.url}).value();
    return client.get("/metrics").value().body;
  };
  const std::string closed_one = "quorate_rpc_slow_consumers_total 1\n";
  const auto give_up = std::chrono::steady_clock::now() + 60s;
  while (slow_metric().find(closed_one) == std::string::npos) {
    REQUIRE(std::chrono::steady_clock::now() < give_up);
  }
  // What was sent before arrives whole and in order; then the reason.
  last = 0;
  for (;;) {
    const auto message = slow.next(30s);
    if (!message) {
      CHECK(message.error().message.find("1013 slow consumer") != std::string::npos);
      break;
    }
    REQUIRE((*message)["height"] == last + 1);
    ++last;
  }
  CHECK(last < kBlocks);
}

TEST_CASE("a slow reader of history is waited for") {
  Fixture fixture({.listen = "", .queue_messages_max = 100, .slow_grace = 50ms});
  fixture.backend.make_blocks(3000);
  RpcSubscription blocks = fixture.subscribe("newBlocks", {{"from_height", 1}});
  // Nothing is read for longer than a live subscriber would be granted.
  CHECK(fixture.subscribe("newBlocks", Json::object()).next(300ms).error().kind ==
        RpcError::Kind::timeout);
  for (int height = 1; height <= 3000; ++height) REQUIRE(next(blocks)["height"] == height);
}

TEST_CASE("a block that cannot be read ends the subscription aloud") {
  Fixture fixture;
  RpcSubscription transactions = fixture.subscribe("transactions", Json::object());
  fixture.backend.break_blocks({Errc::corrupt, "a block is damaged"});
  fixture.backend.make_block();
  const auto message = transactions.next(30s);
  REQUIRE_FALSE(message);
  CHECK(message.error().message.find("1011 a block is damaged") != std::string::npos);
}

TEST_CASE("stopping closes WebSockets with 1001 after what is under way was answered") {
  Fixture fixture;
  RpcSubscription blocks = fixture.subscribe("newBlocks", Json::object());
  RawConnection waiting(fixture.server->address());
  waiting.upgrade();
  const std::string tx = to_0x(fixture.backend.transfer(0, 1, 1, 1));
  waiting.send_frame(1, request(1, "tx_submitAndWait", Json::array({tx})));
  while (fixture.backend.mempool().transactions == 0) std::this_thread::yield();
  std::thread stopping([&] { fixture.server->stop(); });
  CHECK(blocks.next(30s).error().message.find("(1001 ") != std::string::npos);
  fixture.backend.make_block();
  CHECK(read_json(waiting)["result"]["status"] == "final");
  CHECK(waiting.frame()->close_code() == 1001);
  waiting.send_frame(8, std::string("\x03\xe9", 2));
  stopping.join();
}

TEST_CASE("an idle connection is pinged, and dropped when it does not answer") {
  Fixture fixture({.listen = "", .ping_interval = 100ms});
  RawConnection connection(fixture.server->address());
  connection.upgrade();
  const auto ping = connection.frame();
  REQUIRE(ping);
  CHECK(ping->opcode == 9);
  CHECK_FALSE(connection.frame());
  // A client that answers pings stays connected however long nothing happens.
  RpcSubscription blocks = fixture.subscribe("newBlocks", Json::object());
  CHECK(blocks.next(600ms).error().kind == RpcError::Kind::timeout);
  fixture.backend.make_block();
  CHECK(next(blocks)["height"] == 1);
}

TEST_CASE("requests over the rate wait their turn instead of being lost") {
  Fixture fixture({.listen = "", .requests_per_second = 20});
  RawConnection connection(fixture.server->address());
  connection.upgrade();
  for (int i = 0; i < 25; ++i) {
    connection.send_frame(1, request(i, "chain_getStatus", Json::array()));
  }
  for (int i = 0; i < 25; ++i) CHECK(read_json(connection)["id"] == i);
}

}  // namespace ws_server_test
