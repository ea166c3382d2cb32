// Random forks, bodies in any order, invalid blocks and rewinds: after every step the tree agrees
// with a model that knows everything and computes it the long way, and a ledger that follows the
// tree ends where a replay of the best branch ends.
#include <catch2/catch.hpp>

#include "crypto/hash.hpp"
#include "tests/sim/prng.hpp"
#include "tests/unit/consensus/pow/tree_fixture.hpp"

namespace quorate::consensus::pow::test {

namespace {

// Every block there ever was, as the tree should see it.
struct Model {
  struct Entry {
    work::Context context;
    std::size_t parent = 0;
    bool valid = false;
    bool condemned = false;
    std::uint64_t connected_at = 0;  // 0: not yet
  };
  std::vector<Entry> entries;
  std::uint64_t clock = 0;
  // What peers have proved to stand on an entry, by way of another one.
  struct Claim {
    std::size_t on;
    std::size_t to;
    work::Uint256 work;
  };
  std::optional<Claim> proved = {};

  bool stands_on(std::size_t block, std::size_t below) const {
    while (block > below) block = entries[block].parent;
    return block == below;
  }
  using Weight = std::pair<work::Uint256, work::Uint256>;
  Weight weight(std::size_t block) const {
    const work::Uint256& total = entries[block].context.total_work;
    if (!proved) return {total, total};
    const bool leads = stands_on(block, proved->on) && stands_on(proved->to, block);
    if (!leads && !stands_on(block, proved->to)) return {total, total};
    return {std::max(total, proved->work), total};
  }

  // The tree connects a block and then, level by level, the valid ones above it.
  void connect(std::size_t first) {
    std::vector<std::size_t> next{first};
    for (std::size_t at = 0; at < next.size(); ++at) {
      entries[next[at]].connected_at = ++clock;
      for (std::size_t i = 1; i < entries.size(); ++i) {
        if (entries[i].parent == next[at] && entries[i].valid) next.push_back(i);
      }
    }
  }
  std::size_t tip() const {
    std::size_t best = 0;
    for (std::size_t i = 1; i < entries.size(); ++i) {
      const Entry& entry = entries[i];
      if (entry.connected_at == 0) continue;
      const Weight most = weight(best);
      const Weight own = weight(i);
      if (own > most || (own == most && entry.connected_at < entries[best].connected_at)) best = i;
    }
    return best;
  }
  void condemn(std::size_t block) {
    entries[block].condemned = true;
    for (std::size_t i = 1; i < entries.size(); ++i) {
      if (entries[entries[i].parent].condemned) entries[i].condemned = true;
    }
  }
  // The payload is gone: the block and all above it connect when it comes again.
  void disconnect(std::size_t block) {
    entries[block].valid = false;
    for (std::size_t i = 1; i < entries.size(); ++i) {
      if (stands_on(i, block)) entries[i].connected_at = 0;
    }
  }
  Weight heaviest_header() const {
    Weight out;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (!entries[i].condemned) out = std::max(out, weight(i));
    }
    return out;
  }
};

// Executes what is `depth` deep and rewinds when that is taken back: a state is the hash of all ids
// executed, one after the other.
struct Follower {
  std::vector<Digest> states{Digest{}};
  std::size_t rewinds = 0;

  void follow(BlockTree& tree, std::uint64_t depth) {
    const Block& shared = tree.fork_point(tree.applied(), tree.tip());
    if (&shared != &tree.applied()) {
      ++rewinds;
      states.resize(shared.height().value() + 1);
      tree.set_applied(shared.id);
    }
    while (tree.depth(tree.applied()) > depth) {
      const Block& next = *tree.on_branch(tree.applied().height().next());
      states.push_back(crypto::hash("test", {states.back(), next.id}));
      tree.set_applied(next.id);
    }
  }
};

Digest replay(const BlockTree& tree) {
  Digest state;
  for (const Block* block : tree.path(tree.root(), tree.applied())) {
    state = crypto::hash("test", {state, block->id});
  }
  return state;
}

void compare(const TreeFixture& f, const Model& model, bool exact) {
  const auto weight = [](const Block& block) {
    return Model::Weight{block.weight, block.total_work()};
  };
  const std::size_t tip = model.tip();
  // Of equals the first, unless proofs came and went.
  if (exact) REQUIRE(f.tree.tip().id == model.entries[tip].context.id);
  REQUIRE(weight(f.tree.tip()) == model.weight(tip));
  REQUIRE(weight(f.tree.best_header()) == model.heaviest_header());
  // The preferred branch is the tip's line of ancestors.
  const Block* block = &f.tree.tip();
  std::uint64_t depth = 1;
  for (; block != nullptr; block = block->parent) {
    if (f.tree.depth(*block) != depth++) FAIL("the branch is not the tip's ancestors");
  }
}

// Some branches are proved to go on, until they are not; payloads beside the preferred branch go.
void change_proofs(sim::Prng& prng, TreeFixture& f, Model& model,
                   std::vector<std::size_t>& unjudged) {
  const std::size_t block = prng.below(model.entries.size());
  const Model::Entry& entry = model.entries[block];
  if (prng.one_in(3)) {
    model.proved.reset();
    f.tree.set_proved(std::nullopt);
  } else if (prng.one_in(2)) {
    const work::Uint256 more = crypto::work::scaled(f.tree.tip().total_work(), prng.below(20), -4);
    std::size_t to = model.entries.size() - 1 - prng.below(model.entries.size() - block);
    if (!model.stands_on(to, block)) to = block;
    model.proved = {block, to, more};
    f.tree.set_proved(Proved{entry.context.height, model.entries[to].context.id, more, Height(1000)});
  } else if (entry.valid && !f.tree.on_branch(*f.tree.find(entry.context.id))) {
    f.tree.set_unknown(entry.context.id);
    model.disconnect(block);
    unjudged.push_back(block);
  }
}

std::size_t run(std::uint64_t seed, bool proofs) {
  CAPTURE(seed);
  sim::Prng prng(seed);
  TreeFixture f;
  Model model;
  model.entries.push_back({f.tree.root().context, 0, true, false, ++model.clock});
  Follower ledger;
  const std::uint64_t depth = prng.between(1, 4);
  const std::uint64_t reach = prng.between(1, 12);
  std::vector<std::size_t> unjudged;
  for (int step = 0; step < 150; ++step) {
    if (prng.per_mille(550)) {
      // Mostly on one of the newest blocks.
      const std::size_t size = model.entries.size();
      const std::size_t parent = size - 1 - prng.below(std::min<std::uint64_t>(size, reach));
      const work::Header header = f.header(model.entries[parent].context, prng.between(1, 40));
      const BlockTree::Added added = f.add(header);
      const bool condemned = model.entries[parent].condemned;
      REQUIRE(added.outcome ==
              (condemned ? BlockTree::Outcome::invalid : BlockTree::Outcome::added));
      model.entries.push_back({added.block->context, parent, false, condemned, 0});
      if (!condemned) unjudged.push_back(size);
    } else if (!unjudged.empty()) {
      const std::size_t pick = prng.below(unjudged.size());
      const std::size_t block = unjudged[pick];
      unjudged.erase(unjudged.begin() + static_cast<std::ptrdiff_t>(pick));
      Model::Entry& entry = model.entries[block];
      if (prng.one_in(12)) {
        f.tree.set_invalid(entry.context.id);
        model.condemn(block);
      } else {
        f.tree.set_valid(entry.context.id);
        entry.valid = true;
        if (model.entries[entry.parent].connected_at != 0) model.connect(block);
      }
    }
    if (proofs && prng.one_in(4)) change_proofs(prng, f, model, unjudged);
    compare(f, model, !proofs);
    ledger.follow(f.tree, depth);
    REQUIRE(ledger.states.back() == replay(f.tree));
  }
  return ledger.rewinds;
}

}  // namespace

TEST_CASE("random forks: the tree agrees with the model, the ledger with a replay") {
  std::size_t rewinds = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) rewinds += run(seed, false);
  REQUIRE(rewinds > 1000);  // otherwise the runs were too tame
}

TEST_CASE("random forks, some of them proved to go on above: the tree agrees with the model") {
  std::size_t rewinds = 0;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) rewinds += run(seed, true);
  REQUIRE(rewinds > 1000);
}

}  // namespace quorate::consensus::pow::test
