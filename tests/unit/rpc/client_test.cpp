// The client against real servers, dead ports and servers that misbehave.
#include "rpc/client/rpc_client.hpp"

#include "rpc/client/url.hpp"
#include "rpc/server/rpc_server.hpp"
#include "tests/unit/rpc/fake_backend.hpp"
#include "tests/unit/rpc/impostor.hpp"

using namespace quorate;
using namespace quorate::rpc;
using namespace quorate::rpc::test;
using Json = nlohmann::json;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<RpcServer> serve(FakeBackend& backend, const std::string& listen = "127.0.0.1:0") {
  return RpcServer::start({.listen = listen}, backend).value();
}

std::string url_of(const RpcServer& server) { return "http://" + server.address(); }

// A port where nobody listens.
std::string dead_url() {
  FakeBackend backend;
  return url_of(*serve(backend));
}

}  // namespace

TEST_CASE("URLs of nodes are read strictly") {
  CHECK(parse_url("http://127.0.0.1:8646")->port == "8646");
  CHECK(parse_url("http://node.example.org/")->port == "8645");
  CHECK(parse_url("http://[::1]:99")->host == "::1");
  CHECK(parse_url("http://[::1]:99")->authority() == "[::1]:99");
  CHECK(parse_url("ws://localhost:1/ws")->host == "localhost");
  for (const char* text :
       {"", "127.0.0.1:8645", "https://a", "http://", "http://:80", "http://a:0", "http://a:65536",
        "http://a:x", "http://a/b", "http://u@a", "http://a b", "http://[::1", "http://a?x"}) {
    INFO(text);
    const auto url = parse_url(text);
    REQUIRE_FALSE(url);
    CHECK(url.error().code == Errc::invalid_argument);
    CHECK(url.error().detail.find("http://127.0.0.1:8645") != std::string::npos);
  }
  CHECK_FALSE(RpcClient::create({}));
  CHECK_FALSE(RpcClient::create({"http://a", "b"}));
}

TEST_CASE("results, and errors with code and data, come through") {
  FakeBackend backend;
  const auto server = serve(backend);
  RpcClient client = RpcClient::create({url_of(*server)}).value();
  for (int i = 0; i < 3; ++i) {
    CHECK(client.call("chain_getStatus", Json::array()).value()["height"] == 0);
  }
  const auto error = client.call("chain_getBlock", {{"block", 5}}).error();
  CHECK(error.kind == RpcError::Kind::answered);
  CHECK(error.code == -32001);
  CHECK(error.data["reason"] == "not_found");
  CHECK(error.url == url_of(*server));
  CHECK(client.get("/livez").value().status == 200);
  CHECK(client.get("/nothing").value().status == 404);
}

TEST_CASE("a dead node is skipped, and the client stays with the one that answers") {
  FakeBackend backend;
  const auto server = serve(backend);
  RpcClient client = RpcClient::create({dead_url(), url_of(*server)}).value();
  CHECK(client.call("chain_getStatus", Json::array()));
  CHECK(client.url() == url_of(*server));
  CHECK(client.call("chain_getStatus", Json::array()));
}

TEST_CASE("when the node dies between calls the next one takes over") {
  FakeBackend backend;
  auto first = serve(backend);
  FakeBackend other;
  const auto second = serve(other);
  RpcClient client = RpcClient::create({url_of(*first), url_of(*second)}).value();
  CHECK(client.call("chain_getStatus", Json::array()));
  CHECK(client.url() == url_of(*first));
  first.reset();
  CHECK(client.call("chain_getStatus", Json::array()));
  CHECK(client.url() == url_of(*second));
}

TEST_CASE("a node that was restarted is found again over the connection that broke") {
  FakeBackend backend;
  auto server = serve(backend);
  const std::string address = server->address();
  RpcClient client = RpcClient::create({url_of(*server)}).value();
  CHECK(client.call("chain_getStatus", Json::array()));
  server.reset();
  const auto error = client.call("chain_getStatus", Json::array()).error();
  CHECK(error.kind == RpcError::Kind::unreachable);
  server = serve(backend, address);
  CHECK(client.call("chain_getStatus", Json::array()));
  server.reset();
  server = serve(backend, address);
  CHECK(client.call("chain_getStatus", Json::array()));
}

TEST_CASE("when nobody answers, the error names the node and counts the others") {
  const std::string dead = dead_url();
  RpcClient client = RpcClient::create({dead, dead_url()}).value();
  const auto error = client.call("chain_getStatus", Json::array()).error();
  CHECK(error.kind == RpcError::Kind::unreachable);
  CHECK(error.url == dead);
  CHECK(error.message.find(dead) != std::string::npos);
  CHECK(error.message.find("no other of 2 nodes") != std::string::npos);
}

TEST_CASE("a node that never answers is a timeout, and no other node is asked") {
  const Impostor mute("");
  FakeBackend backend;
  const auto server = serve(backend);
  RpcClient client = RpcClient::create({mute.url(), url_of(*server)}, {1000ms, 150ms}).value();
  const auto error = client.call("tx_submitAndWait", Json::array({"0x"})).error();
  CHECK(error.kind == RpcError::Kind::timeout);
  CHECK(error.url == mute.url());
}

TEST_CASE("answers that are no JSON-RPC are a protocol error") {
  const auto kind = [](const std::string& answer) {
    const Impostor impostor(answer);
    RpcClient client = RpcClient::create({impostor.url()}).value();
    return client.call("chain_getStatus", Json::array()).error().kind;
  };
  CHECK(kind(http_ok("hello")) == RpcError::Kind::protocol);
  CHECK(kind(http_ok("[]")) == RpcError::Kind::protocol);
  CHECK(kind(http_ok("{}")) == RpcError::Kind::protocol);
  CHECK(kind(http_ok(std::string(200'000, '['))) == RpcError::Kind::protocol);
  CHECK(kind(http_ok(R"({"error":5})")) == RpcError::Kind::protocol);
  CHECK(kind(http_ok(R"({"error":{"code":"x","message":1}})")) == RpcError::Kind::protocol);
  CHECK(kind("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n") ==
        RpcError::Kind::protocol);
  CHECK(kind("what?\r\n\r\n") == RpcError::Kind::unreachable);
}
