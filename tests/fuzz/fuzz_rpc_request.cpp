// Any text at the door of the API: the gate, the envelope, the parameters of every method and the
// answers. Each text is answered exactly once, and the answer is JSON that passes the same gate.
#include "crypto/base/assert.hpp"
#include "rpc/methods/dispatcher.hpp"
#include "tests/unit/rpc/fake_backend.hpp"

using namespace quorate::rpc;

namespace {

struct OneSubscription final : Connection {
  MethodResult<std::string> subscribe(const SubscriptionRequest&) override { return "0x1"; }
  bool unsubscribe(const std::string& id) override { return id == "0x1"; }
};

test::FakeBackend& backend() {
  static test::FakeBackend instance({.threaded = false, .commit_at_once = false});
  static const bool grown = [] {
    instance.submit({instance.transfer(0, 1, 1, 25)}, [](const auto&) {});
    instance.make_blocks(2);
    return true;
  }();
  static_cast<void>(grown);
  return instance;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Dispatcher dispatcher(backend(), nullptr);
  OneSubscription connection;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  int replies = 0;
  dispatcher.handle(text, &connection, [&](const std::string& reply) {
    ++replies;
    QUORATE_ASSERT(reply.empty() || parse_json(reply).has_value());
  });
  QUORATE_ASSERT(replies == 1);
  return 0;
}
