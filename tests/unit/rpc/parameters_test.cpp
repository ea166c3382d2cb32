// One wrong value for every parameter of every method: the same code and reason everywhere, and the
// parameter named. A method or a kind that is added is tested without being listed here.
#include "tests/unit/rpc/dispatcher_fixture.hpp"

using namespace quorate;
using namespace quorate::rpc;
using quorate::rpc::test::FakeBackend;

namespace {

struct AnyConnection final : Connection {
  MethodResult<std::string> subscribe(const SubscriptionRequest&) override { return "0x1"; }
  bool unsubscribe(const std::string&) override { return true; }
};

Json right_value(ParamKind kind) {
  switch (kind) {
    case ParamKind::block: return "latest";
    case ParamKind::height: return 1;
    case ParamKind::digest: return to_0x(Digest{});
    case ParamKind::address: return crypto::to_text(crypto::dev_account_address(0));
    case ParamKind::transaction: return "0x00";
    case ParamKind::transactions: return Json::array();
    case ParamKind::number: return 1;
    case ParamKind::share: return 0.1;
    case ParamKind::flag: return true;
    case ParamKind::order: return "asc";
    case ParamKind::topic: return "transactions";
    case ParamKind::subscription: return "0x1";
    case ParamKind::filter: return Json::object();
  }
  return nullptr;
}

std::vector<Json> wrong_values(ParamKind kind) {
  switch (kind) {
    case ParamKind::block: return {-1, "newest", Json::array()};
    case ParamKind::height: return {-1, "1", 1.5};
    case ParamKind::digest: return {"0x12", 5, std::string(64, '0')};
    case ParamKind::address: return {"qrt1qqq", 5};
    case ParamKind::transaction: return {"0xzz", "0X00", "0x0", "00", 5};
    case ParamKind::transactions: return {"0x00", 5};
    case ParamKind::number: return {-1, "1", UINT64_MAX};
    case ParamKind::share: return {0.7, -0.1, "0.1"};
    case ParamKind::flag: return {1, "true"};
    case ParamKind::order: return {"up", 1};
    case ParamKind::topic: return {"oldBlocks", 1};
    case ParamKind::subscription: return {1};
    case ParamKind::filter:
      return {5, Json{{"address", "qrt1qqq"}}, Json{{"from_height", -1}}, Json{{"adress", 1}}};
  }
  return {};
}

void expect_refused(FakeBackend& backend, const Method& method, const ParamSpec& wrong,
                    const Json& value) {
  Json params = Json::object();
  for (const ParamSpec& spec : method.params) {
    if (spec.required) params[std::string(spec.name)] = right_value(spec.kind);
  }
  params[std::string(wrong.name)] = value;
  const Json request = {{"jsonrpc", "2.0"}, {"id", 1}, {"method", method.name}, {"params", params}};
  Dispatcher dispatcher(backend, nullptr);
  AnyConnection connection;
  std::string text;
  dispatcher.handle(request.dump(), &connection,
                    [&](std::string reply) { text = std::move(reply); });
  INFO(request.dump() << "\n" << text);
  const Json reply = parse_json(text).value();
  REQUIRE(reply.contains("error"));
  CHECK(reply["error"]["code"] == -32602);
  CHECK(reply["error"]["data"]["reason"] == "invalid_params");
  CHECK(reply["error"]["data"].contains("parameter"));
}

}  // namespace

TEST_CASE("a wrong value is invalid_params in every parameter of every method") {
  FakeBackend sealed({.threaded = false});
  FakeBackend mined({.threaded = false, .work = true});
  std::size_t tried = 0;
  for (const Method& method : method_table()) {
    for (const ParamSpec& spec : method.params) {
      for (const Json& value : wrong_values(spec.kind)) {
        // Either engine's chain leaves some methods out.
        expect_refused(method.name == "chain_getWorkHeaders" ? mined : sealed, method, spec, value);
        ++tried;
      }
    }
  }
  CHECK(tried > 60);
}
