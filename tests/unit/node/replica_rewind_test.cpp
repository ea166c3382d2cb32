// The replica on a chain whose order is tentative: a real ledger, and an engine that says what it
// is told to.
#include <catch2/catch.hpp>

#include "ledger/memory_snapshots.hpp"
#include "tests/unit/node/replica_bench.hpp"

using namespace quorate;
using namespace quorate::node;
using namespace quorate::node::testing;

namespace replica_rewind_test {
namespace {

using Transactions = std::vector<ledger::TransactionPtr>;

struct Ledger {
  ledger::MemoryStore store;
  ledger::MemorySnapshots snapshots{store};
  std::unique_ptr<ledger::Chain> chain =
      *ledger::Chain::open(store, test_genesis(), {.seals = false, .snapshots = &snapshots});
};

constexpr consensus::EngineTraits kTentative{.seals = false,
                                             .connected_min = 1,
                                             .silence_max = std::chrono::seconds(10),
                                             .commit_depth = 2,
                                             .mines = true};

struct Branching : Ledger, Bench {
  Branching() : Bench("", kTentative, chain->state()) {}

  static Digest id(char branch, std::uint8_t height) {
    Digest out;
    out.bytes.fill(height);
    out.bytes[0] = static_cast<std::uint8_t>(branch);
    return out;
  }
  static consensus::Commit commit(char branch, std::uint8_t height, const Transactions& content) {
    return {
        Height(height), id(branch, height), WallMs(5), PublicKey{}, ledger::encode_payload(content),
        {'c', height}};
  }
  // The engine has a body checked, as every engine does before its id may stand on a branch.
  void validate(char branch, std::uint8_t height, const Transactions& content) {
    engine_says(
        {consensus::Validate{Height(height), id(branch, height), ledger::encode_payload(content)}});
    if (ports.checks.empty()) return;  // an own one
    ports.checks.clear();
    step(PayloadChecked{id(branch, height), Height(height), content});
  }
  // Does one thing that the ledger was asked for, and answers.
  void run_one() {
    REQUIRE_FALSE(ports.ledger_jobs.empty());
    auto job = std::move(ports.ledger_jobs.front());
    ports.ledger_jobs.pop_front();
    if (const auto* height = std::get_if<Height>(&job)) {
      return step(LedgerRewound{chain->rewind(*height).value()});
    }
    std::vector<ledger::OrderedBlock> blocks;
    blocks.push_back(std::get<ledger::OrderedBlock>(std::move(job)));
    step(BlocksExecuted{chain->execute(std::move(blocks)).value()});
  }
  void run_all() {
    while (!ports.ledger_jobs.empty()) run_one();
  }
  void commit_and_run(char branch, std::uint8_t height, const Transactions& content) {
    engine_says({commit(branch, height, content)});
    run_all();
  }
  bool waits(const ledger::TransactionPtr& transaction) const {
    return replica->mempool().find(transaction->id) != nullptr;
  }
  std::vector<std::uint64_t> executed_heights() const {
    std::vector<std::uint64_t> out;
    for (const auto& each : engine->all<consensus::Executed>()) out.push_back(each.height.value());
    return out;
  }
  // The transactions of the answer to a request with these ids ahead.
  Transactions propose(std::uint8_t height, const std::vector<Digest>& ahead) {
    engine_says({consensus::RequestProposal{Height(height), View(0), true, ahead}});
    const auto ready = engine->all<consensus::ProposalReady>();
    REQUIRE_FALSE(ready.empty());
    REQUIRE(ready.back().height == Height(height));
    return *decode_committed_payload(chain->chain_id(), ready.back().payload);
  }
};

std::vector<Digest> ids_of(const Transactions& transactions) {
  std::vector<Digest> out;
  for (const auto& transaction : transactions) out.push_back(transaction->id);
  return out;
}

}  // namespace

TEST_CASE("a replica that hears nobody commits all the same, and is not ready") {
  Branching bench;
  CHECK(
      bench.replica->status().not_ready_reason ==
      "connected to 0 of 3 peers; what it commits by itself is withdrawn when it hears of a branch "
      "with more work");
  CHECK(bench.replica->status().peers == 3);
  bench.step(PeerConnected{ReplicaId(2)});
  CHECK(bench.replica->status().ready);
  bench.tick(10'001);
  CHECK(bench.replica->status().peers_silent == 1);
  CHECK(bench.replica->status().not_ready_reason ==
        "connected to 1 of 3 peers, 1 of which said nothing for 10 s; what it commits by itself is "
        "withdrawn when it hears of a branch with more work");
  bench.step(PeerMessageReceived{ReplicaId(2), BlocksRequest{Height(0)}});
  CHECK(bench.replica->status().ready);
}

TEST_CASE("a replica whose peers are on another chain is not ready, and says what to do") {
  Branching bench;
  bench.step(PeerConnected{ReplicaId(2)});
  REQUIRE(bench.replica->status().ready);
  consensus::Status::Branch branch;
  bench.engine->current.branch = branch;
  CHECK(bench.replica->status().ready);
  branch.parted_at = Height(4711);
  bench.engine->current.branch = branch;
  const std::string reason = bench.replica->status().not_ready_reason;
  CHECK(reason.find("on another chain than its peers since about height 4711") == 0);
  CHECK(reason.find("mv data data-aside") != std::string::npos);
}

TEST_CASE("a proposal above a payload that the host does not have is counted") {
  Branching bench;
  bench.engine_says({consensus::RequestProposal{Height(1), View(0), true, {}}});
  CHECK(bench.replica->status().blind_proposals == 0);
  bench.engine_says({consensus::RequestProposal{Height(2), View(0), true, {Digest{}}}});
  CHECK(bench.replica->status().blind_proposals == 1);
}

TEST_CASE("a rewind takes the ledger back, and withdrawn transactions wait and commit again") {
  Branching bench;
  const auto one = transaction({1, 1});
  const auto two = transaction({2, 1});
  bench.commit_and_run('a', 1, {one});
  bench.commit_and_run('a', 2, {two});
  REQUIRE(bench.replica->status().head.height == Height(2));
  bench.engine_says({consensus::Rewind{Height(0)}});
  CHECK(bench.engine->all<consensus::Rewound>().empty());
  bench.run_all();
  const auto rewound = bench.engine->all<consensus::Rewound>();
  REQUIRE(rewound.size() == 1);
  CHECK(rewound[0].height == Height(0));
  CHECK(bench.replica->status().head.height == Height(0));
  CHECK(bench.replica->state()->height() == Height(0));
  CHECK(bench.waits(one));
  CHECK(bench.waits(two));
  // The nodes of the other branch may never have heard of them.
  CHECK(bench.ports.count(TrafficClass::transactions) == 1);

  REQUIRE(bench.ports.withdrawn.size() == 1);
  const Notice& notice = bench.ports.withdrawn[0];
  CHECK(notice.kind == Notice::Kind::blocks_withdrawn);
  CHECK(notice.height == Height(0));
  CHECK(notice.blocks == 2);
  CHECK(notice.transactions == 2);
  CHECK(notice.dropped == 0);
  REQUIRE(notice.withdrawn->size() == 2);
  CHECK(notice.withdrawn->at(0).transactions.at(0)->id == one->id);
  CHECK(notice.withdrawn->at(1).payload_id == Branching::id('a', 2));

  bench.commit_and_run('b', 1, {one});
  CHECK_FALSE(bench.waits(one));
  CHECK(bench.waits(two));
  CHECK(ids_of(bench.propose(2, {})) == ids_of({two}));
}

TEST_CASE("commits above a rewind that nobody executed are cancelled, those below are answered") {
  Branching bench;
  SECTION("the ledger has them queued") {
    bench.engine_says({Branching::commit('a', 1, {}), Branching::commit('a', 2, {}),
                       Branching::commit('a', 3, {}), consensus::Rewind{Height(1)}});
    bench.run_all();
    CHECK(bench.executed_heights() == std::vector<std::uint64_t>{1});
  }
  SECTION("one of them waits for the check of its payload") {
    bench.engine_says({consensus::Validate{Height(1), Branching::id('a', 1), {9, 9, 9}},
                       Branching::commit('a', 1, {transaction({1, 1})}),
                       Branching::commit('a', 2, {}), consensus::Rewind{Height(1)}});
    CHECK(bench.ports.ledger_jobs.empty());
    bench.step(PayloadChecked{Branching::id('a', 1), Height(1), Transactions{transaction({1, 1})}});
    CHECK(bench.ports.ledger_jobs.size() == 2);  // height 1 and the rewind behind it
    bench.run_all();
    CHECK(bench.executed_heights() == std::vector<std::uint64_t>{1});
  }
  CHECK(bench.engine->all<consensus::Rewound>().size() == 1);
  CHECK(bench.replica->status().head.height == Height(1));
  bench.commit_and_run('b', 2, {});
  CHECK(bench.executed_heights() == std::vector<std::uint64_t>{1, 2});
  CHECK(bench.engine->all<consensus::Executed>().back().id == Branching::id('b', 2));
}

TEST_CASE("blocks executed between a rewind and its answer count for nothing") {
  Branching bench;
  const auto one = transaction({1, 1});
  bench.engine_says({Branching::commit('a', 1, {}), Branching::commit('a', 2, {one})});
  bench.run_one();
  bench.engine_says({consensus::Rewind{Height(0)}});
  bench.run_one();  // height 2, which was under way
  CHECK(bench.executed_heights() == std::vector<std::uint64_t>{1});
  CHECK_FALSE(bench.waits(one));
  bench.run_all();
  CHECK(bench.engine->all<consensus::Rewound>().size() == 1);
  CHECK(bench.waits(one));
}

TEST_CASE("a second rewind before the first is answered is answered after it") {
  Branching bench;
  for (std::uint8_t height = 1; height <= 4; ++height) bench.commit_and_run('a', height, {});
  bench.engine_says({consensus::Rewind{Height(3)}});
  bench.engine_says({consensus::Rewind{Height(1)}});
  bench.run_all();
  const auto rewound = bench.engine->all<consensus::Rewound>();
  REQUIRE(rewound.size() == 2);
  CHECK(rewound[0].height == Height(3));
  CHECK(rewound[1].height == Height(1));
  CHECK(bench.replica->status().head.height == Height(1));
}

TEST_CASE("a pending transaction is known by its place in the tentative order") {
  Branching bench;
  const auto one = transaction({1, 1});
  const auto two = transaction({2, 1});
  const auto three = transaction({3, 1});
  const auto at = [&bench](const ledger::TransactionPtr& transaction) {
    return bench.replica->tentative_height(transaction->id);
  };
  bench.validate('a', 1, {one});
  bench.validate('a', 2, {two});
  bench.validate('b', 2, {three});
  bench.engine_says(
      {consensus::TentativeOrder{{Branching::id('a', 1), Branching::id('a', 2)}, {{1}, {2}}}});
  CHECK(at(one) == Height(1));
  CHECK(at(two) == Height(2));
  CHECK_FALSE(at(three));
  CHECK(bench.replica->tentative_branch() ==
        TentativeBranch{{Height(1), {Branching::id('a', 1), {1}}},
                        {Height(2), {Branching::id('a', 2), {2}}}});

  SECTION("another branch takes the place") {
    bench.engine_says({consensus::TentativeOrder{{Branching::id('a', 1), Branching::id('b', 2)}}});
    CHECK_FALSE(at(two));
    CHECK(at(three) == Height(2));
    bench.engine_says({consensus::TentativeOrder{{Branching::id('a', 1)}}});
    CHECK_FALSE(at(three));
  }
  SECTION("it stays while its block is committed and executed") {
    bench.engine_says({Branching::commit('a', 1, {one}),
                       consensus::TentativeOrder{{Branching::id('a', 2)}, {{2}}}});
    CHECK(at(one) == Height(1));
    CHECK(at(two) == Height(2));
    CHECK(bench.replica->tentative_branch().size() == 2);
    bench.run_all();
    CHECK_FALSE(at(one));
    CHECK(at(two) == Height(2));
  }
  SECTION("a rewind takes it back at once") {
    bench.commit_and_run('a', 1, {one});
    bench.commit_and_run('a', 2, {two});
    bench.engine_says(
        {consensus::Rewind{Height(1)}, consensus::TentativeOrder{{Branching::id('b', 2)}, {{3}}}});
    CHECK(at(three) == Height(2));
    bench.run_all();
    CHECK(at(three) == Height(2));
    CHECK(bench.replica->tentative_branch() ==
          TentativeBranch{{Height(2), {Branching::id('b', 2), {3}}}});
  }
}

TEST_CASE("no transaction of the branch is proposed again, own blocks and rewinds included") {
  Branching bench;
  const auto one = transaction({1, 1});
  const auto two = transaction({2, 1});
  const auto three = transaction({3, 1});
  bench.submit({one, two});
  const Transactions own = bench.propose(1, {});
  CHECK(own.size() == 2);
  bench.validate('a', 1, own);  // mined here: known without a check
  CHECK(bench.ports.checks.empty());
  bench.submit({three});
  CHECK(ids_of(bench.propose(2, {Branching::id('a', 1)})) == ids_of({three}));
  bench.validate('a', 2, {three});
  CHECK(bench.propose(3, {Branching::id('a', 1), Branching::id('a', 2)}).empty());

  bench.commit_and_run('a', 1, own);
  bench.commit_and_run('a', 2, {three});
  CHECK(bench.propose(3, {}).empty());
  // A heavier branch from genesis on has one of them; the others are proposed on top of it.
  bench.validate('b', 1, {two});
  bench.validate('b', 2, {});
  bench.engine_says({consensus::Rewind{Height(0)}});
  bench.run_all();
  auto rest = ids_of(bench.propose(3, {Branching::id('b', 1), Branching::id('b', 2)}));
  auto expected = ids_of({one, three});
  std::sort(rest.begin(), rest.end());
  std::sort(expected.begin(), expected.end());
  CHECK(rest == expected);
  bench.commit_and_run('b', 1, {two});
  rest = ids_of(bench.propose(3, {Branching::id('b', 2)}));
  std::sort(rest.begin(), rest.end());
  CHECK(rest == expected);
}

TEST_CASE("the payloads of a branch that begins below the head are remembered") {
  Branching bench;
  const auto one = transaction({1, 1});
  bench.commit_and_run('a', 1, {});
  bench.commit_and_run('a', 2, {});
  bench.submit({one});
  bench.validate('b', 2, {one});
  bench.validate('b', 3, {});
  // Before the rewind is answered, a request may name blocks at heights that the ledger has now.
  bench.engine_says({consensus::Rewind{Height(1)}});
  CHECK(bench.propose(4, {Branching::id('b', 2), Branching::id('b', 3)}).empty());
  bench.run_all();
  CHECK(bench.propose(4, {Branching::id('b', 2), Branching::id('b', 3)}).empty());
  CHECK(ids_of(bench.propose(4, {})) == ids_of({one}));
}

TEST_CASE("where everybody mines nobody is watched, and nothing wakes the replica for it") {
  Branching bench;
  bench.submit({transaction({1, 1})});
  bench.tick(60'000);
  CHECK(bench.engine->all<consensus::PrimarySuspected>().empty());
  const auto next = bench.replica->next_deadline();
  REQUIRE(next);
  CHECK(*next > at_ms(60'100));
}

}  // namespace replica_rewind_test
