// Measures what work costs here. Signatures, hashes, the loopback hop and the disk: the load
// generator's probes. What the replica itself does: its real code, timed in two short simulated
// runs. What neither reaches (TLS, the RPC server, RocksDB, the clients) is the reference cost
// times how much slower than the reference this machine verifies.
#include <time.h>

#include <cmath>

#include "crypto/hash.hpp"
#include "testnet/load/accounts.hpp"
#include "testnet/load/probes.hpp"
#include "testnet/load/statistics.hpp"
#include "testnet/simulate/costs.hpp"
#include "testnet/simulate/options.hpp"
#include "tests/sim/timed/timed_run.hpp"

namespace quorate::testnet {

namespace {

using sim::timed::Costs;
using sim::timed::kStages;
using sim::timed::Stage;

std::int64_t thread_cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// Median over many rounds of the mean of a few calls, in nanoseconds of CPU time.
template <class Work>
std::int64_t median_ns(Work work) {
  constexpr int kRounds = 40;
  constexpr int kEach = 20;
  std::vector<double> samples;
  for (int round = 0; round < kRounds; ++round) {
    const std::int64_t begin = thread_cpu_ns();
    for (int i = 0; i < kEach; ++i) work();
    samples.push_back(static_cast<double>(thread_cpu_ns() - begin) / kEach);
  }
  return std::llround(median(std::move(samples)));
}

// A straight line through (units, nanoseconds) of every call.
class StageTimer final : public sim::timed::Stopwatch {
 public:
  StageTimer() : overhead_(median_ns([] { static_cast<void>(thread_cpu_ns()); })) {}
  void begin() override { begin_ = thread_cpu_ns(); }
  void end(Stage stage, std::size_t units) override {
    const auto spent =
        static_cast<double>(std::max<std::int64_t>(0, thread_cpu_ns() - begin_ - overhead_));
    const auto x = static_cast<double>(units);
    Sums& sums = sums_.at(static_cast<std::size_t>(stage));
    sums.calls += 1;
    sums.x += x;
    sums.xx += x * x;
    sums.y += spent;
    sums.xy += x * spent;
  }
  double per_unit(Stage stage) const {
    const Sums& sums = sums_.at(static_cast<std::size_t>(stage));
    return sums.x == 0 ? 0 : sums.y / sums.x;
  }
  // {per call, per unit}
  std::pair<double, double> line(Stage stage) const {
    const Sums& s = sums_.at(static_cast<std::size_t>(stage));
    const double spread = s.calls * s.xx - s.x * s.x;
    if (spread <= 0) return {0, per_unit(stage)};
    const double slope = (s.calls * s.xy - s.x * s.y) / spread;
    return {std::max(0.0, (s.y - slope * s.x) / s.calls), std::max(0.0, slope)};
  }

 private:
  struct Sums {
    double calls = 0, x = 0, xx = 0, y = 0, xy = 0;
  };
  std::int64_t overhead_;
  std::int64_t begin_ = 0;
  std::array<Sums, kStages> sums_{};
};

class Unwatched final : public sim::timed::Watcher {
 public:
  std::uint32_t sent(Instant, const sim::timed::Frame&, ReplicaId) override { return 0; }
  void received(Instant, std::uint32_t) override {}
  void lost(Instant, std::uint32_t) override {}
  void noticed(Instant, ReplicaId, const node::Notice&) override {}
  void happened(Instant, std::optional<ReplicaId>, const std::string&) override {}
  void up(Instant, ReplicaId, bool) override {}
  void final(Instant, Instant) override {}
};

// Small blocks and large ones, so that what a block costs and what a transaction costs can be told
// apart.
Result<void> time_the_replica(StageTimer& timer) {
  for (const std::uint32_t rate : {500U, 8'000U}) {
    SimulateOptions options;
    options.rate = rate;
    options.seconds = rate > 1000 ? "300ms" : "1s";
    QUORATE_TRY(const auto scene, make_scene(options));
    Unwatched nobody;
    const auto end = sim::timed::run(scene, nobody, &timer);
    if (end.violation) return fail(Errc::rejected, "the calibration run failed: " + *end.violation);
  }
  return {};
}

}  // namespace

Result<Costs> probe_costs(const std::filesystem::path& folder) {
  const Digest chain_id = crypto::hash("quorate/probe/1", {});
  auto key = load_account_key(0);
  const auto address = crypto::address_of(key.public_key());
  const LoadAccount account{std::move(key), address};
  QUORATE_TRY(const Probes probes, run_probes(chain_id, account, folder));
  StageTimer timer;
  QUORATE_CHECK(time_the_replica(timer));
  const auto ns = [](double microseconds) { return std::llround(microseconds * 1e3); };

  Costs out;
  const double slower = probes.verify_us * 1e3 / static_cast<double>(Costs{}.verify);
  for (const auto& field : sim::timed::kCostFields) {
    out.*field.value = std::llround(static_cast<double>(out.*field.value) * slower);
  }
  out.verify = ns(probes.verify_us);
  out.hash = ns(probes.sha256_us);
  out.hop = ns(probes.hop_us);
  out.sync = ns(probes.fdatasync_us);
  out.sign = median_ns([&account, &chain_id] { static_cast<void>(account.key.sign(chain_id)); });
  out.message = std::llround(timer.per_unit(Stage::message));
  out.step = std::llround(timer.per_unit(Stage::step));
  out.take_tx = std::llround(timer.per_unit(Stage::take_tx));
  out.order_tx = std::llround(timer.line(Stage::order_tx).second);
  return out;
}

}  // namespace quorate::testnet
