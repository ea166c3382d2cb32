// The private-fork attack, tried out: an attacker mines a branch in secret from the block before a
// payment, the payee waits until the payment is z deep, then the attacker publishes and goes on
// until his branch outweighs or has fallen hopelessly behind. How often he succeeds must be what
// the exact formula says, on a bare random walk and through the real block tree.
//
// He may start from equal footing and win at equality, or own one block in advance and win only
// when he is ahead: the same game. The walk plays it the first way, the tree, which prefers the
// branch it saw first, the second way.
#include <catch2/catch.hpp>

#include <cmath>

#include "crypto/work/reversal.hpp"
#include "tests/sim/prng.hpp"
#include "tests/unit/consensus/pow/tree_fixture.hpp"

namespace quorate::consensus::pow::test {

namespace {

constexpr double kShares[] = {0.10, 0.20, 0.25, 0.30, 0.40};
constexpr std::uint32_t kDepths[] = {1, 6, 10};

// Who finds the next block.
class Race {
 public:
  Race(double attacker_share, std::uint64_t seed)
      : prng_(seed), below_(static_cast<std::uint64_t>(std::ldexp(attacker_share, 64))) {}
  bool attacker() { return prng_.next() < below_; }

 private:
  sim::Prng prng_;
  std::uint64_t below_;
};

// From so far behind he comes back with a chance below `chance`.
std::uint32_t hopeless(double share, double chance) {
  return static_cast<std::uint32_t>(std::log(chance) / std::log(share / (1 - share))) + 1;
}

void require_within_three_sigma(double share, std::uint32_t depth, std::uint64_t won,
                                std::uint64_t trials) {
  const double expected = crypto::work::reversal_probability(share, depth);
  const auto n = static_cast<double>(trials);
  const double sigma = std::sqrt(expected * (1 - expected) / n);
  const double measured = static_cast<double>(won) / n;
  INFO("share " << share << ", depth " << depth << ": measured " << measured << ", exact "
                << expected << ", sigma " << sigma);
  REQUIRE(std::abs(measured - expected) <= 3 * sigma);
}

bool walk(Race& race, std::uint32_t depth, std::uint32_t give_up) {
  std::uint32_t honest = 0;
  std::uint32_t attacker = 0;
  while (honest < depth) ++(race.attacker() ? attacker : honest);
  if (attacker >= honest) return true;
  for (std::uint32_t behind = honest - attacker; behind <= give_up;) {
    race.attacker() ? --behind : ++behind;
    if (behind == 0) return true;
  }
  return false;
}

// One attack on a tree of its own. Every block comes when the schedule expects one of its height,
// so all weigh the same.
class TreeAttack {
 public:
  TreeAttack(const work::HeaderRules& rules, Race& race) : tree_(rules), race_(race) {
    attacker_ = mine(tree_.root().context);
    secret_.push_back(header_);
  }

  bool run(std::uint32_t depth, std::uint32_t give_up) {
    const Block* honest = &tree_.root();
    while (honest->height() < Height(depth)) {
      if (race_.attacker()) {
        attacker_ = mine(attacker_);
        secret_.push_back(header_);
      } else {
        honest = &publish(honest->context);
      }
    }
    const Digest payment = tree_.on_branch(Height(1))->id;
    for (const work::Header& header : secret_) reveal(header);
    while (tree_.on_branch(Height(1))->id == payment) {
      if (honest->height().value() > attacker_.height.value() + give_up) return false;
      if (race_.attacker()) {
        attacker_ = publish(attacker_).context;
      } else {
        honest = &publish(honest->context);
      }
    }
    return true;
  }

 private:
  work::Context mine(const work::Context& parent) {
    header_ = crypto::work::test::child(tree_.rules(), parent,
                                        kGenesisS + 2 * (parent.height.value() + 1), ++nonce_);
    return tree_.rules().extend(parent, header_, id_of(header_)).value();
  }
  const Block& publish(const work::Context& parent) {
    mine(parent);
    return reveal(header_);
  }
  const Block& reveal(const work::Header& header) {
    const BlockTree::Added added = tree_.add(header, id_of(header), WallMs::max());
    if (added.outcome != BlockTree::Outcome::added) FAIL(added.why);
    tree_.set_valid(added.block->id);
    return *added.block;
  }

  BlockTree tree_;
  Race& race_;
  work::Header header_;  // the last one mined
  work::Context attacker_;
  std::vector<work::Header> secret_;
  std::uint64_t nonce_ = 0;
};

}  // namespace

TEST_CASE("a private fork on the bare walk succeeds as often as the exact formula says") {
  constexpr std::uint64_t kTrials = 10'000 * QUORATE_TRIALS_PERCENT;
  for (const double share : kShares) {
    for (const std::uint32_t depth : kDepths) {
      Race race(share, 1000 * depth + static_cast<std::uint64_t>(share * 100));
      const std::uint32_t give_up = hopeless(share, 1e-9);
      std::uint64_t won = 0;
      for (std::uint64_t i = 0; i < kTrials; ++i) {
        if (walk(race, depth, give_up)) ++won;
      }
      require_within_three_sigma(share, depth, won, kTrials);
    }
  }
}

TEST_CASE("a private fork through the block tree succeeds as often as the exact formula says") {
  constexpr std::uint64_t kTrials = 100 * QUORATE_TRIALS_PERCENT;
  const work::HeaderRules rules = crypto::work::test::rules();
  for (const double share : kShares) {
    for (const std::uint32_t depth : kDepths) {
      Race race(share, 1000 * depth + static_cast<std::uint64_t>(share * 100) + 7);
      const std::uint32_t give_up = hopeless(share, 1e-5);
      std::uint64_t won = 0;
      for (std::uint64_t i = 0; i < kTrials; ++i) {
        if (TreeAttack(rules, race).run(depth, give_up)) ++won;
      }
      require_within_three_sigma(share, depth, won, kTrials);
    }
  }
}

}  // namespace quorate::consensus::pow::test
