#include "testnet/simulate/compare.hpp"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <thread>

#include "testnet/load/generator.hpp"
#include "testnet/output.hpp"
#include "testnet/simulate/report.hpp"
#include "testnet/temporary_network.hpp"

namespace quorate::testnet {

namespace {

constexpr double kSeconds = 8;
// Shares of CEIL: well below saturation, and beyond what this design reaches.
constexpr std::array<double, 2> kShares = {0.15, 0.9};
constexpr std::uint32_t kAccounts = 512;

// Threads of all programs that want a core right now.
std::optional<unsigned> runnable_threads() {
  std::ifstream in("/proc/stat");
  std::string word;
  while (in >> word) {
    unsigned count = 0;
    if (word == "procs_running" && in >> count) return count;
  }
  return std::nullopt;
}

// Half a second's mean, without the thread that asks. The testnet must be idle.
unsigned count_neighbours() {
  constexpr int kSamples = 50;
  double sum = 0;
  for (int i = 0; i < kSamples; ++i) {
    sum += std::max(1U, runnable_threads().value_or(1)) - 1;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return static_cast<unsigned>(std::lround(sum / kSamples));
}

ComparedRun real_run(const PointResult& point) {
  double cores = 0;
  for (const auto& use : point.cpu) cores += use.cores;
  return {point.committed, point.latency_ms.p50, cores * 1e6 / std::max(1.0, point.committed)};
}

Result<ComparedRun> simulated_run(SimulateOptions options, const sim::timed::Costs& costs,
                                  const ComparedPoint& point, unsigned cores) {
  options.nodes = kNodesMin;
  options.rate = static_cast<std::uint32_t>(point.offered);
  options.seconds = std::to_string(static_cast<int>(kSeconds)) + "s";
  options.drain = "0s";
  options.network = "local";
  options.one_machine = true;
  options.neighbours = point.neighbours;
  options.cores = cores;
  options.faults.clear();
  QUORATE_TRY(auto scene, make_scene(options));
  scene.costs = costs;
  Recorder record(scene.replicas, std::nullopt);
  const auto end = sim::timed::run(scene, record);
  if (end.violation) return fail(Errc::corrupt, *end.violation);
  const SimulationReport report{options, scene, record, end};
  const double cpu_us = static_cast<double>(end.cpu.front().count()) / 1e3;
  return ComparedRun{report.committed_per_second(), report.latency_ms().p50,
                     cpu_us / std::max<double>(1, static_cast<double>(record.finals().size()))};
}

std::string rounded(double value, int digits) {
  char buffer[48];
  std::snprintf(buffer, sizeof(buffer), "%.*f", digits, value);
  return buffer;
}

}  // namespace

Result<std::vector<ComparedPoint>> compare_with_real(const SimulateOptions& options,
                                                     const sim::timed::Costs& costs) {
  NetworkPlan plan;
  plan.load_accounts = kAccounts;
  QUORATE_TRY(const auto network, TemporaryNetwork::start(plan, false, options.common.timeout));
  QUORATE_TRY(const auto generator, Generator::create(network->cluster(), {}));
  std::vector<ComparedPoint> out;
  for (const double share : kShares) {
    ComparedPoint point;
    point.offered = std::floor(share * generator->ceiling());
    const unsigned before = count_neighbours();
    QUORATE_TRY(const auto measured, generator->measure_point(point.offered, kSeconds));
    if (Generator::interrupted()) return fail(Errc::timeout, "interrupted");
    point.neighbours = (before + count_neighbours() + 1) / 2;
    point.real = real_run(measured);
    QUORATE_TRY(point.simulated, simulated_run(options, costs, point, generator->probes().cores));
    out.push_back(point);
  }
  return out;
}

std::string to_text(const std::vector<ComparedPoint>& points) {
  std::vector<std::vector<std::string>> rows = {
      {"offered", "", "committed", "p50 ms", "CPU us/tx", "neighbours"}};
  for (const ComparedPoint& point : points) {
    const auto row = [](const std::string& offered, const std::string& which,
                        const ComparedRun& run, const std::string& neighbours) {
      return std::vector<std::string>{offered,
                                      which,
                                      rounded(run.committed, 0),
                                      rounded(run.p50_ms, 1),
                                      rounded(run.cpu_us, 0),
                                      neighbours};
    };
    rows.push_back(
        row(rounded(point.offered, 0), "real", point.real, std::to_string(point.neighbours)));
    rows.push_back(row("", "simulated", point.simulated, ""));
    rows.push_back({"", "error", rounded(100 * point.error(), 1) + " %"});
  }
  return table(rows);
}

nlohmann::json to_json(const std::vector<ComparedPoint>& points) {
  const auto run = [](const ComparedRun& one) {
    return nlohmann::json{
        {"committed_tps", one.committed}, {"p50_ms", one.p50_ms}, {"cpu_us_per_tx", one.cpu_us}};
  };
  nlohmann::json out = nlohmann::json::array();
  for (const ComparedPoint& point : points) {
    out.push_back({{"offered_tps", point.offered},
                   {"neighbours", point.neighbours},
                   {"real", run(point.real)},
                   {"simulated", run(point.simulated)},
                   {"throughput_error", point.error()}});
  }
  return out;
}

}  // namespace quorate::testnet
