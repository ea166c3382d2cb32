// How difficulty follows the hash rate, measured over many seeds on engines without nodes. With the
// retarget's half-life tau the mean block interval over its target is, t after the hash rate was
// halved, 1 + 2^(-t/tau), and after it was doubled 1 - 2^(-t/tau)/2.
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/sim/pow/engine_net.hpp"

using namespace quorate;
using namespace quorate::sim;

namespace {

constexpr std::uint64_t kHalfLife = 120;  // seconds
constexpr std::uint64_t kInterval = 2;
constexpr std::uint64_t kSettle = 5 * kHalfLife;  // from genesis to the change
constexpr std::uint64_t kAfter = 5 * kHalfLife;   // behind it
constexpr std::uint64_t kWindow = kHalfLife / 2;
constexpr std::uint64_t kWindows = kAfter / kWindow;
constexpr std::uint64_t kSeeds = 40;

Instant at(std::uint64_t seconds) { return Instant{std::chrono::seconds(seconds)}; }

// Blocks mined in each window after the hash rate was multiplied, over all seeds.
std::vector<double> blocks_after(double factor) {
  std::vector<double> out(kWindows, 0);
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    pow::EngineNet::Setup setup;
    setup.engines = 1;
    setup.seed = seed;
    pow::EngineNet net(setup);
    net.run_until(at(kSettle));
    const auto usual = static_cast<double>(setup.chain.hashes_per_second);
    net.set_hashes_per_second(static_cast<std::uint64_t>(usual * factor));
    net.run_until(at(kSettle + kAfter));
    for (const pow::MinedBlock& block : net.lottery().blocks()) {
      if (block.when < at(kSettle)) continue;
      const Duration since = block.when - at(kSettle);
      const auto window = static_cast<std::uint64_t>(
                              std::chrono::duration_cast<std::chrono::seconds>(since).count()) /
                          kWindow;
      if (window < kWindows) out[window] += 1;
    }
  }
  return out;
}

// Blocks that a window should have: the integral of one over the expected interval. With u the time
// in half-lives, of 1 + c 2^-u it is log2(2^u + c).
double expected_blocks(std::uint64_t window, double c) {
  const double tau = static_cast<double>(kHalfLife);
  const auto integral = [c](double u) { return std::log2(std::exp2(u) + c); };
  const double begin = static_cast<double>(window * kWindow) / tau;
  const double end = static_cast<double>((window + 1) * kWindow) / tau;
  return (integral(end) - integral(begin)) * tau / static_cast<double>(kInterval);
}

// `c` is 1 for half the hash rate and -1/2 for twice.
void check_course(double factor, double c) {
  const std::vector<double> found = blocks_after(factor);
  for (std::uint64_t window = 0; window < kWindows; ++window) {
    const double expected = expected_blocks(window, c) * static_cast<double>(kSeeds);
    const double interval = expected / found[window];  // over what it should be
    // Counts vary no more than those of chance alone, for difficulty pulls them back.
    const double sigma = 1 / std::sqrt(expected);
    INFO("half-lives " << static_cast<double>(window) * 0.5 << ": " << found[window]
                       << " blocks, expected " << expected);
    CHECK(std::abs(interval - 1) < 3.5 * sigma);
    if (window * kWindow >= 4 * kHalfLife) {
      const double target = static_cast<double>(kWindow * kSeeds) / static_cast<double>(kInterval);
      CHECK(std::abs(target / found[window] - 1) < 0.1);
    }
  }
}

}  // namespace

TEST_CASE("Half the hash rate: intervals double and come back along 1 + 2^(-t/tau)") {
  check_course(0.5, 1);
}

TEST_CASE("Twice the hash rate: intervals halve and come back along 1 - 2^(-t/tau)/2") {
  check_course(2, -0.5);
}

TEST_CASE("Without delay nothing is stale and nothing is withdrawn, and the interval is kept") {
  pow::EngineNet::Setup setup;
  setup.seed = 11;
  pow::EngineNet net(setup);
  net.run_until(at(4000));
  const auto best = net.best_branch();
  CHECK(best.size() == net.lottery().blocks().size());
  CHECK(net.rewinds() == 0);
  const auto expected = 4000.0 / kInterval;
  CHECK(std::abs(static_cast<double>(best.size()) / expected - 1) < 0.1);
}
