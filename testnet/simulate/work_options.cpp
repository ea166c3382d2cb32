#include "testnet/simulate/work_options.hpp"

#include <algorithm>

#include "consensus/engine_list.hpp"
#include "crypto/work/parameters.hpp"
#include "testnet/simulate/recorder.hpp"

namespace quorate::testnet {

namespace {

using consensus::ProvedBy;
using sim::timed::FaultKind;
using sim::timed::WorkScene;

constexpr std::int64_t kWorkMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000 * kWorkMillisecond;

std::string with_work() { return "--engine " + consensus::engines_proved_by(ProvedBy::work); }

bool whole(Duration duration, std::int64_t unit) {
  return duration.count() > 0 && duration.count() % unit == 0;
}

Result<sim::pow::ChainOptions> make_chain(const SimulateOptions& options) {
  sim::pow::ChainOptions out;
  if (options.interval) {
    QUORATE_TRY(const Duration interval, parse_duration(*options.interval));
    if (!whole(interval, kWorkMillisecond))
      return fail(Errc::invalid_argument, "--interval: whole milliseconds, as in 2s");
    out.interval_ms = static_cast<std::uint64_t>(interval.count() / kWorkMillisecond);
  }
  if (options.half_life) {
    QUORATE_TRY(const Duration half_life, parse_duration(*options.half_life));
    if (!whole(half_life, kSecond))
      return fail(Errc::invalid_argument, "--half-life: whole seconds, as in 120s");
    out.half_life_s = static_cast<std::uint64_t>(half_life.count() / kSecond);
  }
  out.depth = options.depth.value_or(out.depth);
  QUORATE_CHECK(crypto::work::parse_parameters(sim::pow::parameters_of(out).engine_parameters));
  return out;
}

Result<void> check_shares(const SimulateOptions& options) {
  const std::vector<std::uint64_t>& shares = options.hash_shares;
  if (shares.empty()) return {};
  if (shares.size() != options.nodes) {
    return fail(Errc::invalid_argument,
                "--hash-share: one number for each of " + std::to_string(options.nodes) +
                    " nodes, as in 40,20,20,20; there are " + std::to_string(shares.size()));
  }
  const bool nobody =
      std::all_of(shares.begin(), shares.end(), [](std::uint64_t share) { return share == 0; });
  if (nobody) return fail(Errc::invalid_argument, "--hash-share: somebody must mine");
  return {};
}

}  // namespace

Result<std::optional<WorkScene>> make_work(const SimulateOptions& options) {
  const ProvedBy proof = consensus::proved_by(options.engine);
  if (!consensus::is_engine(options.engine)) {
    return fail(Errc::invalid_argument,
                "--engine " + options.engine + ": there are " + consensus::engine_names(" and "));
  }
  if (proof == ProvedBy::none) {
    return fail(Errc::invalid_argument, "--engine " + options.engine +
                                            ": the simulator models engines whose blocks are "
                                            "proved by seals or by work");
  }
  if (proof != ProvedBy::work) {
    const bool asked =
        options.interval || options.depth || options.half_life || !options.hash_shares.empty();
    if (asked) {
      return fail(
          Errc::invalid_argument,
          "--interval, --depth, --half-life and --hash-share are of " + with_work() + "; add it");
    }
    return std::optional<WorkScene>{};
  }
  WorkScene out;
  QUORATE_TRY(out.chain, make_chain(options));
  QUORATE_CHECK(check_shares(options));
  out.hash_shares = options.hash_shares;
  const auto depth = static_cast<std::uint32_t>(out.chain.depth);
  for (const std::uint32_t one : {1U, depth, 2 * depth}) {
    if (out.depths.empty() || out.depths.back() != one) out.depths.push_back(one);
  }
  return std::optional<WorkScene>{std::move(out)};
}

Duration told_stop(const sim::timed::Scene& scene) {
  constexpr int kIntervals = 8;
  if (!scene.work) return Recorder::kUsualStop;
  return std::chrono::milliseconds(scene.work->chain.interval_ms) * kIntervals;
}

std::string joined(const std::vector<std::uint64_t>& numbers) {
  std::string out;
  for (const std::uint64_t number : numbers) {
    out += (out.empty() ? "" : ",") + std::to_string(number);
  }
  return out;
}

Result<void> check_kind(FaultKind kind, bool work) {
  if (kind == FaultKind::hide && !work) {
    return fail(Errc::invalid_argument, "a fault private needs miners: add " + with_work());
  }
  if (work && (kind == FaultKind::equivocate || kind == FaultKind::slow)) {
    return fail(Errc::invalid_argument,
                "equivocate and slow are faults of a primary, which " + with_work() +
                    " does not have; there are crash, partition and private");
  }
  return {};
}

}  // namespace quorate::testnet
