#include "testnet/compare/selfish_mining.hpp"

#include "tests/sim/pow/engine_net.hpp"

namespace quorate::testnet::comparison {

namespace {

constexpr std::size_t kSelfish = 0;
constexpr std::size_t kFirstHonest = 1;  // and those behind it
// So long that difficulty stays where it is, as the formula has it.
constexpr std::uint64_t kSelfishHalfLifeS = 2'000'000;
// Between honest miners; he is next to everybody. With two honest miners of equal power each race
// is between the one who found the block and him, and the other one hears of his first.
constexpr Duration kDelay = std::chrono::milliseconds(1);

class Strategy {
 public:
  Strategy(double share, bool wins_half, std::uint64_t seed)
      : setup_(make_setup(wins_half, seed)), net_(setup_) {
    const auto all = static_cast<double>(setup_.chain.hashes_per_second);
    const auto honest = static_cast<double>(setup_.engines - 1);
    for (std::size_t i = kFirstHonest; i < setup_.engines; ++i) {
      net_.miner(i).set_hashes_per_second(static_cast<std::uint64_t>(all * (1 - share) / honest));
    }
    net_.miner(kSelfish).set_hashes_per_second(static_cast<std::uint64_t>(all * share));
    net_.set_delay(kSelfish, Duration(0));
    net_.keep_back(kSelfish);
  }

  SelfishMining run(std::uint64_t blocks) {
    while (honest_ < blocks || lead() > 0 || !agreed()) {
      net_.step();
      const auto& found = net_.lottery().blocks();
      for (; seen_ < found.size(); ++seen_) react(found[seen_]);
    }
    SelfishMining out;
    out.mined = net_.lottery().blocks().size();
    for (auto at = net_.lottery().find(net_.branch(kFirstHonest).tip_id); at != nullptr;
         at = net_.lottery().find(at->header.parent)) {
      ++out.blocks;
      if (at->header.miner == net_.key(kSelfish)) ++out.his;
    }
    return out;
  }

 private:
  static sim::pow::EngineNet::Setup make_setup(bool wins_half, std::uint64_t seed) {
    sim::pow::EngineNet::Setup out;
    out.chain.half_life_s = kSelfishHalfLifeS;
    out.engines = wins_half ? 3 : 2;
    out.seed = seed;
    out.delay = kDelay;
    return out;
  }

  std::uint64_t lead() const { return his_ > honest_ ? his_ - honest_ : 0; }
  bool agreed() const {
    for (std::size_t i = 0; i < setup_.engines; ++i) {
      if (net_.branch(i).tip_id != net_.branch(kFirstHonest).tip_id) return false;
    }
    return true;
  }

  // A block was found, and he hears of it at once.
  void react(const sim::pow::MinedBlock& block) {
    const std::uint64_t height = block.header.height.value();
    if (block.header.miner == net_.key(kSelfish)) {
      his_ = height;
      // He was in a race, and this decides it.
      if (racing_) show();
      racing_ = false;
      return;
    }
    if (height <= honest_) return;  // honest miners race among themselves
    const std::uint64_t before = lead();
    honest_ = height;
    racing_ = before == 1;
    if (before == 1 || before == 2) return show();
    if (before > 2) net_.show(kSelfish, block.header.height);
  }
  // All that he has.
  void show() {
    net_.show(kSelfish, Height(his_));
    honest_ = std::max(honest_, his_);
  }

  const sim::pow::EngineNet::Setup setup_;
  sim::pow::EngineNet net_;
  std::size_t seen_ = 0;
  std::uint64_t honest_ = 0;  // the highest block that everybody knows of
  std::uint64_t his_ = 0;     // the highest that he mined
  bool racing_ = false;       // two branches of one height, and one is his
};

}  // namespace

SelfishMining mine_selfishly(double share, bool wins_half, std::uint64_t blocks,
                             std::uint64_t seed) {
  return Strategy(share, wins_half, seed).run(blocks);
}

double selfish_revenue(double share, double ties_won) {
  const double a = share;
  const double others = 1 - a;
  const double won = a * others * others * (4 * a + ties_won * (1 - 2 * a)) - a * a * a;
  const double all = 1 - a * (1 + (2 - a) * a);
  return won / all;
}

}  // namespace quorate::testnet::comparison
