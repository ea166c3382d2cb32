// Branches of one chain at random, for the tests that take blocks back: payloads that fit the state
// they are executed on, and a ledger that is compared with a replay of the branch it stands on.
#pragma once

#include <catch2/catch.hpp>
#include <random>

#include "ledger/memory_snapshots.hpp"
#include "ledger/memory_store.hpp"
#include "tests/unit/ledger/fixture.hpp"

namespace quorate::ledger::test {

// Signatures are not what these tests are about.
class TrustingVerifier final : public crypto::Verifier {
 public:
  bool verify(const PublicKey&, ByteView, const Signature&) const override { return true; }
};

// The next block on top of `chain`: some transfers that succeed, to accounts old and new, and some
// that fail or are skipped. No two are alike.
inline OrderedBlock random_block(const Chain& chain, std::mt19937_64& random) {
  static const std::array<std::string, 4> names = {"anna", "ben", "cleo", "dora"};
  std::vector<TransactionPtr> transactions;
  std::map<std::string, std::uint64_t> used;
  for (std::uint64_t i = random() % 4; i > 0; --i) {
    const std::string& from = names.at(random() % names.size());
    const auto account = chain.state()->account(address(from));
    const std::uint64_t skip = random() % 8 == 0 ? 1 : 0;  // a nonce too high
    const std::uint64_t nonce = (account ? account->nonce : 0) + ++used[from] + skip;
    const std::string to =
        random() % 3 == 0 ? "new " + std::to_string(random() % 40) : names.at(random() % 4);
    const std::uint64_t amount = random() % 12 == 0 ? 100'000 : 1 + random() % 9;
    transactions.push_back(transfer(chain.chain_id(), from, nonce, to, amount,
                                    {.memo = std::to_string(random() % 1'000'000)}));
  }
  return ordered(chain.head().height.next(), std::move(transactions));
}

inline ExecutedBlock execute_one(Chain& chain, OrderedBlock block) {
  std::vector<OrderedBlock> blocks;
  blocks.push_back(std::move(block));
  auto done = chain.execute(std::move(blocks));
  REQUIRE(done.has_value());
  return std::move(done->front());
}

// Executes `count` random blocks and appends them to `branch`.
inline void grow(Chain& chain, std::vector<OrderedBlock>& branch, std::uint64_t count,
                 std::mt19937_64& random) {
  for (; count > 0; --count) {
    branch.push_back(random_block(chain, random));
    execute_one(chain, branch.back());
  }
}

// That the ledger is what executing `branch` from genesis gives, and nothing more.
inline void check_is_replay(const Chain& chain, const KvStore& store,
                            const std::vector<OrderedBlock>& branch) {
  REQUIRE(chain.head().height == Height(branch.size()));
  MemoryStore fresh_store;
  auto fresh = *Chain::open(fresh_store, chain.genesis());
  REQUIRE(fresh->execute(branch));
  REQUIRE(chain.head().block_hash == fresh->head().block_hash);
  REQUIRE(chain.state()->root() == fresh->state()->root());
  // It compares every header, receipt, index entry and account, and counts them.
  const TrustingVerifier verifier;
  const auto report = audit(store, chain.genesis(), verifier, {trust_fixture, {}});
  INFO((report ? "" : report.error().detail));
  REQUIRE(report.has_value());
  REQUIRE(report->total_balance == 1500);
}

// A chain at the end of a random branch, which grows and is taken back.
struct Setup {
  explicit Setup(RewindLimits the_limits = {}) : limits(the_limits) {}

  const RewindLimits limits;
  Genesis genesis = small_genesis();
  MemoryStore store;
  MemorySnapshots snapshots{store};
  std::unique_ptr<Chain> chain = opened();
  std::vector<OrderedBlock> branch;
  std::mt19937_64 random{7};

  std::unique_ptr<Chain> opened() {
    auto out = Chain::open(store, genesis, {.snapshots = &snapshots, .rewind = limits});
    REQUIRE(out.has_value());
    return std::move(*out);
  }
  // As after a restart: only the head's state is in memory.
  void reopen() {
    chain.reset();
    store.drop_unsynced();
    chain = opened();
  }
  void grow_to(std::uint64_t height) { grow(*chain, branch, height - branch.size(), random); }
  Rewound rewind(std::uint64_t height) {
    auto out = chain->rewind(Height(height));
    REQUIRE(out.has_value());
    branch.resize(height);
    return std::move(*out);
  }
};

}  // namespace quorate::ledger::test
