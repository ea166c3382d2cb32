// Fork choice: work, not height; only wholly valid branches; ties to the first; invalid for good.
#include "consensus/pow/block_tree.hpp"

#include <catch2/catch.hpp>

#include "consensus/pow/peer_heads.hpp"
#include "tests/unit/consensus/pow/tree_fixture.hpp"

namespace quorate::consensus::pow::test {

using Outcome = BlockTree::Outcome;

TEST_CASE("a tree starts at genesis and follows the only branch") {
  TreeFixture f;
  REQUIRE(f.tree.tip().id.is_zero());
  REQUIRE(f.tree.tip().height() == Height(0));
  const Block& a = f.grow(f.tree.root());
  REQUIRE(&f.tree.tip() == &f.tree.root());
  REQUIRE(&f.tree.best_header() == &a);
  REQUIRE(f.tree.set_valid(a.id));
  REQUIRE(&f.tree.tip() == &a);
  REQUIRE_FALSE(f.tree.set_valid(a.id));
  REQUIRE(f.tree.depth(a) == 1);
  REQUIRE(f.tree.depth(f.tree.root()) == 2);
  REQUIRE(f.add(a.header).outcome == Outcome::known);
  REQUIRE(f.add(a.header).block == &a);
}

TEST_CASE("the branch with more work is preferred to the longer one") {
  TreeFixture f;
  // Slow blocks become easy ones, fast blocks hard ones.
  const Block& slow = f.grow_chain(f.tree.root(), 60, 60);
  REQUIRE(&f.tree.tip() == &slow);
  const Block& fast = f.grow_chain(f.tree.root(), 50, 1);
  REQUIRE(fast.height() < slow.height());
  REQUIRE(fast.total_work() > slow.total_work());
  REQUIRE(&f.tree.tip() == &fast);
  REQUIRE(f.tree.depth(slow) == 0);
}

TEST_CASE("of two branches with equal work the one that was valid first stays") {
  TreeFixture f;
  const Block& a = f.grow(f.tree.root());
  const Block& b = f.grow(f.tree.root());
  f.tree.set_valid(b.id);
  f.tree.set_valid(a.id);
  REQUIRE(&f.tree.tip() == &b);
  REQUIRE(&f.tree.best_header() == &b);
  const Block& a2 = f.grow_valid(a);
  REQUIRE(&f.tree.tip() == &a2);
  f.grow_valid(b);
  REQUIRE(&f.tree.tip() == &a2);
}

TEST_CASE("a branch counts only as far as every body down to the root is valid") {
  TreeFixture f;
  const Block& a = f.grow(f.tree.root());
  const Block& b = f.grow(a);
  const Block& c = f.grow(b);
  const Block& d = f.grow(c);
  REQUIRE_FALSE(f.tree.set_valid(d.id));
  REQUIRE_FALSE(f.tree.set_valid(b.id));
  REQUIRE(f.tree.set_valid(a.id));
  REQUIRE(&f.tree.tip() == &b);
  REQUIRE_FALSE(c.connected);
  REQUIRE(f.tree.set_valid(c.id));
  REQUIRE(&f.tree.tip() == &d);
}

TEST_CASE("an invalid block and its descendants are out for good, whenever they come") {
  TreeFixture f;
  const Block& good = f.grow_valid(f.tree.root());
  const Block& bad = f.grow(f.tree.root());
  const Block& child = f.grow(bad);
  const Block& grandchild = f.grow(child);
  REQUIRE(&f.tree.best_header() == &grandchild);
  f.tree.set_valid(grandchild.id);  // judged alone, before its ancestor
  f.tree.set_invalid(bad.id);
  REQUIRE(bad.condemned);
  REQUIRE(grandchild.condemned);
  REQUIRE(&f.tree.best_header() == &good);
  f.tree.set_valid(child.id);
  REQUIRE(&f.tree.tip() == &good);
  const BlockTree::Added late = f.add(f.header(grandchild.context, 2));
  REQUIRE(late.outcome == Outcome::invalid);
  REQUIRE(late.why == "stands on an invalid block");
  REQUIRE(f.add(bad.header).outcome == Outcome::known);
  REQUIRE(&f.tree.tip() == &good);
  REQUIRE(f.tree.wanted(10).empty());
}

TEST_CASE("when the heaviest branch turns out invalid the best of the rest is aimed at") {
  TreeFixture f;
  const Block& first = f.grow(f.tree.root());
  const Block& second = f.grow(f.grow(f.tree.root()));
  const Block& third = f.grow(f.grow(f.grow(f.tree.root())));
  REQUIRE(&f.tree.best_header() == &third);
  f.tree.set_invalid(third.parent->id);
  REQUIRE(&f.tree.best_header() == &second);
  f.tree.set_invalid(second.id);
  REQUIRE(f.tree.best_header().height() == Height(1));
  REQUIRE(&f.tree.best_header() == &first);  // the first seen of equals
}

TEST_CASE("a header that breaks a rule of its place is not stored") {
  TreeFixture f;
  f.grow_chain(f.tree.root(), 12, 10);
  const std::size_t before = f.tree.size();
  work::Header header = f.header(f.tree.tip().context, 2);
  header.bits += 1;
  BlockTree::Added added = f.add(header);
  REQUIRE(added.outcome == Outcome::invalid);
  REQUIRE(added.why.find("the rules give") != std::string::npos);
  header = f.header(f.tree.tip().context, 2);
  header.time_s = kGenesisS + 70;  // the median of 20, 30, ... 120
  REQUIRE(f.add(header).outcome == Outcome::invalid);
  header.time_s += 1;
  header.height = Height(14);
  REQUIRE(f.add(header).outcome == Outcome::invalid);
  header.height = Height(13);
  REQUIRE(f.tree.size() == before);
  REQUIRE(f.add(header).outcome == Outcome::added);
}

TEST_CASE("a header from the future is welcome when its time has come") {
  TreeFixture f;
  const work::Header header = f.header(f.tree.root().context, 100);
  REQUIRE(f.add(header, WallMs((kGenesisS + 84) * 1000)).outcome == Outcome::too_early);
  REQUIRE(f.tree.size() == 1);
  REQUIRE(f.add(header, WallMs((kGenesisS + 85) * 1000)).outcome == Outcome::added);
  // What breaks another rule is invalid at once, however early it is.
  work::Header wrong = f.header(f.tree.root().context, 100);
  wrong.bits -= 1;
  REQUIRE(f.add(wrong, WallMs(kGenesisS * 1000)).outcome == Outcome::invalid);
}

TEST_CASE("a header without a known parent, or too far ahead, is told apart from an invalid one") {
  TreeFixture f;
  work::Context context = f.tree.root().context;
  std::vector<work::Header> headers;
  for (std::uint64_t i = 0; i <= f.tree.limits().ahead; ++i) {
    headers.push_back(f.header(context, 2));
    context = f.rules.extend(context, headers.back(), id_of(headers.back())).value();
  }
  REQUIRE(f.add(headers[1]).outcome == Outcome::parent_unknown);
  for (std::uint64_t i = 0; i < f.tree.limits().ahead; ++i) {
    REQUIRE(f.add(headers[i]).outcome == Outcome::added);
  }
  REQUIRE(f.add(headers.back()).outcome == Outcome::too_far_ahead);
  f.tree.set_valid(id_of(headers[0]));
  f.tree.set_applied(id_of(headers[0]));
  REQUIRE(f.add(headers.back()).outcome == Outcome::added);
}

TEST_CASE("bodies to fetch: those of heavier branches, the heaviest first, each from below") {
  TreeFixture f;
  const Block& tip = f.grow_chain(f.tree.root(), 2);
  const Block& a1 = f.grow(tip);
  const Block& a2 = f.grow(a1);
  const Block& a3 = f.grow(a2);
  const Block& b1 = f.grow(*tip.parent);
  const Block& b2 = f.grow(b1);
  const Block& c1 = f.grow(f.tree.root());
  f.tree.set_valid(a2.id);
  REQUIRE(ids(f.tree.wanted(10)) == std::vector<Digest>{a1.id, a3.id, b1.id, b2.id});
  REQUIRE(ids(f.tree.wanted(2)) == std::vector<Digest>{a1.id, a3.id});
  // Two branches share what they share.
  const Block& a3b = f.grow(a2);
  const Block& a4b = f.grow(a3b);
  REQUIRE(ids(f.tree.wanted(40)) ==
          std::vector<Digest>{a1.id, a3b.id, a4b.id, a3.id, b1.id, b2.id});
  REQUIRE_FALSE(c1.connected);
}

TEST_CASE("bodies to fetch: a branch of which none come leaves room for the next") {
  TreeFixture f;
  const Block& fork = f.grow_valid(f.tree.root());
  const Block* withheld = &fork;
  for (int i = 0; i < 40; ++i) withheld = &f.grow(*withheld, 1);
  f.grow(*withheld, 1);  // two ends are one branch still
  f.grow(*withheld, 1);
  const Block& first = f.grow(fork);
  const Block& second = f.grow(first);
  const auto wanted = ids(f.tree.wanted(16));
  REQUIRE(wanted.size() == 16);
  REQUIRE(std::count(wanted.begin(), wanted.end(), first.id) == 1);
  REQUIRE(std::count(wanted.begin(), wanted.end(), second.id) == 1);
}

TEST_CASE("ancestors, fork points and paths between branches") {
  TreeFixture f;
  const Block& shared = f.grow_chain(f.tree.root(), 5);
  const Block& left = f.grow_chain(shared, 4);
  const Block& right = f.grow_chain(shared, 7, 3);
  REQUIRE(&f.tree.fork_point(left, right) == &shared);
  REQUIRE(&f.tree.fork_point(right, left) == &shared);
  REQUIRE(&f.tree.fork_point(right, shared) == &shared);
  REQUIRE(&f.tree.fork_point(left, left) == &left);
  REQUIRE(f.tree.ancestor(left, Height(5)) == &shared);
  REQUIRE(f.tree.ancestor(right, Height(0)) == &f.tree.root());
  REQUIRE(f.tree.ancestor(left, Height(10)) == nullptr);
  const auto path = f.tree.path(shared, left);
  REQUIRE(path.size() == 4);
  REQUIRE(path.front()->parent == &shared);
  REQUIRE(path.back() == &left);
  REQUIRE(f.tree.path(left, left).empty());
  REQUIRE(f.tree.depth(shared) == 8);
  REQUIRE(f.tree.on_branch(Height(12)) == &right);
  REQUIRE(f.tree.on_branch(Height(13)) == nullptr);
  REQUIRE_FALSE(f.tree.on_branch(left));
}

TEST_CASE("what lies far below the applied block is forgotten, and a fork from there refused") {
  TreeFixture f({}, kSmall);
  const Block& early_fork = f.grow(f.tree.root());
  const Digest early_fork_id = early_fork.id;
  const work::Header early_fork_child = f.header(early_fork.context, 2);
  const Block* tip = &f.grow_chain(f.tree.root(), static_cast<int>(f.tree.limits().below));
  const Block& late_fork = f.grow(*tip->parent);
  f.tree.set_applied(tip->id);
  REQUIRE(f.tree.root().height() == Height(0));
  tip = &f.grow_chain(*tip, 10);
  f.tree.set_applied(tip->id);
  REQUIRE(f.tree.root().height() == Height(10));
  REQUIRE(f.tree.root().parent == nullptr);
  REQUIRE(f.tree.find(early_fork_id) == nullptr);
  REQUIRE(f.tree.find(late_fork.id) == &late_fork);
  REQUIRE(f.tree.size() == f.tree.limits().below + 2);
  REQUIRE(f.add(early_fork_child).outcome == Outcome::too_old);
  REQUIRE(f.tree.depth(f.tree.root()) == f.tree.limits().below + 1);
  REQUIRE(f.tree.ancestor(*tip, Height(9)) == nullptr);
}

TEST_CASE("the applied block may go down to a fork and up the other branch") {
  TreeFixture f;
  const Block& shared = f.grow_chain(f.tree.root(), 3);
  const Block& left = f.grow_chain(shared, 2);
  f.tree.set_applied(left.id);
  const Block& right = f.grow_chain(shared, 5);
  REQUIRE(&f.tree.tip() == &right);
  REQUIRE_FALSE(f.tree.on_branch(f.tree.applied()));
  f.tree.set_applied(f.tree.fork_point(f.tree.applied(), f.tree.tip()).id);
  REQUIRE(&f.tree.applied() == &shared);
  f.tree.set_applied(right.id);
  REQUIRE(f.tree.on_branch(f.tree.applied()));
}

TEST_CASE("a flood of headers costs the lightest branches their place and nobody else") {
  TreeFixture f({}, kSmall);
  const Block& applied = f.grow_chain(f.tree.root(), 100);
  f.tree.set_applied(applied.id);
  const Block& rival = f.grow_chain(*applied.parent, 1);
  while (f.tree.size() < f.tree.limits().blocks()) f.grow(f.tree.root(), 2 + f.next_nonce % 100);
  const std::size_t bytes = f.tree.memory_bytes();
  REQUIRE(bytes / f.tree.size() * TreeLimits{}.blocks() < 64U << 20U);
  // Equals of the lightest do not get in; what extends the tip and its rival does.
  REQUIRE(f.add(f.header(f.tree.root().context, 2)).outcome == Outcome::no_room);
  for (int i = 0; i < 20; ++i) f.grow_valid(f.tree.tip());
  const Block& late = f.grow(rival);
  REQUIRE(f.tree.find(late.id) == &late);
  REQUIRE(f.tree.size() == f.tree.limits().blocks());
  REQUIRE(f.tree.tip().height() == Height(120));
  REQUIRE(f.tree.memory_bytes() <= bytes + 1024);
}

TEST_CASE("of equally light branches the newest goes, of any the invalid ones go first") {
  TreeFixture f({}, kSmall);
  const Block& heavy = f.grow(f.grow_chain(f.tree.root(), 3));
  const Digest oldest = f.grow(f.tree.root()).id;
  const Digest condemned = f.grow(f.grow(f.tree.root())).id;
  f.tree.set_invalid(condemned);
  while (f.tree.size() < f.tree.limits().blocks()) f.grow(f.tree.root());
  const Digest newest = f.tree.all().back()->id;
  f.grow(heavy);
  REQUIRE(f.tree.find(condemned) == nullptr);
  REQUIRE(f.tree.find(newest) != nullptr);
  f.grow(f.tree.best_header());
  REQUIRE(f.tree.find(newest) == nullptr);
  REQUIRE(f.tree.find(oldest) != nullptr);
}

TEST_CASE("a block that a full tree gave up is nobody's head") {
  TreeFixture f({}, kSmall);
  f.grow(f.grow_chain(f.tree.root(), 3));
  while (f.tree.size() < f.tree.limits().blocks()) f.grow(f.tree.root());
  const Digest newest = f.tree.all().back()->id;
  PeerHeads heads;
  heads.note(ReplicaId(1), f.tree, newest);
  REQUIRE(heads.of(ReplicaId(1), f.tree)->id == newest);
  f.grow(f.tree.best_header());
  REQUIRE(heads.of(ReplicaId(1), f.tree) == nullptr);
  heads.note(ReplicaId(2), f.tree, newest);
  REQUIRE(heads.of(ReplicaId(2), f.tree) == nullptr);
}

TEST_CASE("what stands below an invalid block is aimed at and fetched like any other") {
  TreeFixture f;
  const Block& tip = f.grow_chain(f.tree.root(), 2);
  const Block& a1 = f.grow(tip);
  const Block& a2 = f.grow(a1);
  const Block& bad = f.grow(a2);
  const Digest above = f.grow(bad).id;
  const Block& other = f.grow(tip);
  f.tree.set_invalid(bad.id);
  REQUIRE(f.tree.find(above)->condemned);
  REQUIRE(&f.tree.best_header() == &a2);
  REQUIRE(ids(f.tree.wanted(10)) == std::vector<Digest>{a1.id, a2.id, other.id});
  // Twice is once.
  f.tree.set_invalid(bad.id);
  const Block& a3 = f.grow(a2);
  REQUIRE(&f.tree.best_header() == &a3);
  f.tree.set_valid(a1.id);
  f.tree.set_valid(a2.id);
  REQUIRE(&f.tree.tip() == &a2);
  REQUIRE(ids(f.tree.wanted(10)) == std::vector<Digest>{a3.id});
}

// The heaviest of what nobody fetched may lie on a branch that is forgotten with its fork.
TEST_CASE("a heaviest header that parts too far below is no aim any more") {
  TreeFixture f({}, {.below = 20, .ahead = 100});
  const Block* rival = &f.grow(f.tree.root());
  for (int i = 0; i < 40; ++i) rival = &f.grow(*rival, 1);
  for (int i = 0; i < 25; ++i) {
    f.tree.set_applied(f.grow_valid(f.tree.tip()).id);
  }
  REQUIRE(f.tree.root().height() == Height(5));
  REQUIRE(&f.tree.best_header() == &f.tree.tip());
  REQUIRE(f.tree.wanted(10).empty());
}

TEST_CASE("a valid block whose body is gone counts again when it has come again") {
  TreeFixture f;
  const Block& tip = f.grow_chain(f.tree.root(), 5);
  const Block& other = f.grow_chain(f.tree.root(), 3);
  const Block& middle = *other.parent;
  f.tree.set_unknown(middle.id);
  REQUIRE_FALSE(other.connected);
  REQUIRE(middle.parent->connected);
  const Block& more = f.grow_chain(other, 4);
  REQUIRE(&f.tree.tip() == &tip);
  REQUIRE(ids(f.tree.wanted(10)) == std::vector<Digest>{middle.id});
  f.tree.set_valid(middle.id);
  REQUIRE(&f.tree.tip() == &more);
}

TEST_CASE("a tree begins again at an executed block far from genesis") {
  TreeFixture f;
  std::vector<work::Header> headers;
  const Block* block = &f.tree.root();
  for (std::uint64_t i = 0; i < 700; ++i) {
    block = &f.grow_valid(*block, 1 + i % 4);
    headers.push_back(block->header);
  }
  const std::span<const work::Header> newest = std::span(headers).subspan(100);
  const auto resumed = f.rules.resume(newest);
  REQUIRE(resumed);
  BlockTree again(f.rules, newest[resumed->next - 1], resumed->context);
  for (std::size_t i = resumed->next; i < newest.size(); ++i) {
    const Digest id = id_of(newest[i]);
    REQUIRE(again.add(newest[i], id, WallMs::max()).outcome == Outcome::added);
    again.set_valid(id);
  }
  REQUIRE(again.tip().id == f.tree.tip().id);
  REQUIRE(f.rules.next_bits(again.tip().context) == f.rules.next_bits(f.tree.tip().context));
  REQUIRE(again.add(f.header(f.tree.tip().context, 2), Digest{}, WallMs::max()).outcome !=
          Outcome::invalid);
}

}  // namespace quorate::consensus::pow::test
