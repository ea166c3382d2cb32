// quorate-testnet load.
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "crypto/base/exit_code.hpp"
#include "testnet/cluster.hpp"
#include "testnet/commands/commands.hpp"
#include "testnet/load/generator.hpp"
#include "testnet/load/report.hpp"

namespace quorate::testnet {

namespace {

// Without rates given, the curve climbs by these shares of the ceiling until the nodes no longer
// keep up with what is offered.
constexpr double kFirstShare = 0.1;
constexpr double kShareStep = 0.1;
constexpr double kLastShare = 2.0;
// A point beyond saturation confirms that the plateau is one.
constexpr double kBeyond = 1.25;

struct Lengths {
  double seconds = 5;
  std::size_t idle_transactions = 50;
};

// A mined chain commits a block every few seconds, and each many blocks late.
Lengths default_lengths(const consensus::EngineTraits& traits) {
  return traits.mines ? Lengths{30, 3} : Lengths{};
}

volatile std::sig_atomic_t g_ctrl_c = 0;

// The run ends soon and in order; a second signal ends it at once.
void on_signal(int signal) {
  g_ctrl_c = signal == SIGINT ? 1 : 0;
  Generator::interrupt();
  std::signal(signal, SIG_DFL);
}

class Run {
 public:
  Run(const LoadOptions& options, double seconds, Generator& generator, LoadReport& report)
      : options_(options), seconds_(seconds), generator_(generator), report_(report) {}

  Result<void> points() {
    if (!options_.rates.empty()) {
      for (const double rate : options_.rates) QUORATE_CHECK(point(rate));
      return {};
    }
    return search();
  }

 private:
  Result<void> point(double rate) {
    if (Generator::interrupted()) return {};
    QUORATE_TRY(auto result, generator_.measure_point(rate, seconds_));
    if (!options_.common.json) std::cout << curve_line(result) << std::flush;
    report_.points.push_back(std::move(result));
    return {};
  }

  Result<void> search() {
    double share = kFirstShare;
    for (; share < kLastShare + kShareStep / 2; share += kShareStep) {
      QUORATE_CHECK(point(share * report_.ceiling));
      if (report_.points.empty() || !report_.points.back().kept_up()) break;
    }
    if (report_.points.empty()) return {};
    return point(kBeyond * report_.points.back().offered);
  }

  const LoadOptions& options_;
  const double seconds_;
  Generator& generator_;
  LoadReport& report_;
};

}  // namespace

Result<int> run_load(const LoadOptions& options) {
  QUORATE_TRY(const auto cluster, Cluster::open(options.common.data));
  if (cluster.in_state(RunState::alive).size() < cluster.quorum()) {
    return fail(Errc::unavailable,
                "fewer than a quorum of nodes run; start them with: "
                "quorate-testnet up --data " +
                    options.common.data.string());
  }
  GeneratorOptions generator_options;
  generator_options.connections_per_node = options.connections;
  generator_options.batch_delay = options.batch_delay;
  generator_options.drain_timeout = options.drain_timeout;
  generator_options.ack_file = options.ack_file;
  generator_options.progress = !options.common.json || ::isatty(STDERR_FILENO) != 0;
  QUORATE_TRY(const auto generator, Generator::create(cluster, generator_options));
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);

  LoadReport report;
  report.nodes = cluster.size();
  report.seals = cluster.traits().seals;
  report.probes = generator->probes();
  report.ceiling = generator->ceiling();
  if (!options.common.json) std::cout << heading(report) << std::flush;
  const Lengths defaults = default_lengths(cluster.traits());
  const std::size_t idle = options.idle_transactions.value_or(defaults.idle_transactions);
  if (idle > 0) {
    QUORATE_TRY(report.idle, generator->measure_idle(idle));
    if (Generator::interrupted()) report.idle.reset();
  }
  if (!options.common.json) std::cout << curve_heading() << std::flush;
  const double seconds = options.seconds.value_or(defaults.seconds);
  QUORATE_CHECK(Run(options, seconds, *generator, report).points());
  QUORATE_TRY(report.check, generator->check());
  if (options.common.json) {
    std::cout << to_json(report).dump(2) << "\n";
  } else {
    std::cout << summary(report);
  }
  if (!report.sound()) {
    return fail(Errc::corrupt, "the check after the load failed: see the result above");
  }
  return g_ctrl_c != 0 ? static_cast<int>(ExitCode::interrupted) : 0;
}

}  // namespace quorate::testnet
