// A process that dies while blocks are taken back, at every operation, and the lives after it.
#include <catch2/catch.hpp>

#include "tests/unit/ledger/branches.hpp"
#include "tests/unit/ledger/dying_store.hpp"

namespace quorate::ledger {
namespace {

using namespace test;

// Each block is erased by a batch of its own.
constexpr RewindLimits kSmallBatches{.batch_entries = 1};

// What the next life finds: after a loss of power what was not synced is gone.
enum class Loss { process, power };

// One rewind from 130 to 126 with a death somewhere, and the life after it.
struct Mortal {
  explicit Mortal(const Setup& base)
      : store(base.store.copy(true)), snapshots(base.snapshots), branch(base.branch) {
    snapshots.follow(*store);
  }
  std::unique_ptr<Chain> open_mortal(const Genesis& genesis) {
    auto out =
        Chain::open(dying_store, genesis, {.snapshots = &dying_snapshots, .rewind = kSmallBatches});
    REQUIRE(out.has_value());
    return std::move(*out);
  }

  std::unique_ptr<MemoryStore> store;
  MemorySnapshots snapshots;
  std::vector<OrderedBlock> branch;
  Death death;
  DyingStore dying_store{*store, death};
  DyingSnapshots dying_snapshots{snapshots, death};
};

constexpr std::uint64_t kFrom = 130;
constexpr std::uint64_t kTo = 126;

// The height at which the next life opens.
std::uint64_t open_after_death(const Setup& base, Mortal& mortal, Loss loss) {
  const auto left = mortal.store->copy(loss == Loss::process);
  mortal.snapshots.follow(*left);
  auto chain = *Chain::open(*left, base.genesis, {.snapshots = &mortal.snapshots});
  const std::uint64_t found = chain->head().height.value();
  REQUIRE((found == kFrom || found == kTo));
  mortal.branch.resize(found);
  check_is_replay(*chain, *left, mortal.branch);
  // It goes on as if nothing had happened.
  REQUIRE(chain->rewind(Height(kTo)));
  mortal.branch.resize(kTo);
  std::mt19937_64 random(99);
  grow(*chain, mortal.branch, 6, random);
  check_is_replay(*chain, *left, mortal.branch);
  return found;
}

}  // namespace

TEST_CASE("a rewind that dies at any operation has happened or has not") {
  Setup base;
  base.grow_to(kFrom);
  std::size_t operations = 0;
  std::size_t opening = 0;
  {
    Mortal immortal(base);
    const auto chain = immortal.open_mortal(base.genesis);
    opening = immortal.death.operations;
    REQUIRE(chain->rewind(Height(kTo)));
    operations = immortal.death.operations;
  }
  // Reads in the middle are all alike; what comes before and after the switch is tried one by one.
  std::size_t died_before = 0;
  std::size_t died_after = 0;
  for (std::size_t at = opening; at < operations; at += at + 24 < operations ? 9 : 1) {
    for (const bool after : {false, true}) {
      for (const Loss loss : {Loss::process, Loss::power}) {
        Mortal mortal(base);
        auto chain = mortal.open_mortal(base.genesis);
        mortal.death.at = at;
        mortal.death.after = after;
        const auto rewound = chain->rewind(Height(kTo));
        // A snapshot that cannot be opened is passed over; the life ends at the next operation.
        REQUIRE_FALSE(rewound.has_value());
        chain.reset();
        (open_after_death(base, mortal, loss) == kFrom ? died_before : died_after) += 1;
      }
    }
  }
  CHECK(died_before >= 40);
  CHECK(died_after >= 40);  // the four blocks are erased one by one
}

TEST_CASE("lives that all die while they erase come to its end") {
  Setup base;
  base.grow_to(kFrom);
  Mortal mortal(base);
  auto chain = mortal.open_mortal(base.genesis);
  mortal.store->fail_after(1);  // the head is moved, and nothing erased
  REQUIRE_FALSE(chain->rewind(Height(kTo)));
  mortal.store->heal();
  chain.reset();
  mortal.branch.resize(kTo);
  std::size_t lives = 0;
  for (;; ++lives) {
    mortal.store->fail_after(1);  // one more block
    const auto opened = Chain::open(*mortal.store, base.genesis, {.rewind = kSmallBatches});
    mortal.store->heal();
    if (!opened) continue;
    check_is_replay(**opened, *mortal.store, mortal.branch);
    break;
  }
  CHECK(lives == kFrom - kTo - 1);
}

TEST_CASE("a chain that dies while it takes a snapshot opens, and takes the next one") {
  Setup base;
  base.grow_to(127);
  for (std::size_t step = 0; step < 6; ++step) {
    for (const bool after : {false, true}) {
      Mortal mortal(base);
      auto chain = mortal.open_mortal(base.genesis);
      std::mt19937_64 random(5);
      const OrderedBlock block = random_block(*chain, random);
      mortal.death.at = mortal.death.operations + step;
      mortal.death.after = after;
      const bool lived = chain->execute({block}).has_value();
      if (lived) continue;  // fewer operations than that
      chain.reset();
      const auto left = mortal.store->copy(false);
      mortal.snapshots.follow(*left);
      chain = *Chain::open(*left, base.genesis, {.snapshots = &mortal.snapshots});
      mortal.branch.resize(127);
      if (chain->head().height == Height(128)) mortal.branch.push_back(block);
      check_is_replay(*chain, *left, mortal.branch);
      grow(*chain, mortal.branch, 3, random);
      const auto heights = *mortal.snapshots.list();
      CHECK(heights.front() == Height(64));
      CHECK(heights.size() == 2);
    }
  }
}

}  // namespace quorate::ledger
