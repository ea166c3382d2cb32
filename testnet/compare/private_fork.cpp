#include "testnet/compare/private_fork.hpp"

#include <cmath>

#include "tests/sim/pow/engine_net.hpp"

namespace quorate::testnet::comparison {

namespace {

constexpr std::size_t kHonest = 0;
constexpr std::size_t kAttackingMiner = 1;
// So long that difficulty stays where it is, as the formula has it.
constexpr std::uint64_t kHalfLifeS = 2'000'000;
// Two blocks rarely come within one step.
constexpr int kStepsPerInterval = 20;
constexpr int kShowIntervals = 400;
constexpr double kHopeless = 1e-3;

class Attack {
 public:
  Attack(double share, std::uint32_t depth, std::uint64_t seed)
      : share_(share),
        depth_(depth),
        setup_(make_setup(depth, seed)),
        net_(setup_),
        step_(std::chrono::milliseconds(setup_.chain.interval_ms) / kStepsPerInterval) {}

  bool succeeds() {
    net_.separate(kAttackingMiner, true);
    mine(0, share_);
    while (attacker() < 1) advance();
    mine(1 - share_, share_);
    while (honest() < depth_ || attacker() <= honest()) {
      if (honest() > attacker() + give_up()) return false;
      advance();
    }
    return shows();
  }

 private:
  static sim::pow::EngineNet::Setup make_setup(std::uint32_t depth, std::uint64_t seed) {
    sim::pow::EngineNet::Setup out;
    out.chain.depth = depth;
    out.chain.half_life_s = kHalfLifeS;
    out.engines = 2;
    out.seed = seed;
    return out;
  }

  void mine(double honest_share, double attacker_share) {
    const auto all = static_cast<double>(setup_.chain.hashes_per_second);
    net_.miner(kHonest).set_hashes_per_second(static_cast<std::uint64_t>(all * honest_share));
    net_.miner(kAttackingMiner)
        .set_hashes_per_second(static_cast<std::uint64_t>(all * attacker_share));
  }
  std::uint64_t honest() const { return net_.branch(kHonest).tip.value(); }
  std::uint64_t attacker() const { return net_.branch(kAttackingMiner).tip.value(); }
  void advance() { net_.run_until(net_.now() + step_); }

  // From so far behind he comes back with a chance below kHopeless.
  std::uint64_t give_up() const {
    return static_cast<std::uint64_t>(std::log(kHopeless) / std::log(share_ / (1 - share_))) + 1;
  }

  // His branch is longer: he shows it with his next block, and the honest miners, who would hear of
  // it at once, find nothing meanwhile.
  bool shows() {
    mine(0, share_);
    net_.separate(kAttackingMiner, false);
    for (int i = 0; i < kShowIntervals * kStepsPerInterval && net_.rewinds() == 0; ++i) advance();
    return net_.rewinds() > 0;
  }

  const double share_;
  const std::uint32_t depth_;
  const sim::pow::EngineNet::Setup setup_;
  sim::pow::EngineNet net_;
  const Duration step_;
};

}  // namespace

bool private_fork_succeeds(double attacker_share, std::uint32_t depth, std::uint64_t seed) {
  if (attacker_share <= 0) return false;
  if (attacker_share >= 0.5) return true;  // sooner or later
  return Attack(attacker_share, depth, seed).succeeds();
}

}  // namespace quorate::testnet::comparison
