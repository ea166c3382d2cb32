// docs/rpc.md, from its marker on, is what the method table and the real answers of a small chain
// give. When they change: QUORATE_REWRITE=1 build/tests/rpc_methods_test, and read the difference.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "rpc/methods/dispatcher.hpp"
#include "rpc/subscriptions/subscription_set.hpp"
#include "tests/unit/rpc/fake_backend.hpp"

using namespace quorate;
using namespace quorate::rpc;
using quorate::rpc::test::FakeBackend;

namespace {

const std::string kPath = std::string(QUORATE_SOURCE_DIR) + "/docs/rpc.md";
const std::string kMarker = "<!-- generated from here on by tests/unit/rpc/docs_test.cpp -->\n";

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Two blocks, the second with a transfer from alice to bob.
void grow(FakeBackend& backend) {
  backend.make_block();
  backend.submit({backend.transfer(0, 1, 1, 25)}, [](const auto&) {});
  if (backend.chain_status().height < Height(2)) backend.make_block();
}

std::string replaced(std::string text, const std::string& placeholder, const std::string& value) {
  for (auto at = text.find(placeholder); at != std::string::npos; at = text.find(placeholder)) {
    text.replace(at, placeholder.size(), value);
  }
  return text;
}

Json example_params(const Method& method, const FakeBackend& backend) {
  std::string text(method.example);
  text = replaced(text, "$chain_id", to_0x(backend.chain_id()));
  text = replaced(text, "$transaction_id", to_0x(backend.id_of(backend.transfer(0, 1, 1, 25))));
  text = replaced(text, "$overspending_tx", to_0x(backend.transfer(0, 2, 1, 99'999'999)));
  text = replaced(text, "$next_tx", to_0x(backend.transfer(0, 2, 1, 7)));
  text = replaced(text, "$tx", to_0x(backend.transfer(0, 2, 1, 5)));
  return Json::parse(text);
}

struct OneSubscription final : Connection {
  MethodResult<std::string> subscribe(const SubscriptionRequest&) override { return "0x1"; }
  bool unsubscribe(const std::string& id) override { return id == "0x1"; }
};

std::string code_block(const Json& json) { return "```json\n" + json.dump(2) + "\n```\n"; }

std::string call_example(const Method& method) {
  FakeBackend backend({.threaded = false,
                       .commit_at_once = method.name == "tx_submitAndWait",
                       .work = method.name == "chain_getWorkHeaders"});
  grow(backend);
  const Json request = {{"jsonrpc", "2.0"},
                        {"id", 1},
                        {"method", method.name},
                        {"params", example_params(method, backend)}};
  OneSubscription connection;
  Json reply;
  Dispatcher(backend, nullptr).handle(request.dump(), &connection, [&](const std::string& text) {
    reply = Json::parse(text);
  });
  INFO(method.name << reply.dump());
  REQUIRE(reply.contains("result"));
  if (method.name == "rpc.discover") {
    reply["result"]["methods"] = {"..."};
    reply["result"]["components"] = {"..."};
  }
  if (method.name == "node_getInfo") {  // the only answer with the time of asking
    REQUIRE(reply["result"].contains("time_ms"));
    reply["result"]["time"] = "2031-02-03T04:05:06.789Z";
    reply["result"]["time_ms"] = 1927857906789;
  }
  return code_block(request) + "\n" + code_block(reply);
}

std::string params_table(const Method& method) {
  if (method.params.empty()) return "No parameters.\n";
  std::string out = "| parameter | | |\n|---|---|---|\n";
  for (const ParamSpec& spec : method.params) {
    out += "| `" + std::string(spec.name) + "` | " + (spec.required ? "required" : "optional") +
           " | " + std::string(spec.summary) + " |\n";
  }
  return out;
}

std::string notifications() {
  FakeBackend backend({.threaded = false, .commit_at_once = false});
  grow(backend);
  BlockFeed feed(backend);
  feed.on_block_final(Height(2));
  std::string out = "## Notifications\n";
  for (const Topic topic : {Topic::new_blocks, Topic::transactions}) {
    SubscriptionSet set(feed);
    SubscriptionRequest request;
    request.topic = topic;
    request.from_height = Height(2);
    set.activate(set.add(request).value());
    const auto step = set.next(SubscriptionSet::Which::all);
    out +=
        topic == Topic::new_blocks
            ? "\n`newBlocks`: one for every final block.\n\n"
            : "\n`transactions`: one for every final block that holds any, or any of `address`.\n"
              "Each item is as in `chain_getBlock` with `full`.\n\n";
    out += code_block(Json::parse(step.value().message.value()));
  }
  return out;
}

std::string generated() {
  std::string out = kMarker + "\n## Errors\n\n| code | `data.reason` | meaning |\n|---|---|---|\n";
  for (const auto& [code, meaning] : all_codes()) {
    const MethodError error = make_error(code, "");
    const std::string reason = code == Code::transaction_rejected
                                   ? "the transaction's, below"
                                   : "`" + error.data["reason"].get<std::string>() + "`";
    out += "| " + std::to_string(static_cast<int>(code)) + " | " + reason + " | " +
           std::string(meaning) + " |\n";
  }
  out +=
      "\nWhy a transaction is refused:\n\n| `data.reason` | code | `data.hint` |\n|---|---|---|\n";
  for (unsigned value = 1; value <= UINT8_MAX; ++value) {
    const auto reason = ledger::reason_from(static_cast<std::uint8_t>(value));
    if (!reason) continue;
    const MethodError error = from_refusal({*reason, "", {}, {}});
    out += "| `" + std::string(ledger::to_string(*reason)) + "` | " +
           std::to_string(static_cast<int>(error.code)) + " | " +
           error.data["hint"].get<std::string>() + " |\n";
  }
  out += "\n## Methods\n";
  for (const Method& method : method_table()) {
    out += "\n### " + std::string(method.name) + "\n\n" + std::string(method.summary) + "\n\n" +
           params_table(method) + "\nResult: " + std::string(method.result) + ".\n\n" +
           call_example(method);
  }
  return out + "\n" + notifications();
}

}  // namespace

TEST_CASE("docs/rpc.md says what the node does") {
  const std::string text = read_file(kPath);
  const auto marker = text.find(kMarker);
  REQUIRE(marker != std::string::npos);
  const std::string now = generated();
  if (std::getenv("QUORATE_REWRITE") != nullptr) {
    std::ofstream(kPath) << text.substr(0, marker) << now;
    WARN("docs/rpc.md was written again");
    return;
  }
  INFO("run this test with QUORATE_REWRITE=1 and read the difference");
  CHECK((text.substr(marker) == now));
}
