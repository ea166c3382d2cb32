// What attackers can do, by formula and tried out, and what it takes to keep them off.
#include <array>

#include "crypto/work/reversal.hpp"
#include "testnet/compare/measure_simulated.hpp"
#include "testnet/compare/private_fork.hpp"

namespace quorate::testnet::comparison {

namespace {

using crypto::work::nakamoto_reversal_depth;
using crypto::work::nakamoto_reversal_probability;
using crypto::work::reversal_depth;
using crypto::work::reversal_probability;

constexpr std::array<double, 3> kShares = {0.1, 0.25, 0.3};
constexpr std::array<double, 2> kBounds = {1e-3, 1e-6};
constexpr double kTrialSeconds = 0.01;
constexpr std::uint64_t kSeedsApart = 1'000'003;

// An attacker that a chain must withstand, and the share of the hash rate that he may have then.
struct Adversary {
  const char* name;
  double watts;
};
constexpr std::array<Adversary, 3> kAdversaries = {
    {{"one graphics card", 300}, {"a rented rack", 10'000}, {"a small mining farm", 1'000'000}}};
constexpr double kShareAllowed = 0.25;
constexpr double kJoulesPerKwh = 3.6e6;

AttackPoint formula(double share, std::uint32_t depth) {
  AttackPoint out;
  out.share = share;
  out.depth = depth;
  out.exact = reversal_probability(share, depth);
  out.nakamoto = nakamoto_reversal_probability(share, depth);
  out.selfish_none = selfish_revenue(share, 0);
  out.selfish_half = selfish_revenue(share, 0.5);
  return out;
}

}  // namespace

Result<void> measure_attack(const SimulatedContext& context) {
  const Plan& plan = context.plan;
  context.progress.step("private forks", plan.expected(Part::attack));
  std::vector<Job> jobs;
  std::vector<std::shared_ptr<AttackPoint>> points;
  for (const std::uint32_t depth : plan.attack_depths) {
    for (const double share : plan.attacker_shares) {
      const auto point = std::make_shared<AttackPoint>(formula(share, depth));
      points.push_back(point);
      const std::uint64_t first = (plan.seed + points.size()) * kSeedsApart;
      const std::uint64_t trials = plan.attack_trials;
      jobs.push_back({"private forks, depth " + std::to_string(depth),
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
  }
  QUORATE_CHECK(
      run_jobs(std::move(jobs), context.limits(), context.progress, context.model.left_out));
  for (const auto& point : points) context.model.attack.push_back(*point);
  return {};
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
