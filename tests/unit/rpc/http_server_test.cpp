// The real server on a loopback port, over HTTP.
#include <future>

#include "rpc/json/fields.hpp"
#include "rpc/server/rpc_server.hpp"
#include "tests/unit/rpc/fake_backend.hpp"
#include "tests/unit/rpc/raw_connection.hpp"

using namespace quorate;
using namespace quorate::rpc;
using namespace quorate::rpc::test;

namespace {

const std::string kStatus = R"({"jsonrpc":"2.0","id":1,"method":"chain_getStatus"})";

struct Fixture {
  explicit Fixture(RpcServerOptions options = {}, FakeOptions fake = {}) : backend(fake) {
    options.listen = "127.0.0.1:0";
    auto started = RpcServer::start(options, backend);
    REQUIRE(started);
    server = std::move(*started);
  }
  RawResponse once(const std::string& request, bool head_only = false) {
    RawConnection connection(server->address());
    connection.send(request);
    auto response = connection.response(head_only);
    REQUIRE(response);
    return *response;
  }
  RawResponse get(const std::string& path) {
    return once("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  int status(const std::string& request) { return once(request).status; }

  FakeBackend backend;
  std::unique_ptr<RpcServer> server;
};

Json body_of(const RawResponse& response) {
  const auto json = parse_json(response.body);
  REQUIRE(json);
  return *json;
}

}  // namespace

TEST_CASE("a connection is kept and serves one request after another, on / and /rpc") {
  Fixture fixture;
  RawConnection connection(fixture.server->address());
  for (int i = 0; i < 3; ++i) {
    std::string request = post(kStatus);
    if (i == 1) request.replace(0, 7, "POST /rpc ");
    REQUIRE(connection.send(request));
    const auto response = connection.response();
    REQUIRE(response);
    CHECK(response->status == 200);
    CHECK(response->headers.at("content-type") == "application/json");
    CHECK(body_of(*response)["result"]["chain_name"] == "local-fake");
  }
}

TEST_CASE("requests sent ahead of the answers are answered in order") {
  Fixture fixture;
  RawConnection connection(fixture.server->address());
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    requests += post(
        R"({"jsonrpc":"2.0","id":)" + std::to_string(i) +
        R"(,"method":"account_get","params":["qrt1qz3g4ymwhlaavcfr45a9x7egun0vpj9rus6rep49"]})");
  }
  connection.send(requests);
  for (int i = 0; i < 20; ++i) {
    const auto response = connection.response();
    REQUIRE(response);
    CHECK(body_of(*response)["id"] == i);
    CHECK(body_of(*response)["result"]["balance"] == "1000000");
  }
}

TEST_CASE("JSON-RPC errors are HTTP 200, only notifications are 204") {
  Fixture fixture;
  for (const char* body : {"{", "[]", "1", R"({"jsonrpc":"2.0","id":1,"method":"none"})"}) {
    const RawResponse response = fixture.once(post(body));
    CHECK(response.status == 200);
    CHECK((body_of(response).contains("error")));
  }
  const RawResponse none = fixture.once(post(R"({"jsonrpc":"2.0","method":"chain_getStatus"})"));
  CHECK(none.status == 204);
  CHECK(none.body.empty());
}

TEST_CASE("200,000 nested arrays get a parse error and the node goes on") {
  Fixture fixture;
  for (const std::string& body :
       {std::string(200'000, '['), std::string(200'000, '[') + std::string(200'000, ']'),
        R"({"jsonrpc":"2.0","id":1,"method":"tx_submit","params":)" + std::string(200'000, '[') +
            std::string(200'000, ']') + "}"}) {
    const RawResponse response = fixture.once(post(body));
    CHECK(response.status == 200);
    CHECK(body_of(response)["error"]["code"] == -32700);
  }
  CHECK(fixture.status(post(kStatus)) == 200);
}

TEST_CASE("wrong methods are 405 and name what is allowed") {
  Fixture fixture;
  const auto allow = [&](const std::string& method, const std::string& path) {
    const RawResponse response = fixture.once(
        method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    CHECK(response.status == 405);
    return response.headers.at("allow");
  };
  CHECK(allow("GET", "/") == "POST");
  CHECK(allow("PUT", "/rpc") == "POST");
  CHECK(allow("OPTIONS", "/") == "POST");
  CHECK(allow("POST", "/livez") == "GET, HEAD");
  CHECK(allow("POST", "/ws") == "GET");
}

TEST_CASE("what is no JSON by its type is 415, also without a type") {
  Fixture fixture;
  const auto with_type = [&](const std::string& header) {
    return fixture.status("POST / HTTP/1.1\r\nHost: localhost\r\n" + header + "Content-Length: " +
                          std::to_string(kStatus.size()) + "\r\n\r\n" + kStatus);
  };
  CHECK(with_type("") == 415);
  CHECK(with_type("Content-Type: text/plain\r\n") == 415);
  CHECK(with_type("Content-Type: application/x-www-form-urlencoded\r\n") == 415);
  CHECK(with_type("Content-Type: application/jsonx\r\n") == 415);
  CHECK(with_type("Content-Type: application/json; charset=utf-8\r\n") == 200);
  CHECK(with_type("content-type: Application/JSON\r\n") == 200);
}

TEST_CASE("bodies up to 1,000,000 bytes pass, larger ones are 413 in every form") {
  Fixture fixture;
  CHECK(fixture.status(post(kStatus + std::string(1'000'000 - kStatus.size(), ' '))) == 200);
  CHECK(fixture.status(post(kStatus + std::string(1'000'001 - kStatus.size(), ' '))) == 413);
  // Announced only: answered before a byte of the body was sent.
  CHECK(fixture.status("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       "Content-Length: 99999999999\r\n\r\n") == 413);
  // In chunks, without an announced length.
  std::string chunked =
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 5; ++i) chunked += "40000\r\n" + std::string(0x40000, ' ') + "\r\n";
  CHECK(fixture.status(chunked + "0\r\n\r\n") == 413);
}

TEST_CASE("heads that are too large are 431, what is no HTTP is 400") {
  Fixture fixture;
  CHECK(fixture.status(post(kStatus, "X-Long: " + std::string(20'000, 'x') + "\r\n")) == 431);
  CHECK(fixture.status("this is not HTTP\r\n\r\n") == 400);
  CHECK(fixture.status("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n") == 400);
  CHECK(fixture.status(post(kStatus)) == 200);
}

TEST_CASE("only known Hosts and Origins are served") {
  Fixture fixture({.listen = "", .allowed_hosts = {"Node.Example.org"}});
  const auto with = [&](const std::string& headers) {
    return fixture.status("POST / HTTP/1.1\r\n" + headers +
                          "Content-Type: application/json\r\nContent-Length: " +
                          std::to_string(kStatus.size()) + "\r\n\r\n" + kStatus);
  };
  CHECK(with("Host: localhost:8645\r\n") == 200);
  CHECK(with("Host: localhost\r\nHost: localhost\r\n") == 400);
  CHECK(with("Host: 127.0.0.1\r\n") == 200);
  CHECK(with("Host: [::1]:8645\r\n") == 200);
  CHECK(with("Host: node.example.org:1\r\n") == 200);
  CHECK(with("Host: evil.example.org\r\n") == 403);
  CHECK(with("Host: localhost.evil.org\r\n") == 403);
  CHECK(with("") == 400);
  CHECK(with("Host: localhost\r\nOrigin: http://localhost:8645\r\n") == 200);
  CHECK(with("Host: localhost\r\nOrigin: https://evil.org\r\n") == 403);
  CHECK(with("Host: localhost\r\nOrigin: null\r\n") == 403);
}

TEST_CASE("unknown paths are 404 with a word on where to go") {
  Fixture fixture;
  const RawResponse response = fixture.get("/nothing");
  CHECK(response.status == 404);
  CHECK(response.body.find("JSON-RPC is POST /") != std::string::npos);
}

TEST_CASE("a client that asks for 100-continue gets it, or the refusal at once") {
  Fixture fixture;
  RawConnection connection(fixture.server->address());
  const std::string whole = post(kStatus, "Expect: 100-continue\r\n");
  connection.send(whole.substr(0, whole.size() - kStatus.size()));
  const auto go_on = connection.response();
  REQUIRE(go_on);
  CHECK(go_on->status == 100);
  connection.send(kStatus);
  CHECK(connection.response()->status == 200);
}

TEST_CASE("the pages for machines: livez, readyz, version, metrics, openrpc") {
  Fixture fixture;
  CHECK(fixture.get("/livez").status == 200);
  CHECK(fixture.get("/readyz").status == 200);
  CHECK(body_of(fixture.get("/version"))["version"] == "0.1.0");
  CHECK(body_of(fixture.get("/openrpc.json"))["openrpc"] == "1.2.6");
  fixture.status(post(kStatus));
  const RawResponse metrics = fixture.get("/metrics?x=1");
  CHECK(metrics.body.find("quorate_fake 1\n") != std::string::npos);
  CHECK(metrics.body.find("quorate_rpc_requests_total{method=\"chain_getStatus\",code=\"0\"} 1") !=
        std::string::npos);
  const RawResponse head = fixture.once("HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", true);
  CHECK(head.status == 200);
  CHECK(head.headers.at("content-length") == std::to_string(fixture.get("/livez").body.size()));

  fixture.backend.set_not_ready("2 of 4 validators connected, a quorum is 3");
  fixture.backend.set_syncing(true);
  const RawResponse unready = fixture.get("/readyz");
  CHECK(unready.status == 503);
  CHECK(body_of(unready)["ready"] == false);
  CHECK(body_of(unready)["checks"][0]["ok"] == false);
  CHECK(body_of(unready)["checks"][1]["detail"] == "2 of 4 validators connected, a quorum is 3");
  CHECK(body_of(unready)["checks"][2]["ok"] == true);
}

TEST_CASE("over the rate an address gets 429 with Retry-After, its probes are still served") {
  Fixture fixture({.listen = "", .requests_per_second = 5});
  int refused = 0;
  std::string retry_after;
  for (int i = 0; i < 8; ++i) {
    const RawResponse response = fixture.once(post(kStatus));
    if (response.status != 429) continue;
    ++refused;
    retry_after = response.headers.at("retry-after");
  }
  CHECK(refused >= 2);
  CHECK(retry_after == "1");
  CHECK(fixture.get("/livez").status == 200);
}

TEST_CASE("a batch costs as many requests as it holds") {
  Fixture fixture({.listen = "", .requests_per_second = 20});
  Json batch = Json::array();
  for (int i = 0; i < 50; ++i) batch.push_back(Json::parse(kStatus));
  CHECK(fixture.status(post(batch.dump())) == 200);
  const RawResponse response = fixture.once(post(kStatus));
  CHECK(response.status == 429);
  CHECK(response.headers.at("retry-after") == "2");
}

TEST_CASE("connections over a cap are refused with a reason, and served again when others go") {
  Fixture fixture({.listen = "", .connections_max = 2});
  {
    RawConnection first(fixture.server->address());
    RawConnection second(fixture.server->address());
    first.send(post(kStatus));
    second.send(post(kStatus));
    CHECK(first.response()->status == 200);
    CHECK(second.response()->status == 200);
    RawConnection third(fixture.server->address());
    const auto refused = third.response();
    REQUIRE(refused);
    CHECK(refused->status == 429);
    CHECK(refused->headers.contains("retry-after"));
    CHECK(third.closed_by_peer());
  }
  int status = 0;
  for (int i = 0; i < 1000 && status != 200; ++i) status = fixture.status(post(kStatus));
  CHECK(status == 200);

  Fixture small({.listen = "", .connections_total_max = 1});
  RawConnection only(small.server->address());
  only.send(post(kStatus));
  CHECK(only.response()->status == 200);
  CHECK(RawConnection(small.server->address()).response()->status == 503);
}

TEST_CASE("a client that dawdles over a head or a body is cut off, others are served") {
  Fixture fixture({.listen = "", .read_timeout = std::chrono::milliseconds(150)});
  RawConnection silent(fixture.server->address());
  RawConnection slow_head(fixture.server->address());
  RawConnection slow_body(fixture.server->address());
  slow_head.send("POST / HTTP/1.1\r\nHost: loc");
  const std::string whole = post(kStatus);
  slow_body.send(whole.substr(0, whole.size() - 5));
  CHECK(fixture.status(whole) == 200);
  CHECK(silent.closed_by_peer());
  for (RawConnection* slow : {&slow_head, &slow_body}) {
    const auto late = slow->response();
    REQUIRE(late);
    CHECK(late->status == 408);
    CHECK(late->headers.at("connection") == "close");
    CHECK(slow->closed_by_peer());
  }
}

TEST_CASE("waiting for finality does not keep others from being served") {
  Fixture fixture;
  const Bytes tx = fixture.backend.transfer(0, 1, 1, 25);
  RawConnection waiting(fixture.server->address());
  waiting.send(post(R"({"jsonrpc":"2.0","id":1,"method":"tx_submitAndWait","params":[")" +
                    to_0x(tx) + R"(",20000]})"));
  // Served by the same single thread, while the other call waits in the backend.
  std::size_t pooled = 0;
  while (pooled == 0) {
    const Json json =
        body_of(fixture.once(post(R"({"jsonrpc":"2.0","id":1,"method":"mempool_getStatus"})")));
    pooled = json["result"]["transactions"].get<std::size_t>();
  }
  fixture.backend.make_block();
  const auto response = waiting.response();
  REQUIRE(response);
  CHECK(body_of(*response)["result"]["status"] == "final");
}

TEST_CASE("thousands of transactions go in one call") {
  Fixture fixture;
  Json txs = Json::array();
  std::size_t size = 100;
  for (std::uint64_t nonce = 1; size < 950'000; ++nonce) {
    txs.push_back(to_0x(fixture.backend.transfer(0, nonce, 1, 1)));
    size += txs.back().get_ref<const std::string&>().size() + 3;
  }
  CHECK(txs.size() > 2'000);
  const Json request = {
      {"jsonrpc", "2.0"}, {"id", 1}, {"method", "tx_submitBatch"}, {"params", {{"txs", txs}}}};
  const RawResponse response = fixture.once(post(request.dump()));
  REQUIRE(response.status == 200);
  CHECK(body_of(response)["result"]["admitted"] == txs.size());
  CHECK(fixture.backend.mempool().transactions == txs.size());
}

TEST_CASE("stopping answers what is under way, refuses what comes, and then is gone") {
  auto fixture = std::make_unique<Fixture>();
  const std::string address = fixture->server->address();
  RawConnection waiting(address);
  RawConnection kept(address);
  kept.send(post(kStatus));
  CHECK(kept.response()->status == 200);
  const Bytes tx = fixture->backend.transfer(0, 1, 1, 25);
  waiting.send(post(R"({"jsonrpc":"2.0","id":1,"method":"tx_submitAndWait","params":[")" +
                    to_0x(tx) + R"("]})"));
  while (fixture->backend.mempool().transactions == 0) fixture->get("/livez");

  auto stopping = std::async(std::launch::async, [&] { fixture->server->stop(); });
  while (fixture->get("/readyz").status != 503) {
  }
  kept.send(post(kStatus));
  const auto refused = kept.response();
  REQUIRE(refused);
  CHECK(refused->status == 503);
  CHECK(refused->headers.contains("retry-after"));
  CHECK(kept.closed_by_peer());

  fixture->backend.make_block();
  const auto response = waiting.response();
  REQUIRE(response);
  CHECK(body_of(*response)["result"]["status"] == "final");
  stopping.get();
  fixture->server->stop();
}

TEST_CASE("an answer of the backend that comes after the server has gone harms nobody") {
  Fixture fixture({.listen = "", .drain_timeout = std::chrono::milliseconds(10)});
  RawConnection waiting(fixture.server->address());
  const Bytes tx = fixture.backend.transfer(0, 1, 1, 25);
  waiting.send(post(R"({"jsonrpc":"2.0","id":1,"method":"tx_submitAndWait","params":[")" +
                    to_0x(tx) + R"("]})"));
  while (fixture.backend.mempool().transactions == 0) fixture.get("/livez");
  fixture.server.reset();
  CHECK(waiting.closed_by_peer());
  fixture.backend.make_block();
}

TEST_CASE("a port that is taken and an address that is none are told apart") {
  Fixture fixture;
  const auto taken = RpcServer::start({.listen = fixture.server->address()}, fixture.backend);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == Errc::unavailable);
  CHECK(taken.error().detail.find(fixture.server->address()) != std::string::npos);
  for (const char* listen : {"", "8645", "nowhere:x", "127.0.0.1:99999", "127.0.0.1:"}) {
    const auto wrong = RpcServer::start({.listen = listen}, fixture.backend);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == Errc::invalid_argument);
  }
}
