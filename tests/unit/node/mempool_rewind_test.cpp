// The mempool, and the builder above it, on a chain whose order is tentative and whose ledger goes
// back.
#include <catch2/catch.hpp>
#include <random>

#include "ledger/memory_store.hpp"
#include "node/block_builder.hpp"
#include "tests/unit/node/core_fixture.hpp"

using namespace quorate;
using namespace quorate::node;
using namespace quorate::node::testing;
using ledger::TransactionPtr;

namespace {

using Transactions = std::vector<TransactionPtr>;

// A mempool above a real chain of random blocks.
struct Chained {
  explicit Chained(MempoolLimits limits = {}) : mempool(limits, genesis) {}

  ledger::ExecutedBlock execute(const Transactions& content) {
    ledger::OrderedBlock block;
    block.height = chain->head().height.next();
    block.payload = ledger::encode_payload(content);
    block.payload_id = crypto::sha256(block.payload);
    block.payload_id.bytes[0] = static_cast<std::uint8_t>(block.height.value());
    block.transactions = content;
    block.commit_certificate = {1};
    std::vector<ledger::OrderedBlock> blocks;
    blocks.push_back(std::move(block));
    auto done = chain->execute(std::move(blocks));
    REQUIRE(done.has_value());
    mempool.executed(done->front(), now);
    return std::move(done->front());
  }
  Transactions rewind(std::uint64_t height) {
    const auto rewound = chain->rewind(Height(height));
    REQUIRE(rewound.has_value());
    Transactions out;
    for (const auto& block : rewound->withdrawn) {
      out.insert(out.end(), block.transactions.begin(), block.transactions.end());
    }
    dropped = mempool.rewound(out, *rewound->state, now);
    return out;
  }
  bool admit(const Spec& spec) {
    return !mempool.admit(transaction(spec, genesis), *chain->state(), now);
  }
  bool waits(const Spec& spec) const {
    return mempool.find(transaction(spec, genesis)->id) != nullptr;
  }
  Transactions take() { return mempool.take(1'000, 1U << 20U); }

  const ledger::Genesis genesis = test_genesis();
  ledger::MemoryStore store;
  std::unique_ptr<ledger::Chain> chain = *ledger::Chain::open(store, genesis, {.seals = false});
  Instant now;
  Mempool mempool;
  std::size_t dropped = 0;  // by the last rewind, for lack of room
};

std::vector<Digest> ids_of(const Transactions& transactions) {
  std::vector<Digest> out;
  for (const auto& transaction : transactions) out.push_back(transaction->id);
  return out;
}

}  // namespace

TEST_CASE("withdrawn transactions wait again, each once, in order, before what follows them") {
  Chained setup;
  const auto one = transaction({1, 1});
  const auto two = transaction({1, 2});
  const auto three = transaction({1, 3});
  setup.execute({one});
  setup.execute({two, transaction({2, 1})});
  REQUIRE(setup.admit({1, 3}));
  setup.rewind(0);
  CHECK(setup.mempool.status().transactions == 4);
  CHECK(setup.mempool.status().ready == 4);
  const Transactions taken = setup.take();
  std::vector<std::uint64_t> nonces;
  for (const auto& each : taken) {
    if (each->sender == address_of(1)) {
      nonces.push_back(each->signed_transaction.transaction.nonce);
    }
  }
  CHECK(nonces == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(taken.size() == 4);
}

TEST_CASE("what the other branch executes is not kept, and neither is what conflicts with it") {
  Chained setup;
  setup.execute({transaction({1, 1}), transaction({2, 1})});
  REQUIRE(setup.rewind(0).size() == 2);
  // The other branch has the first as it was, and another transaction with the second's nonce.
  setup.execute({transaction({1, 1}), transaction({.account = 2, .nonce = 1, .amount = 7})});
  CHECK(setup.mempool.status().transactions == 0);
  CHECK(setup.take().empty());
}

TEST_CASE("what has expired by the height that is left does not come back") {
  Chained setup;
  setup.execute({});
  setup.execute({});
  setup.execute({transaction({.account = 1, .nonce = 1, .valid_until = 3}),
                 transaction({.account = 2, .nonce = 1, .valid_until = 9})});
  setup.rewind(2);
  CHECK(setup.waits({.account = 1, .nonce = 1, .valid_until = 3}));
  setup.execute({});  // height 3 without it
  CHECK_FALSE(setup.waits({.account = 1, .nonce = 1, .valid_until = 3}));
  CHECK(setup.waits({.account = 2, .nonce = 1, .valid_until = 9}));
}

TEST_CASE("what the state does not allow yet waits aside until a block brings what it lacks") {
  Chained setup;
  const Spec funds{.account = 1, .nonce = 1, .amount = 50, .to = 9};
  const Spec of_new{.account = 9, .nonce = 1, .amount = 20};
  const Spec next_of_new{.account = 9, .nonce = 2, .amount = 20};
  setup.execute({transaction(funds)});
  setup.execute({transaction(of_new)});
  REQUIRE(setup.admit(next_of_new));
  setup.rewind(0);
  // The account does not exist: to propose its transactions now would be in vain.
  CHECK(setup.waits(of_new));
  CHECK(setup.waits(next_of_new));
  CHECK(setup.mempool.status().ready == 1);
  CHECK(ids_of(setup.take()) == ids_of({transaction(funds)}));
  setup.execute({transaction(funds)});
  CHECK(setup.mempool.status().ready == 2);
  CHECK(ids_of(setup.take()) == ids_of({transaction(of_new), transaction(next_of_new)}));
}

TEST_CASE("one that could not be paid on the way through the other branch is not lost") {
  Chained setup;
  const Spec rich{.account = 2, .nonce = 1, .amount = 900, .to = 1};
  const Spec first{.account = 1, .nonce = 1, .amount = 600};
  const Spec second{.account = 1, .nonce = 2, .amount = 800};
  setup.execute({transaction(rich)});
  setup.execute({transaction(first), transaction(second)});
  setup.rewind(0);
  // The other branch has `first` before the money arrives: for a moment `second` cannot be paid.
  setup.execute({transaction(first)});
  CHECK(setup.waits(second));
  CHECK(setup.mempool.status().ready == 1);  // `rich` alone
  setup.execute({transaction(rich)});
  CHECK(setup.mempool.status().ready == 1);
  CHECK(ids_of(setup.take()) == ids_of({transaction(second)}));
}

TEST_CASE("a rewind fills the pool to its limits and no further, the oldest first") {
  Chained setup({.transactions_max = 4, .lifetime_max = std::chrono::seconds(60)});
  setup.execute({transaction({1, 1}), transaction({2, 1})});
  setup.execute({transaction({3, 1})});
  for (std::uint8_t account = 4; account <= 6; ++account) REQUIRE(setup.admit({account, 1}));
  setup.now = at_ms(30'000);
  setup.rewind(0);
  CHECK(setup.dropped == 2);
  CHECK(setup.mempool.status().transactions == 4);
  for (std::uint8_t account = 1; account <= 4; ++account) CHECK(setup.waits({account, 1}));
  CHECK_FALSE(setup.admit({7, 1}));
  // They expire as ever: what was withdrawn counts from its return.
  setup.mempool.expire(at_ms(60'000));
  CHECK_FALSE(setup.waits({4, 1}));
  CHECK(setup.mempool.status().transactions == 3);
  setup.mempool.expire(at_ms(90'000));
  CHECK(setup.mempool.status().transactions == 0);
}

TEST_CASE("what waits aside after a rewind counts against the limits too, in bytes as well") {
  const std::size_t size = transaction({9, 1})->encoded.size();
  Chained setup({.bytes_max = 3 * size});
  setup.execute({transaction({.account = 1, .nonce = 1, .amount = 50, .to = 9})});
  setup.execute({transaction({.account = 9, .nonce = 1, .amount = 2}),
                 transaction({.account = 9, .nonce = 2, .amount = 2}),
                 transaction({.account = 9, .nonce = 3, .amount = 2})});
  setup.rewind(0);
  CHECK(setup.dropped == 1);
  CHECK(setup.mempool.status().ready == 1);
  CHECK(setup.mempool.status().transactions == 3);
  CHECK(setup.mempool.status().bytes <= 3 * size);
  CHECK_FALSE(setup.waits({.account = 9, .nonce = 3, .amount = 2}));
  // What waits aside keeps its place when the branch brings what it lacks.
  setup.execute({transaction({.account = 1, .nonce = 1, .amount = 50, .to = 9})});
  CHECK(setup.mempool.status().ready == 2);
}

TEST_CASE("nothing valid is lost over random rewinds, and nothing that is proposed is skipped") {
  std::mt19937_64 random(21);
  for (int run = 0; run < 30; ++run) {
    Chained setup;
    std::vector<Transactions> branch;  // by height
    std::map<Digest, TransactionPtr> known;
    const auto random_block = [&] {
      Transactions out;
      std::map<std::uint8_t, std::uint64_t> used;
      for (std::uint64_t i = random() % 5; i > 0; --i) {
        const auto from = static_cast<std::uint8_t>(1 + random() % 9);
        const auto account = setup.chain->state()->account(address_of(from));
        if (!account) continue;
        const std::uint64_t nonce = account->nonce + ++used[from];
        const auto to = static_cast<std::uint8_t>(1 + random() % 9);
        const Bytes memo = {static_cast<std::uint8_t>(random() % 4)};  // rivals for a nonce
        out.push_back(transaction({from, nonce, 1 + random() % 400, 0, memo, to}));
      }
      return out;
    };
    const auto grow = [&](std::uint64_t count) {
      for (; count > 0; --count) {
        branch.push_back(random_block());
        for (const auto& each : branch.back()) known.emplace(each->id, each);
        setup.execute(branch.back());
      }
    };
    grow(10);
    for (int round = 0; round < 4; ++round) {
      const std::uint64_t height =
          branch.size() - std::min<std::uint64_t>(branch.size(), random() % 6);
      Transactions withdrawn = setup.rewind(height);
      branch.resize(height);
      grow(random() % 8);
      for (const auto& each : withdrawn) {
        const std::uint64_t nonce = each->signed_transaction.transaction.nonce;
        const auto account = setup.chain->state()->account(each->sender);
        const bool used = account && nonce <= account->nonce;
        const bool here = setup.mempool.find(each->id) != nullptr;
        REQUIRE(here != used);
      }
    }
    // A block of what is proposable: every nonce fits.
    const Transactions proposal = setup.take();
    const auto block = setup.execute(proposal);
    for (const auto& receipt : block.receipts) REQUIRE(receipt.outcome != ledger::Outcome::skipped);
  }
}

// ---- the builder ----

namespace {

struct Branching {
  Branching() : mempool({}, test_genesis()), builder(limits(), mempool) {}
  static BatchLimits limits() { return {1'000, 1U << 20U, std::chrono::milliseconds(0)}; }

  static Digest id(std::uint8_t number) {
    Digest out;
    out.bytes.fill(number);
    return out;
  }
  void block(std::uint8_t number, std::uint64_t height, const Transactions& content) {
    known[id(number)] = {Height(height), content};
  }
  // The template for `height` on a branch of these blocks.
  std::vector<Digest> request(std::uint64_t height, const std::vector<std::uint8_t>& branch) {
    std::map<Digest, const OrderedPayload*> ahead;
    for (const std::uint8_t number : branch) ahead.emplace(id(number), &known.at(id(number)));
    builder.request_on_branch({Height(height), View(0), true, {}}, ahead, *state, {});
    const auto built = builder.poll({});
    REQUIRE(built);
    return ids_of(built->transactions);
  }
  void admit(const Spec& spec) { REQUIRE_FALSE(mempool.admit(transaction(spec), *state, {})); }

  std::shared_ptr<FakeState> state = std::make_shared<FakeState>();
  std::map<Digest, OrderedPayload> known;
  Mempool mempool;
  BlockBuilder builder;
};

std::vector<Digest> ids_of(const std::vector<Spec>& specs) {
  std::vector<Digest> out;
  for (const Spec& spec : specs) out.push_back(transaction(spec)->id);
  return out;
}

}  // namespace

TEST_CASE("what stands on the branch is not proposed again, own blocks included") {
  Branching bench;
  bench.admit({1, 1});
  bench.admit({2, 1});
  CHECK(bench.request(1, {}).size() == 2);
  // The own template became block 10; another one came in that has a third transaction.
  bench.block(10, 1, {transaction({1, 1}), transaction({2, 1})});
  bench.admit({3, 1});
  CHECK(bench.request(2, {10}) == ids_of({{3, 1}}));
  bench.block(11, 2, {transaction({3, 1})});
  CHECK(bench.request(3, {10, 11}).empty());
  CHECK(bench.mempool.status().transactions == 3);  // they wait until they are executed
}

TEST_CASE("an own template that came to nothing is proposed again") {
  Branching bench;
  bench.admit({1, 1});
  bench.admit({2, 1});
  CHECK(bench.request(1, {}).size() == 2);
  CHECK(bench.request(1, {}).size() == 2);  // once more, say for a fresh time
  bench.block(10, 1, {transaction({1, 1})});
  CHECK(bench.request(2, {10}) == ids_of({{2, 1}}));
}

TEST_CASE("after a switch of branches what left it is proposed and what stands on it is not") {
  Branching bench;
  for (std::uint8_t account = 1; account <= 4; ++account) bench.admit({account, 1});
  bench.block(10, 1, {transaction({1, 1})});
  bench.block(11, 2, {transaction({2, 1})});
  bench.block(20, 1, {transaction({3, 1})});
  bench.block(21, 2, {transaction({1, 1})});
  bench.block(22, 3, {});
  CHECK(bench.request(3, {10, 11}) == ids_of({{3, 1}, {4, 1}}));
  auto after = bench.request(4, {20, 21, 22});
  auto expected = ids_of({{2, 1}, {4, 1}});
  std::sort(after.begin(), after.end());
  std::sort(expected.begin(), expected.end());
  CHECK(after == expected);
}

TEST_CASE("a transaction that arrives after the block that has it is not proposed") {
  Branching bench;
  bench.block(10, 1, {transaction({1, 1}), transaction({1, 2})});
  CHECK(bench.request(2, {10}).empty());
  bench.admit({1, 2});
  bench.admit({1, 1});
  CHECK(bench.request(2, {10}).empty());
  bench.admit({1, 3});
  CHECK(bench.request(2, {10}) == ids_of({{1, 3}}));
  CHECK(bench.mempool.next_nonce(address_of(1), *bench.state) == 4);
}

TEST_CASE("once executed or gone nothing stays reserved") {
  Branching bench;
  bench.block(10, 1, {transaction({1, 1})});
  bench.block(11, 2, {transaction({2, 1})});
  bench.request(3, {10, 11});
  CHECK(bench.mempool.status().accounts == 2);
  bench.mempool.executed(executed_block(bench.state, Height(1), {transaction({1, 1})}), {});
  bench.builder.executed(Height(1));
  CHECK(bench.mempool.status().accounts == 1);
  bench.request(2, {});
  CHECK(bench.mempool.status().accounts == 0);
}

TEST_CASE("random branches: a template has what waits and fits, and nothing of its branch") {
  std::mt19937_64 random(5);
  for (int run = 0; run < 40; ++run) {
    Branching bench;
    // Accounts 1 to 5 with nonces 1 to 4, in the order of their nonces.
    std::vector<std::vector<std::uint8_t>> branches(3);
    std::uint8_t number = 1;
    for (auto& branch : branches) {
      std::map<std::uint8_t, std::uint64_t> used;
      for (std::uint64_t height = 1; height <= 1 + random() % 4; ++height) {
        Transactions content;
        for (std::uint64_t i = random() % 4; i > 0; --i) {
          const auto account = static_cast<std::uint8_t>(1 + random() % 5);
          if (used[account] < 4) content.push_back(transaction({account, ++used[account]}));
        }
        bench.block(number, height, content);
        branch.push_back(number++);
      }
    }
    std::map<std::uint8_t, std::uint64_t> admitted;
    for (int step = 0; step < 30; ++step) {
      const auto account = static_cast<std::uint8_t>(1 + random() % 5);
      if (random() % 2 == 0 && admitted[account] < 4) bench.admit({account, ++admitted[account]});
      std::vector<std::uint8_t> branch = branches.at(random() % branches.size());
      branch.resize(random() % (branch.size() + 1));
      const auto built = bench.request(branch.size() + 1, branch);
      std::map<std::uint8_t, std::uint64_t> on_branch;
      for (const std::uint8_t each : branch) {
        for (const auto& standing : bench.known.at(Branching::id(each)).transactions) {
          for (std::uint8_t who = 1; who <= 5; ++who)
            on_branch[who] += standing->sender == address_of(who);
        }
      }
      std::vector<Digest> expected;
      for (std::uint8_t who = 1; who <= 5; ++who) {
        for (std::uint64_t nonce = on_branch[who] + 1; nonce <= admitted[who]; ++nonce) {
          expected.push_back(transaction({who, nonce})->id);
        }
      }
      auto sorted = built;
      std::sort(sorted.begin(), sorted.end());
      std::sort(expected.begin(), expected.end());
      REQUIRE(sorted == expected);
    }
  }
}
