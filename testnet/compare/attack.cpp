// What attackers can do, by formula and tried out, and what it takes to keep them off.
#include <array>
#include <cmath>

#include "crypto/work/reversal.hpp"
#include "testnet/compare/measure_simulated.hpp"
#include "testnet/compare/private_fork.hpp"
#include "testnet/compare/selfish_mining.hpp"
#include "testnet/compare/text.hpp"

namespace quorate::testnet::comparison {

namespace {

using crypto::work::nakamoto_reversal_depth;
using crypto::work::nakamoto_reversal_probability;
using crypto::work::reversal_depth;
using crypto::work::reversal_probability;

constexpr std::array<double, 3> kShares = {0.1, 0.25, 0.3};
constexpr std::array<double, 2> kBounds = {1e-3, 1e-6};
constexpr double kTrialSeconds = 0.005;
constexpr double kSelfishBlockSeconds = 0.0001;
constexpr std::uint64_t kSeedsApart = 1'000'003;

// An attacker that a chain must withstand, and the share of the hash rate that he may have then.
struct Adversary {
  const char* name;
  double watts;
};
constexpr std::array<Adversary, 3> kAdversaries = {
    {{"one graphics card", 300}, {"a rented rack", 10'000}, {"a small mining farm", 1'000'000}}};
constexpr double kShareAllowed = 0.25;

AttackPoint formula(double share, std::uint32_t depth) {
  AttackPoint out;
  out.share = share;
  out.depth = depth;
  out.exact = reversal_probability(share, depth);
  out.nakamoto = nakamoto_reversal_probability(share, depth);
  return out;
}

}  // namespace

namespace {

// The jobs of this part, and what becomes of their results.
class AttackRuns {
 public:
  explicit AttackRuns(const SimulatedContext& context)
      : context_(context), plan_(context.plan), model_(context.model) {}

  Result<void> run() {
    for (const std::uint32_t depth : plan_.attack_depths) {
      for (const double share : plan_.attacker_shares) add_forks(share, depth);
    }
    for (const bool wins_half : {false, true}) {
      for (const double share : plan_.attacker_shares) add_selfish(share, wins_half);
    }
    QUORATE_CHECK(
        run_jobs(std::move(jobs_), context_.limits(), context_.progress, model_.left_out));
    for (const auto& point : forks_) model_.attack.push_back(*point);
    for (const auto& point : selfish_) model_.selfish.push_back(*point);
    return {};
  }

 private:
  // No two jobs have a seed in common.
  std::uint64_t next_seeds() { return (plan_.seed + jobs_.size()) * kSeedsApart; }

  void add_forks(double share, std::uint32_t depth) {
    const auto point = std::make_shared<AttackPoint>(formula(share, depth));
    forks_.push_back(point);
    const std::uint64_t first = next_seeds();
    const std::uint64_t trials = plan_.attack_trials;
    jobs_.push_back({"private forks, depth " + std::to_string(depth),
                     kTrialSeconds * static_cast<double>(trials),
                     [point, first, trials]() -> Result<void> {
                       AttackPoint tried = *point;
                       for (std::uint64_t i = 0; i < trials; ++i) {
                         if (private_fork_succeeds(tried.share, tried.depth, first + i)) {
                           ++tried.succeeded;
                         }
                       }
                       tried.trials = trials;
                       *point = tried;
                       return {};
                     }});
  }

  void add_selfish(double share, bool wins_half) {
    const auto point = std::make_shared<SelfishPoint>();
    point->share = share;
    point->ties_won = wins_half ? 0.5 : 0;
    point->formula = selfish_revenue(share, point->ties_won);
    selfish_.push_back(point);
    const std::uint64_t first = next_seeds();
    const std::uint64_t runs = plan_.selfish_runs;
    const std::uint64_t blocks = plan_.selfish_blocks;
    jobs_.push_back({"selfish mining", kSelfishBlockSeconds * static_cast<double>(runs * blocks),
                     [point, wins_half, first, runs, blocks]() -> Result<void> {
                       std::vector<SelfishMining> found;
                       for (std::uint64_t i = 0; i < runs; ++i) {
                         found.push_back(
                             mine_selfishly(point->share, wins_half, blocks, first + i));
                       }
                       summarize(found, *point);
                       return {};
                     }});
  }

  // Of independent runs: their mean, and what it may be off by with 95 % confidence.
  static void summarize(const std::vector<SelfishMining>& runs, SelfishPoint& point) {
    double sum = 0;
    double squares = 0;
    std::uint64_t blocks = 0;
    std::uint64_t mined = 0;
    for (const SelfishMining& run : runs) {
      const double revenue = static_cast<double>(run.his) / static_cast<double>(run.blocks);
      sum += revenue;
      squares += revenue * revenue;
      blocks += run.blocks;
      mined += run.mined;
    }
    const auto n = static_cast<double>(runs.size());
    point.blocks = blocks;
    point.revenue = sum / n;
    const double variance = std::max(0.0, squares / n - point.revenue * point.revenue) / (n - 1);
    point.off_by = kStudent * std::sqrt(variance);
    point.stale_rate = 1 - static_cast<double>(blocks) / static_cast<double>(mined);
  }
  // Of ten runs, 95 %.
  static constexpr double kStudent = 2.262;

  const SimulatedContext& context_;
  const Plan& plan_;
  Model& model_;
  std::vector<Job> jobs_;
  std::vector<std::shared_ptr<AttackPoint>> forks_;
  std::vector<std::shared_ptr<SelfishPoint>> selfish_;
};

}  // namespace

Result<void> measure_attack(const SimulatedContext& context) {
  context.progress.step("attackers", context.plan.expected(Part::attack));
  return AttackRuns(context).run();
}

void compute_safe_depths(Model& model) {
  for (const double share : kShares) {
    for (const double bound : kBounds) {
      model.safe_depths.push_back({share, bound, reversal_depth(share, bound).value_or(0),
                                   nakamoto_reversal_depth(share, bound).value_or(0)});
    }
  }
}

void compute_budgets(Model& model) {
  const Throughput* throughput = throughput_of(model, Engine::pow);
  if (throughput == nullptr || throughput->sustained.median <= 0) return;
  for (const Adversary& adversary : kAdversaries) {
    const double honest = adversary.watts * (1 - kShareAllowed) / kShareAllowed;
    model.budgets.push_back({adversary.name, adversary.watts, kShareAllowed, honest,
                             honest / throughput->sustained.median / kJoulesPerKwh});
  }
}

}  // namespace quorate::testnet::comparison
