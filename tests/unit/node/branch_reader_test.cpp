// What the node shows of a branch that work orders, over a real ledger: a light client believes it.
#include "node/branch_reader.hpp"

#include <catch2/catch.hpp>

#include "consensus/engine_list.hpp"
#include "ledger/memory_store.hpp"
#include "node/engine_config.hpp"
#include "rpc/client/work_proof.hpp"
#include "rpc/methods/views_json.hpp"
#include "tests/unit/ledger/fixture.hpp"
#include "tests/unit/rpc/fake_branch.hpp"

namespace quorate::node {
namespace {

using rpc::test::FakeBranch;
using rpc::test::kFakeDepth;

ledger::Genesis work_genesis() {
  ledger::Genesis genesis = ledger::test::small_genesis();
  rpc::test::prove_by_work(genesis);
  return genesis;
}

// A ledger that executes what is kFakeDepth deep; the rest of the branch is known by certificates.
struct Bench {
  ledger::Genesis genesis = work_genesis();
  ledger::MemoryStore store;
  std::unique_ptr<ledger::Chain> chain =
      std::move(*ledger::Chain::open(store, genesis, {.seals = false}));
  FakeBranch branch{genesis};
  rpc::WorkChain client = rpc::WorkChain::open(genesis, std::nullopt).value();

  void mine(std::vector<ledger::TransactionPtr> transactions = {}) {
    const std::uint64_t height = branch.tip().value() + 1;
    const Height executed(height > kFakeDepth + 1 ? height - kFakeDepth - 1 : 0);
    branch.mine(std::move(transactions), ledger::block_hash(*chain->header(executed)));
    while (branch.depth(chain->head().height.next()) >= kFakeDepth) {
      std::vector<ledger::OrderedBlock> run;
      run.push_back(branch.ordered(chain->head().height.next()));
      REQUIRE(chain->execute(std::move(run)).has_value());
    }
  }
  void mine_many(int count) {
    for (int i = 0; i < count; ++i) mine();
  }
  TentativeBranch above() const {
    TentativeBranch out;
    for (Height at = chain->head().height.next(); at <= branch.tip(); at = at.next()) {
      out[at] = {crypto::work::id_of(branch.header(at)), crypto::work::encode(branch.header(at))};
    }
    return out;
  }
  Result<bool> follow(const TentativeBranch& certificates) {
    const auto source = [&](Height from, std::uint32_t limit) -> Result<std::vector<Bytes>> {
      QUORATE_TRY(const rpc::WorkHeaders page,
                  read_work_headers(*chain, certificates, from, limit));
      return page.headers;
    };
    return client.follow(source, genesis.genesis_time.saturating_add(1'000'000'000));
  }
};

}  // namespace

TEST_CASE("how blocks are proved fits what each engine of the list does") {
  const crypto::Ed25519Verifier verifier;
  for (const consensus::EngineKind& kind : consensus::engine_kinds()) {
    const bool work = kind.proved_by == consensus::ProvedBy::work;
    ledger::Genesis genesis = work ? work_genesis() : ledger::test::small_genesis();
    genesis.consensus.engine = kind.name;
    const auto parts = consensus::make_engine(engine_config(genesis, {}), nullptr, verifier);
    INFO(kind.name);
    REQUIRE(parts.has_value());
    CHECK(parts->traits.seals == (kind.proved_by == consensus::ProvedBy::seals));
    CHECK(parts->traits.mines == work);
    CHECK(rpc::proved_by_work(genesis) == work);
  }
  ledger::Genesis third = ledger::test::small_genesis();
  third.consensus.engine = "raft";
  const auto unknown = consensus::make_engine(engine_config(third, {}), nullptr, verifier);
  REQUIRE_FALSE(unknown.has_value());
  for (const consensus::EngineKind& kind : consensus::engine_kinds()) {
    CHECK(unknown.error().detail.find(kind.name) != std::string::npos);
  }
  CHECK_FALSE(rpc::proved_by_work(third));
}

TEST_CASE("headers come from the ledger up to its head, and from the branch above it") {
  Bench bench;
  bench.mine_many(7);
  CHECK(bench.chain->head().height == Height(6));
  const auto page = read_work_headers(*bench.chain, bench.above(), Height(5), 10).value();
  CHECK(page.tip == Height(7));
  CHECK(page.headers.size() == 3);
  CHECK(read_work_headers(*bench.chain, bench.above(), Height(8), 10)->headers.empty());
  CHECK(read_work_headers(*bench.chain, {}, Height(1), 10)->headers.size() == 6);
  CHECK(bench.follow(bench.above()).value());
  CHECK(bench.client.tip() == Height(7));
  CHECK(bench.client.tip_id() == bench.branch.context().id);
}

TEST_CASE("headers that do not follow each other are not shown") {
  Bench bench;
  bench.mine_many(6);
  const TentativeBranch old = bench.above();
  bench.branch.cut(Height(4));
  // The ledger took another branch after the certificates above it were copied.
  REQUIRE(bench.chain->rewind(Height(4)).has_value());
  bench.branch.mine({}, Digest{}, 2);
  bench.branch.mine({}, Digest{}, 2);
  std::vector<ledger::OrderedBlock> run;
  run.push_back(bench.branch.ordered(Height(5)));
  REQUIRE(bench.chain->execute(std::move(run)).has_value());
  const auto mixed = read_work_headers(*bench.chain, old, Height(1), 10);
  REQUIRE_FALSE(mixed.has_value());
  CHECK(mixed.error().code == Errc::unavailable);
  CHECK(read_work_headers(*bench.chain, bench.above(), Height(1), 10)->headers.size() == 6);
}

TEST_CASE("a light client believes the node's proofs of receipts and accounts") {
  Bench bench;
  const auto paid = ledger::test::transfer(bench.chain->chain_id(), "anna", 1, "ben", 25);
  bench.mine({paid});
  bench.mine_many(2);
  CHECK(prove_transaction_by_work(*bench.chain, bench.above(), kFakeDepth, paid->id).error().code ==
        Errc::unavailable);
  bench.mine_many(4);
  REQUIRE(bench.follow(bench.above()).value());
  const auto proof =
      prove_transaction_by_work(*bench.chain, bench.above(), kFakeDepth, paid->id).value();
  const auto proved = rpc::check_transaction_proof(bench.client, rpc::to_json(proof), paid->id);
  REQUIRE(proved.has_value());
  CHECK(proved->height == Height(1));
  CHECK(proved->work->carried == 4);
  CHECK(proved->work->depth == 7);

  const auto trusted = rpc::TrustedChain::from_genesis(bench.genesis, std::nullopt).value();
  for (const char* name : {"anna", "ben", "dora"}) {
    const auto address = ledger::test::address(name);
    const auto account =
        prove_account_by_work(*bench.chain, bench.above(), kFakeDepth, address, 3).value();
    const auto checked =
        rpc::check_account_proof(bench.client, trusted, rpc::to_json(account), address);
    REQUIRE(checked.has_value());
    CHECK(checked->account == (*bench.chain->state_at(Height(2)))->account(address));
    CHECK(checked->work->carried == 3);
  }
}

TEST_CASE("a block stands on the branch, in the ledger or above it, or it does not") {
  Bench bench;
  bench.mine_many(6);  // the ledger has five of them
  for (const std::uint64_t height : {1U, 5U, 6U}) {
    const auto placement = read_placement(*bench.chain, bench.above(), Height(height));
    REQUIRE(placement);
    CHECK(placement->height == Height(height));
    CHECK(placement->block_id == crypto::work::id_of(bench.branch.header(Height(height))));
    CHECK(placement->depth == 7 - height);
  }
  CHECK_FALSE(read_placement(*bench.chain, bench.above(), Height(7)));
}

TEST_CASE("what keeps a transaction from being executed was decided by a block") {
  Bench bench;
  const Digest& id = bench.chain->chain_id();
  const auto spent = ledger::test::transfer(id, "anna", 1, "ben", 77);
  bench.mine_many(2);
  bench.mine({ledger::test::transfer(id, "anna", 1, "ben", 25)});
  bench.mine_many(4);
  const SeenTransaction seen{spent->id, Height(5), spent->sender, 1};
  CHECK(fate_of(*bench.chain, seen).reason == ledger::Reason::nonce_too_low);
  CHECK(decided_at(*bench.chain, seen, ledger::Reason::nonce_too_low) == Height(3));
  CHECK(decided_at(*bench.chain, seen, ledger::Reason::expired) == Height(5));
  // After a start only the newest state is in memory: it was so then.
  bench.chain = std::move(*ledger::Chain::open(bench.store, bench.genesis, {.seals = false}));
  CHECK(decided_at(*bench.chain, seen, ledger::Reason::nonce_too_low) == Height(6));
}

}  // namespace quorate::node
