#include "node/runtime/consensus_thread.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/node/net_fixture.hpp"
#include "tests/unit/node/replica_bench.hpp"

namespace quorate::node {
namespace {

using test::Watched;

// What the engine saw: the number of a message, or kAnswer for a completion.
constexpr int kAnswer = -1;
constexpr std::uint8_t kGate = 0;  // a message with which the engine waits until the test lets go

// A consensus thread whose replica has an engine that notes everything.
struct Fixture {
  Fixture() {
    auto engine = std::make_unique<testing::FakeEngine>();
    engine->on_step = [this](const consensus::Input& input, auto&) { note(input); };
    ReplicaConfig config;
    config.genesis = testing::test_genesis();
    config.self = ReplicaId(0);
    auto replica = std::make_unique<Replica>(
        std::move(config),
        consensus::EngineParts{
            std::move(engine), std::make_shared<const testing::FakeVerifier>(), {}, nullptr},
        Ports{ports, ports, ports, ports, ports, ports});
    ReplicaStarted started;
    started.state = std::make_shared<testing::FakeState>();
    thread.start(std::move(replica), std::move(started));
  }
  void note(const consensus::Input& input) {
    if (std::holds_alternative<consensus::PayloadLoaded>(input)) {
      seen.update([](auto& all) { all.push_back(kAnswer); });
    }
    const auto* received = std::get_if<consensus::MessageReceived>(&input);
    if (received == nullptr) return;
    const auto number = dynamic_cast<const testing::FakeMessage&>(*received->message).number;
    seen.update([&](auto& all) { all.push_back(number); });
    if (number == kGate) gate.wait([](bool open) { return open; });
  }
  void receive(std::uint32_t from, std::uint8_t number,
               TrafficClass traffic = TrafficClass::consensus, Budget::Credit credit = {}) {
    thread.post_received(
        traffic,
        {ReplicaId(from), ConsensusMessage{std::make_shared<const testing::FakeMessage>(number)}},
        std::move(credit));
  }
  // From here on everything waits.
  void close_gate() {
    receive(3, kGate);
    REQUIRE(seen.wait([](const auto& all) { return !all.empty(); }));
  }
  std::vector<int> open_gate(std::size_t count) {
    gate.update([](bool& open) { open = true; });
    REQUIRE(seen.wait([&](const auto& all) { return all.size() == count + 1; }));
    auto all = seen.get();
    all.erase(all.begin());
    return all;
  }

  testing::FakePorts ports;
  Watched<bool> gate;
  Watched<std::vector<int>> seen;
  ConsensusThread thread;  // last: it stops before what it uses goes
};

TEST_CASE("A peer that floods holds up the messages of others by one of its own") {
  for (const auto traffic : {TrafficClass::consensus, TrafficClass::sync}) {
    Fixture fixture;
    fixture.close_gate();
    for (int i = 0; i < 1'000; ++i) fixture.receive(1, 1, traffic);
    for (int i = 0; i < 5; ++i) fixture.receive(2, 2);
    const auto seen = fixture.open_gate(1'005);
    const auto last = std::find(seen.rbegin(), seen.rend(), 2).base();
    CHECK(std::count(seen.begin(), last, 1) <= 5);
  }
}

TEST_CASE("What the node asked for itself comes before what peers sent") {
  Fixture fixture;
  fixture.close_gate();
  for (int i = 0; i < 1'000; ++i) fixture.receive(1, 1);
  fixture.thread.post(PayloadLoaded{});
  const auto seen = fixture.open_gate(1'001);
  CHECK(seen.front() == kAnswer);
}

TEST_CASE("A question is answered while many frames wait") {
  Fixture fixture;
  fixture.close_gate();
  for (int i = 0; i < 1'000; ++i) fixture.receive(1, 1);
  Watched<std::size_t> seen_before;
  fixture.thread.inspect([&](const Replica&) {
    const std::size_t count = fixture.seen.get().size();
    seen_before.update([&](std::size_t& value) { value = count; });
  });
  fixture.open_gate(1'000);
  CHECK(seen_before.get() == 1);  // the gate itself
}

TEST_CASE("So many frames of one peer and class wait, then the oldest gives way with its bytes") {
  constexpr std::size_t kMore = 10;
  Fixture fixture;
  Budget budget(ConsensusThread::kWaitingMax + kMore);
  fixture.close_gate();
  for (std::size_t i = 0; i < ConsensusThread::kWaitingMax + kMore; ++i) {
    auto credit = budget.take(1);
    REQUIRE(credit.has_value());
    fixture.receive(1, i < kMore ? 1 : 2, TrafficClass::consensus, std::move(*credit));
  }
  fixture.receive(1, 3, TrafficClass::sync);
  fixture.receive(2, 4);
  CHECK(fixture.thread.statistics().dropped ==
        std::array<std::uint64_t, kTrafficClasses>{kMore, 0, 0});
  CHECK(fixture.thread.statistics().queued_urgent == ConsensusThread::kWaitingMax + 2);
  const auto returned = budget.take(kMore);
  CHECK(returned.has_value());
  CHECK(!budget.take(1).has_value());
  const auto seen = fixture.open_gate(ConsensusThread::kWaitingMax + 2);
  CHECK(std::count(seen.begin(), seen.end(), 1) == 0);
  CHECK(std::count(seen.begin(), seen.end(), 2) ==
        static_cast<std::ptrdiff_t>(ConsensusThread::kWaitingMax));
  CHECK(std::count(seen.begin(), seen.end(), 3) + std::count(seen.begin(), seen.end(), 4) == 2);
}

TEST_CASE("A fair queue takes one of each source in turn and goes on where it stopped") {
  FairQueue<int> queue;
  for (int i = 0; i < 4; ++i) queue.push(0, i);
  queue.push(2, 20);
  queue.push(2, 21);
  std::vector<int> taken;
  queue.take(2, taken);
  CHECK(taken == std::vector<int>{0, 20});
  queue.take(10, taken);
  CHECK(taken == std::vector<int>{0, 20, 1, 21, 2, 3});
  CHECK(queue.empty());
  queue.take(1, taken);
  CHECK(taken.size() == 6);
}

TEST_CASE("A full source of a fair queue hands back its oldest item, and only its own") {
  FairQueue<int> queue;
  CHECK(!queue.push(0, 1, 2));
  CHECK(!queue.push(0, 2, 2));
  CHECK(!queue.push(1, 9, 2));
  CHECK(queue.push(0, 3, 2) == 1);
  CHECK(queue.size() == 3);
  std::vector<int> taken;
  queue.take(3, taken);
  CHECK(taken == std::vector<int>{2, 9, 3});
}

}  // namespace
}  // namespace quorate::node
