// The dispatcher and all methods, without a server, over a backend that answers at once.
#pragma once

#include <catch2/catch.hpp>

#include "rpc/methods/dispatcher.hpp"
#include "tests/unit/rpc/fake_backend.hpp"

namespace quorate::rpc::test {

struct DispatcherFixture {
  explicit DispatcherFixture(FakeOptions options = {.threaded = false}) : backend(options) {}
  FakeBackend backend;
  Dispatcher dispatcher{backend, nullptr};

  std::string text(std::string_view request) {
    std::string out;
    int replies = 0;
    dispatcher.handle(request, nullptr, [&](std::string reply) {
      out = std::move(reply);
      ++replies;
    });
    CHECK(replies == 1);
    return out;
  }
  Json answer(std::string_view request) { return parse_json(text(request)).value(); }
  Json call(const std::string& method, const Json& params) {
    const Json request = {{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
    return answer(request.dump());
  }
  Json result(const std::string& method, const Json& params) {
    const Json reply = call(method, params);
    INFO(reply.dump());
    REQUIRE(reply.contains("result"));
    return reply["result"];
  }
  // Checks code and reason of the error, and that data is an object.
  Json error(const std::string& method, const Json& params, int code, const std::string& reason) {
    const Json reply = call(method, params);
    INFO(method << params.dump() << reply.dump());
    REQUIRE(reply.contains("error"));
    CHECK(reply["error"]["code"] == code);
    REQUIRE(reply["error"]["data"].is_object());
    CHECK(reply["error"]["data"]["reason"] == reason);
    return reply["error"];
  }
};

inline int code_of(const Json& reply) { return reply["error"]["code"].get<int>(); }

}  // namespace quorate::rpc::test
