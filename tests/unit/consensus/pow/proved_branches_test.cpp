// Branches that are proved to go on above what the tree takes: which of their blocks weigh more,
// and what parts from them.
#include <catch2/catch.hpp>

#include "consensus/pow/block_tree.hpp"
#include "tests/unit/consensus/pow/tree_fixture.hpp"

namespace quorate::consensus::pow::test {

// Two branches, the second of more blocks and less work.
struct HeavyAndLong : TreeFixture {
  explicit HeavyAndLong(TreeLimits limits = {}) : TreeFixture({}, limits) {}
  const Block& heavy = grow_chain(tree.root(), 50, 1);
  const Block& last = grow_chain(tree.root(), 30, 60);
  Proved more_than_heavy() const {
    return {last.height(), last.id,
            crypto::work::saturating_add(heavy.total_work(), work::Uint256::of(1)), Height(500)};
  }
};

TEST_CASE("a branch counts for what is proved to stand above it, and no longer than it is") {
  HeavyAndLong f;
  REQUIRE(&f.tree.tip() == &f.heavy);
  f.tree.set_proved(f.more_than_heavy());
  REQUIRE(&f.tree.tip() == &f.last);
  REQUIRE(&f.tree.best_header() == &f.last);
  REQUIRE(f.tree.best_height() == Height(500));
  REQUIRE(f.last.proved_above());
  REQUIRE_FALSE(f.last.parent->proved_above());
  // What stands on it counts for no less, whatever it weighs.
  const Block& next = f.grow(f.last);
  REQUIRE(&f.tree.best_header() == &next);
  REQUIRE(ids(f.tree.wanted(10)) == std::vector<Digest>{next.id});
  f.tree.set_valid(next.id);
  REQUIRE(&f.tree.tip() == &next);
  // The other branch grows, and what is proved grows with it.
  const Block& heavier = f.grow_valid(f.heavy, 1);
  REQUIRE(&f.tree.tip() == &heavier);
  Proved again = f.more_than_heavy();
  again.total_work = crypto::work::saturating_add(heavier.total_work(), work::Uint256::of(1));
  f.tree.set_proved(again);
  REQUIRE(&f.tree.tip() == &next);
  f.tree.set_proved(std::nullopt);
  REQUIRE(&f.tree.tip() == &heavier);
  REQUIRE(&f.tree.best_header() == &heavier);
  REQUIRE(f.tree.best_height() == heavier.height());
  REQUIRE(next.weight == next.total_work());
}

TEST_CASE("what is proved makes a branch the aim, and its bodies the tip") {
  TreeFixture f;
  const Block& heavy = f.grow_chain(f.tree.root(), 50, 1);
  const Block& first = f.grow(f.tree.root(), 60);
  const Block& second = f.grow(first, 60);
  const Proved proved{first.height(), first.id,
                      crypto::work::saturating_add(heavy.total_work(), work::Uint256::of(1)),
                      Height(500)};
  f.tree.set_proved(proved);
  REQUIRE(&f.tree.tip() == &heavy);
  REQUIRE(&f.tree.best_header() == &second);
  REQUIRE(ids(f.tree.wanted(10)) == std::vector<Digest>{first.id, second.id});
  SECTION("as far as they are here") {
    f.tree.set_valid(first.id);
    REQUIRE(&f.tree.tip() == &first);
    f.tree.set_valid(second.id);
    REQUIRE(&f.tree.tip() == &second);
  }
  SECTION("unless they are invalid") {
    f.tree.set_invalid(second.id);
    REQUIRE(&f.tree.best_header() == &first);
    f.tree.set_invalid(first.id);
    REQUIRE(&f.tree.best_header() == &heavy);
    REQUIRE(f.tree.wanted(10).empty());
    f.tree.set_proved(std::nullopt);
    REQUIRE(&f.tree.best_header() == &heavy);
  }
}

TEST_CASE("what parts on the way from a branch that is proved to go on counts for itself") {
  HeavyAndLong f;
  const Block& on = *f.tree.ancestor(f.last, Height(10));
  Proved proved = f.more_than_heavy();
  proved.from = on.height();
  f.tree.set_proved(proved);
  REQUIRE(&f.tree.tip() == &f.last);
  REQUIRE(on.proved_above());
  REQUIRE(f.last.parent->proved_above());
  const Block& beside = f.grow_chain(*f.tree.ancestor(f.last, Height(20)), 15, 1);
  REQUIRE(beside.total_work() > f.last.total_work());
  REQUIRE(beside.weight == beside.total_work());
  REQUIRE(&f.tree.tip() == &f.last);
  const Block& next = f.grow_valid(f.last, 60);
  REQUIRE(&f.tree.tip() == &next);
  // Known to go on over what stands beside: that counts now.
  proved.to = beside.id;
  f.tree.set_proved(proved);
  REQUIRE(&f.tree.tip() == &beside);
  REQUIRE(next.weight == next.total_work());
}

TEST_CASE(
    "the root passes where a proved branch begins to count, and no fork beside it is preferred") {
  const auto parts = static_cast<std::uint64_t>(GENERATE(0, 1, 3));  // above that
  TreeFixture f({}, {.below = 40, .ahead = 100});
  const Block& from = f.grow_chain(f.tree.root(), 5, 20);
  const Block& light = f.grow_chain(from, 90, 20);
  const Block& to = *f.tree.ancestor(light, Height(60));
  const work::Uint256 most = crypto::work::scaled(light.total_work(), 1, 30);
  f.tree.set_proved(Proved{from.height(), to.id, most, Height(100'000)});
  const Block& parting = *f.tree.ancestor(light, from.height().saturating_add(parts));
  const Block& beside = f.grow_chain(parting, 90, 1);
  REQUIRE(beside.total_work() > light.total_work());
  for (std::uint64_t height = 1; height <= 90; ++height) {
    REQUIRE(&f.tree.tip() == &light);
    f.tree.set_applied(f.tree.on_branch(Height(height))->id);
    REQUIRE(f.tree.on_branch(f.tree.applied()));
  }
  REQUIRE(f.tree.root().height() == Height(50));
  REQUIRE(f.tree.proved());
}

TEST_CASE("what led to a proved block that is gone weighs as before, and nothing beside it more") {
  HeavyAndLong f(kSmall);
  Proved proved = f.more_than_heavy();
  const Block& next = f.grow(f.last, 60);
  const Digest to = f.grow(next, 60).id;
  proved.to = to;
  f.tree.set_proved(proved);
  f.tree.set_invalid(to);
  while (f.tree.size() < f.tree.limits().blocks()) f.grow(f.tree.root(), 2);
  f.grow(f.tree.root(), 2);  // takes the place of what is invalid
  REQUIRE(f.tree.find(to) == nullptr);
  REQUIRE(next.weight == proved.total_work);
  const Block& beside = f.grow(next, 50);
  REQUIRE(beside.weight == beside.total_work());
  REQUIRE(&f.tree.best_header() == &next);
  f.tree.set_proved(std::nullopt);
  for (const Block* block : f.tree.all()) REQUIRE_FALSE(block->proved_above());
}

TEST_CASE("a full tree takes what is more work than its equals by proof") {
  HeavyAndLong f(kSmall);
  f.tree.set_proved(f.more_than_heavy());
  const Block& first = f.grow(f.last, 60);
  while (f.tree.size() < f.tree.limits().blocks()) f.grow(f.last, 60);
  REQUIRE(f.add(f.header(first.context, 60)).outcome == BlockTree::Outcome::added);
}
TEST_CASE("once the root has passed what something was proved on, all weigh their own work again") {
  HeavyAndLong f({.below = 40, .ahead = 100});
  f.tree.set_proved(f.more_than_heavy());
  const Digest on = f.last.id;
  while (f.tree.find(on) != nullptr) f.tree.set_applied(f.grow_valid(f.tree.tip(), 60).id);
  REQUIRE_FALSE(f.tree.proved());
  REQUIRE(f.tree.tip().height() == Height(71));
  REQUIRE(&f.tree.best_header() == &f.tree.tip());
  for (const Block* block : f.tree.all()) REQUIRE_FALSE(block->proved_above());
}

TEST_CASE("a full tree gives up what is light for other branches, not what is proved to go on") {
  HeavyAndLong f(kSmall);
  f.tree.set_proved(f.more_than_heavy());
  while (f.tree.size() < f.tree.limits().blocks()) f.grow(f.tree.root(), 2);
  REQUIRE(f.add(f.header(f.last.context, 60)).outcome == BlockTree::Outcome::added);
  REQUIRE(f.tree.size() == f.tree.limits().blocks());
  REQUIRE(f.tree.find(f.last.id) == &f.last);
}

}  // namespace quorate::consensus::pow::test
