#include "node/runtime/execute_thread.hpp"

#include <catch2/catch.hpp>

#include "ledger/memory_snapshots.hpp"
#include "tests/unit/node/core_fixture.hpp"
#include "tests/unit/node/net_fixture.hpp"

namespace quorate::node {
namespace {

using testing::test_genesis;
using testing::transaction;

// What an execute thread answered, in order: a height executed as it is, one taken back to as its
// negative.
struct Setup {
  Setup() {
    ExecuteCallbacks callbacks;
    callbacks.on_executed = [this](const BlocksExecuted& done) {
      answers.update([&](auto& all) {
        for (const auto& block : done.blocks) {
          all.push_back(static_cast<std::int64_t>(block.header.height.value()));
        }
      });
    };
    callbacks.on_rewound = [this](const LedgerRewound& done) {
      answers.update([&](auto& all) {
        all.push_back(-static_cast<std::int64_t>(done.rewound.head.height.value()));
      });
    };
    callbacks.on_loaded = [this](const PayloadLoaded& loaded) {
      loads.update([&](auto& all) { all.push_back(loaded.body.has_value()); });
    };
    callbacks.on_read = [](const BlocksRead&) {};
    thread = std::make_unique<ExecuteThread>(*chain, std::move(callbacks), log);
  }
  static Digest id(std::uint8_t branch, std::uint64_t height) {
    Digest out;
    out.bytes[0] = branch;
    out.bytes[1] = static_cast<std::uint8_t>(height);
    return out;
  }
  void execute(std::uint8_t branch, std::uint64_t height) {
    ledger::OrderedBlock block;
    block.height = Height(height);
    block.payload_id = id(branch, height);
    block.payload = ledger::encode_payload({});
    block.commit_certificate = {branch};
    thread->execute(std::move(block));
  }
  std::vector<std::int64_t> wait_for_back_to(std::int64_t height) {
    REQUIRE(answers.wait(
        [&](const auto& all) { return std::find(all.begin(), all.end(), -height) != all.end(); }));
    return answers.get();
  }

  ledger::MemoryStore store;
  ledger::MemorySnapshots snapshots{store};
  std::unique_ptr<ledger::Chain> chain =
      *ledger::Chain::open(store, test_genesis(), {.seals = false, .snapshots = &snapshots});
  test::MemoryLog log;
  test::Watched<std::vector<std::int64_t>> answers;
  test::Watched<std::vector<bool>> loads;
  std::unique_ptr<ExecuteThread> thread;
};

}  // namespace

TEST_CASE("The execute thread takes blocks back in order with the others") {
  Setup setup;
  for (std::uint64_t height = 1; height <= 200; ++height) setup.execute(1, height);
  setup.thread->rewind(Height(150));
  const auto answers = setup.wait_for_back_to(150);
  // What is answered above 150 was executed before the rewind was seen; the rest was left out.
  for (std::size_t i = 0; i + 1 < answers.size(); ++i) {
    CHECK(answers[i] == static_cast<std::int64_t>(i + 1));
  }
  CHECK(answers.size() >= 151);
  CHECK(answers.back() == -150);
  setup.execute(2, 151);
  REQUIRE(setup.answers.wait([](const auto& all) { return all.back() == 151; }));
  CHECK(setup.chain->head().payload_id == Setup::id(2, 151));
  CHECK(setup.thread->statistics().rewinds == 1);
}

TEST_CASE("A payload is loaded by its id, not by a height that another block has now") {
  Setup setup;
  setup.execute(1, 1);
  setup.execute(1, 2);
  setup.thread->rewind(Height(1));
  setup.wait_for_back_to(1);
  setup.execute(2, 2);
  REQUIRE(setup.answers.wait([](const auto& all) { return all.back() == 2; }));
  setup.thread->load_payload(Setup::id(1, 2));
  setup.thread->load_payload(Setup::id(2, 2));
  REQUIRE(setup.loads.wait([](const auto& all) { return all.size() == 2; }));
  CHECK(setup.loads.get() == std::vector<bool>{false, true});
}

TEST_CASE("What was asked for before the stop is done, rewinds included") {
  Setup setup;
  for (std::uint64_t height = 1; height <= 20; ++height) setup.execute(1, height);
  setup.thread->rewind(Height(7));
  setup.thread->stop();
  CHECK(setup.chain->head().height == Height(7));
}

}  // namespace quorate::node
