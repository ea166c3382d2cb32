// What the comparison simulates, at its smallest.
#include <catch2/catch.hpp>
#include <cmath>

#include "crypto/work/reversal.hpp"
#include "testnet/compare/lying_members.hpp"
#include "testnet/compare/measure_simulated.hpp"
#include "testnet/compare/private_fork.hpp"
#include "testnet/compare/selfish_mining.hpp"

namespace quorate::testnet::comparison {

namespace {

Model simulated(Part part) {
  CompareOptions options;
  options.tiny = true;
  Plan plan = make_plan(options).value();
  plan.simulation_budget = 0;  // however slow the machine is
  Model model;
  model.chain = plan.chain;
  compute_safe_depths(model);
  Progress progress(ProgressForm::none, 0);
  const SimulatedContext context{plan, {}, 2, nullptr, progress, model};
  const auto outcome = part == Part::scale ? measure_scale(context) : measure_attack(context);
  INFO((outcome ? "" : outcome.error().detail));
  REQUIRE(outcome);
  CHECK(model.left_out.empty());
  return model;
}

}  // namespace

TEST_CASE("compare: private forks succeed about as often as the exact formula says") {
  constexpr int kTrials = 200;
  constexpr double kShare = 0.35;
  constexpr std::uint32_t kDepth = 2;
  int succeeded = 0;
  for (int i = 0; i < kTrials; ++i) {
    if (private_fork_succeeds(kShare, kDepth, 1000U + static_cast<std::uint64_t>(i))) ++succeeded;
  }
  const double expected = crypto::work::reversal_probability(kShare, kDepth);
  const double sigma = std::sqrt(expected * (1 - expected) / kTrials);
  const double found = static_cast<double>(succeeded) / kTrials;
  INFO(found << " found, " << expected << " expected");
  CHECK(std::abs(found - expected) < 4 * sigma);
}

TEST_CASE("compare: nobody without hash power reverses anything, and half of it always does") {
  CHECK_FALSE(private_fork_succeeds(0, 2, 1));
  CHECK(private_fork_succeeds(0.5, 2, 1));
}

TEST_CASE("compare: a selfish miner gains nothing when small and more than his share when large") {
  CHECK(selfish_revenue(0, 0) == 0);
  CHECK(selfish_revenue(1.0 / 3, 0) == Approx(1.0 / 3));
  CHECK(selfish_revenue(0.25, 0.5) == Approx(0.25));
  CHECK(selfish_revenue(0.4, 0) > 0.4);
  CHECK(selfish_revenue(0.2, 0) < 0.2);
}

TEST_CASE("compare: selfish mining with the real engines earns what the formula says") {
  constexpr int kRuns = 12;
  for (const bool wins_half : {false, true}) {
    for (const double share : {0.2, 0.4}) {
      double sum = 0;
      double squares = 0;
      for (int i = 0; i < kRuns; ++i) {
        const SelfishMining run =
            mine_selfishly(share, wins_half, 200, 500U + static_cast<std::uint64_t>(i));
        CHECK(run.blocks >= 200);
        CHECK(run.mined > run.blocks);  // some went stale
        const double revenue = static_cast<double>(run.his) / static_cast<double>(run.blocks);
        sum += revenue;
        squares += revenue * revenue;
      }
      const double mean = sum / kRuns;
      const double sigma = std::sqrt((squares / kRuns - mean * mean) / (kRuns - 1));
      const double expected = selfish_revenue(share, wins_half ? 0.5 : 0);
      INFO(share << ", wins half: " << wins_half << ": " << mean << " found, " << expected
                 << " expected, sigma " << sigma);
      CHECK(sigma < 0.025);
      CHECK(std::abs(mean - expected) < 4 * sigma);
    }
  }
}

TEST_CASE("compare: f liars fork nothing, and f + 1 fork the chain and name themselves") {
  for (const std::uint32_t nodes : {4U, 7U}) {
    const std::uint32_t f = (nodes - 1) / 3;
    const auto tolerated = try_liars(nodes, f, 1);
    REQUIRE(tolerated);
    CHECK_FALSE(tolerated->forked);
    CHECK(tolerated->goes_on);
    CHECK(tolerated->wronged == 0);
    const auto too_many = try_liars(nodes, f + 1, 1);
    REQUIRE(too_many);
    CHECK(too_many->forked);
    CHECK(too_many->named == f + 1);
    CHECK(too_many->wronged == 0);
  }
}

TEST_CASE("compare: simulated networks give latency, messages, faults and partitions") {
  const Model model = simulated(Part::scale);
  CHECK(model.traffic.size() == 8);  // two sizes, two delays, two engines
  const Latency* votes = latency_of(model, Engine::pbft, 0);
  const Latency* work = latency_of(model, Engine::pow, model.chain.depth);
  REQUIRE(votes != nullptr);
  REQUIRE(work != nullptr);
  CHECK(votes->p50_ms.median > 4);  // four times a delay of 1 ms
  CHECK(work->p50_ms.median > votes->p50_ms.median);
  const std::uint32_t deep = safe_depth(model, 0.25, 1e-3);
  CHECK(deep == 20);
  const Latency* safe = latency_of(model, Engine::pow, deep);
  REQUIRE(safe != nullptr);
  CHECK(safe->p50_ms.median > work->p50_ms.median);
  for (const Traffic& one : model.traffic) {
    if (one.setting.engine != Engine::pbft) continue;
    INFO(one.setting.nodes << " nodes");
    CHECK(one.messages_per_block > 0.8 * one.formula_per_block);
    CHECK(one.relays_per_tx > 1);  // some share a frame
  }
  CHECK(throughput_of(model, Engine::pbft) != nullptr);
  REQUIRE(model.liars.size() == 4);
  for (const LiarsRow& row : model.liars) CHECK(row.forked == (row.liars > row.tolerated));
  const Partition* halves = partition_of(model, Engine::pbft);
  REQUIRE(halves != nullptr);
  CHECK(halves->reversed == 0);
  for (const FaultRow& row : model.faults) {
    INFO(to_string(row.setting.engine) << ": " << row.what);
    const bool too_many = row.setting.engine == Engine::pbft && row.what == "2 of 4 crashed";
    CHECK(row.goes_on == !too_many);
    CHECK(row.reversed == 0);
  }
}

TEST_CASE("compare: every share and depth of an attacker is tried out") {
  const Model model = simulated(Part::attack);
  CHECK(model.attack.size() == 3);
  for (const AttackPoint& point : model.attack) CHECK(point.trials == 10);
  CHECK(model.selfish.size() == 6);
  for (const SelfishPoint& point : model.selfish) CHECK(point.blocks >= 500);
  CHECK(model.attack.front().succeeded == 0);  // without hash power
}

TEST_CASE("compare: jobs end with the first failure, and what was not begun is left out") {
  Progress progress(ProgressForm::none, 0);
  std::vector<LeftOut> left_out;
  std::vector<Job> jobs;
  jobs.push_back({"sound", 1, []() -> Result<void> { return {}; }});
  jobs.push_back({"broken", 2, []() -> Result<void> { return fail(Errc::corrupt, "broken"); }});
  const auto outcome = run_jobs(std::move(jobs), {1, 0, nullptr}, progress, left_out);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().detail == "broken");
  const auto stopped = run_jobs({{"never asked", 1,
                                  []() -> Result<void> {
                                    std::this_thread::sleep_for(std::chrono::seconds(1));
                                    return {};
                                  }}},
                                {1, 0, [] { return true; }}, progress, left_out);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == Errc::timeout);
}

}  // namespace quorate::testnet::comparison
