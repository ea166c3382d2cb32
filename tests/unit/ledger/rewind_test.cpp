#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "ledger/storage_layout.hpp"
#include "tests/unit/ledger/branches.hpp"

namespace quorate::ledger::rewind_test {
namespace {

using namespace test;

}  // namespace

TEST_CASE("a rewind takes back what stood above, with everything about it") {
  Setup setup;
  const Digest& id = setup.chain->chain_id();
  const Digest genesis_root = setup.chain->state()->root();
  const auto first = transfer(id, "anna", 1, "dora", 25);
  const auto second = transfer(id, "dora", 1, "ben", 5);
  const auto poor = transfer(id, "ben", 1, "anna", 5000);
  const auto early = transfer(id, "cleo", 9, "anna", 1);
  execute_one(*setup.chain, ordered(Height(1), {first}));
  const StateViewPtr before = setup.chain->state();
  const ExecutedBlock two = execute_one(*setup.chain, ordered(Height(2), {second, poor}));
  const ExecutedBlock three = execute_one(*setup.chain, ordered(Height(3), {early}));

  const auto rewound = setup.chain->rewind(Height(1));
  REQUIRE(rewound.has_value());
  CHECK(rewound->head.height == Height(1));
  CHECK(rewound->state->root() == before->root());
  REQUIRE(rewound->withdrawn.size() == 2);
  CHECK(rewound->withdrawn[0].header == two.header);
  CHECK(rewound->withdrawn[0].block_hash == two.block_hash);
  CHECK(rewound->withdrawn[0].payload_id == two.payload_id);
  CHECK(rewound->withdrawn[0].receipts == two.receipts);
  REQUIRE(rewound->withdrawn[0].transactions.size() == 2);
  CHECK(rewound->withdrawn[0].transactions[0]->id == second->id);
  CHECK(rewound->withdrawn[0].transactions[0]->sender == second->sender);
  CHECK(rewound->withdrawn[0].transactions[0]->encoded == second->encoded);
  CHECK(rewound->withdrawn[1].header == three.header);

  const Chain& chain = *setup.chain;
  CHECK(chain.head().height == Height(1));
  CHECK(chain.rewinds() == 1);
  CHECK(chain.header(Height(2)).error().code == Errc::not_found);
  CHECK(chain.receipts(Height(3)).error().code == Errc::not_found);
  CHECK(chain.commit_certificate(Height(2)).error().code == Errc::not_found);
  CHECK(chain.height_of(two.block_hash).error().code == Errc::not_found);
  CHECK(chain.height_of_payload(two.payload_id).error().code == Errc::not_found);
  CHECK(chain.find(second->id).error().code == Errc::not_found);
  CHECK(chain.find(poor->id).error().code == Errc::not_found);
  CHECK(chain.find(first->id)->height == Height(1));
  CHECK_FALSE(chain.state_at(Height(2)).has_value());
  // A view that somebody kept is still that of the block that was withdrawn.
  CHECK(two.state->account(address("ben"))->nonce == 1);
  CHECK(chain.state()->account(address("ben"))->nonce == 0);

  SECTION("another block takes the place, and the same transaction may stand in it") {
    const ExecutedBlock other = execute_one(*setup.chain, ordered(Height(2), {second}));
    CHECK(other.receipts[0].outcome == Outcome::succeeded);
    CHECK(chain.find(second->id)->height == Height(2));
    CHECK(*chain.height_of(other.block_hash) == Height(2));
  }
  SECTION("an account that only the withdrawn blocks knew is gone") {
    REQUIRE(setup.chain->rewind(Height(0)));
    CHECK_FALSE(chain.state()->account(address("dora")).has_value());
    CHECK(chain.state()->root() == genesis_root);
    setup.reopen();
    CHECK(setup.chain->state()->root() == genesis_root);
  }
}

TEST_CASE("a rewind to the head does nothing, and one above it is refused") {
  Setup setup;
  setup.grow_to(3);
  const Head head = setup.chain->head();
  const auto same = setup.chain->rewind(Height(3));
  REQUIRE(same.has_value());
  CHECK(same->withdrawn.empty());
  CHECK(same->head.block_hash == head.block_hash);
  CHECK(setup.chain->rewinds() == 0);
  const auto above = setup.chain->rewind(Height(4));
  REQUIRE_FALSE(above.has_value());
  CHECK(above.error().code == Errc::invalid_argument);
  CHECK(above.error().detail.find("stands at height 3") != std::string::npos);
  CHECK(setup.chain->head().block_hash == head.block_hash);
}

TEST_CASE("seals above the height go, and the certified height with them") {
  Setup setup;
  setup.grow_to(6);
  for (const std::uint64_t height : {2U, 5U}) {
    const Header header = *setup.chain->header(Height(height));
    REQUIRE(setup.chain->store_seals(Height(height), seals_of(setup.genesis, header, {0, 1, 2})));
  }
  REQUIRE(setup.chain->certified_height() == Height(5));
  setup.rewind(4);
  CHECK(setup.chain->certified_height() == Height(2));
  setup.grow_to(6);
  CHECK(setup.chain->certificate(Height(5)).error().code == Errc::not_found);
  CHECK(setup.chain->certificate(Height(2)).has_value());
  setup.reopen();
  CHECK(setup.chain->certified_height() == Height(2));
  check_is_replay(*setup.chain, setup.store, setup.branch);
}

TEST_CASE("a rewind starts from memory, the newest snapshot at or below, or genesis") {
  Setup setup;
  setup.grow_to(330);
  REQUIRE(*setup.snapshots.list() == std::vector<Height>{Height(128), Height(256), Height(320)});
  CHECK(setup.rewind(325).executed_from == Height(325));  // its state was in memory
  setup.reopen();
  CHECK(setup.rewind(300).executed_from == Height(256));
  check_is_replay(*setup.chain, setup.store, setup.branch);
  setup.reopen();
  CHECK(setup.rewind(256).executed_from == Height(256));
  setup.reopen();
  CHECK(setup.rewind(255).executed_from == Height(128));
  CHECK(*setup.snapshots.list() == std::vector<Height>{Height(128)});
  setup.reopen();
  CHECK(setup.rewind(63).executed_from == Height(0));
  CHECK(setup.snapshots.list()->empty());
  check_is_replay(*setup.chain, setup.store, setup.branch);
  // Snapshots are taken again on the new branch.
  setup.grow_to(130);
  CHECK(*setup.snapshots.list() == std::vector<Height>{Height(64), Height(128)});
}

TEST_CASE("a snapshot that is damaged, or of another branch, is passed over") {
  Setup setup;
  setup.grow_to(140);
  MemorySnapshots other_branch = setup.snapshots;  // with 64 and 128 of this branch
  setup.rewind(100);
  setup.grow_to(140);
  setup.snapshots = other_branch;
  setup.reopen();
  const Rewound rewound = setup.rewind(130);
  CHECK(rewound.executed_from == Height(64));
  check_is_replay(*setup.chain, setup.store, setup.branch);

  SECTION("without any the chain is executed from genesis") {
    setup.snapshots = MemorySnapshots(setup.store);
    setup.reopen();
    CHECK(setup.rewind(70).executed_from == Height(0));
    check_is_replay(*setup.chain, setup.store, setup.branch);
  }
}

TEST_CASE("snapshots above the head are dropped when a chain is opened") {
  Setup setup;
  setup.grow_to(140);
  const MemorySnapshots before = setup.snapshots;
  setup.rewind(100);
  setup.snapshots = before;  // the process died before it could drop the one of 128
  setup.reopen();
  CHECK(*setup.snapshots.list() == std::vector<Height>{Height(64)});
}

TEST_CASE("a stored payload that gives another block is corrupt, and nothing is taken back") {
  Setup setup;
  setup.grow_to(10);
  WriteBatch batch;
  batch.put(Family::blocks, layout::payload_key(Height(5)),
            encode_payload({transfer(setup.chain->chain_id(), "anna", 1, "eve", 999)}));
  REQUIRE(setup.store.write(batch, true));
  setup.reopen();
  const auto rewound = setup.chain->rewind(Height(7));
  REQUIRE_FALSE(rewound.has_value());
  CHECK(rewound.error().code == Errc::corrupt);
  CHECK(rewound.error().detail.find("height 5") != std::string::npos);
  CHECK(setup.chain->head().height == Height(10));
}

TEST_CASE("random forks and rewinds end at a replay of the branch they end on") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Setup setup;
    setup.random.seed(seed);
    auto& random = setup.random;
    for (int step = 0; step < 40; ++step) {
      const std::uint64_t head = setup.branch.size();
      switch (random() % 8) {
        case 0:
        case 1:
        case 2:
        case 3: setup.grow_to(head + 1 + random() % 12); break;
        case 4:
        case 5: {
          const std::uint64_t to = head - std::min(head, random() % 9);
          const std::vector<OrderedBlock> before = setup.branch;
          const Rewound rewound = setup.rewind(to);
          REQUIRE(rewound.withdrawn.size() == head - to);
          for (std::size_t i = 0; i < rewound.withdrawn.size(); ++i) {
            REQUIRE(rewound.withdrawn[i].payload_id == before[to + i].payload_id);
          }
          break;
        }
        case 6:
          if (random() % 3 == 0) setup.rewind(random() % (head + 1));
          break;
        default: setup.reopen();
      }
    }
    check_is_replay(*setup.chain, setup.store, setup.branch);
    setup.reopen();
    check_is_replay(*setup.chain, setup.store, setup.branch);
  }
}

TEST_CASE("readers on other threads see the chain before a rewind or after it") {
  Setup setup;
  setup.grow_to(20);
  std::atomic<bool> wrong = false;
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> answers = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      const Chain& chain = *setup.chain;
      while (!done) {
        const Head head = chain.head();
        const auto block = chain.block(head.height);
        if (!block) continue;  // taken back in between
        // The parts of an answer are of one block: the id covers the payload.
        const auto proved = trust_fixture(head.height, block->payload, block->commit_certificate);
        if (!proved || proved->payload_id != block->header.payload_id) wrong = true;
        const auto parts = split_payload(block->payload);
        if (!parts || parts->size() != block->header.transaction_count) wrong = true;
        const auto transactions = decode_committed_payload(chain.chain_id(), block->payload);
        for (const TransactionPtr& transaction : *transactions) {
          const auto found = chain.find(transaction->id);
          if (!found && found.error().code != Errc::not_found) wrong = true;
          if (found && found->receipt.transaction_id != transaction->id) wrong = true;
        }
        const auto state = chain.state();
        std::uint64_t total = 0;
        for (const char* name : {"anna", "ben", "cleo", "dora"}) {
          if (const auto account = state->account(address(name))) total += account->balance;
        }
        if (total > 1500) wrong = true;
        ++answers;
      }
    });
  }
  for (int round = 0; round < 150 || answers < 500; ++round) {
    setup.rewind(20 - 1 - setup.random() % 6);
    setup.grow_to(20);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  CHECK_FALSE(wrong);
}

}  // namespace quorate::ledger::rewind_test
