#include "testnet/simulate/compare.hpp"

#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "testnet/cluster.hpp"
#include "testnet/load/generator.hpp"
#include "testnet/output.hpp"
#include "testnet/simulate/report.hpp"

namespace quorate::testnet {

namespace {

constexpr double kSeconds = 8;
// Shares of CEIL: well below saturation, and beyond what this design reaches.
constexpr std::array<double, 2> kShares = {0.15, 0.9};
constexpr std::uint16_t kRpcBasePort = 18'645;
constexpr std::uint16_t kP2pBasePort = 31'645;

// What `up` and `down` print is not part of this result.
class Silence {
 public:
  Silence() : kept_(std::cout.rdbuf(nowhere_.rdbuf())) {}
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() { std::cout.rdbuf(kept_); }

 private:
  std::ostringstream nowhere_;
  std::streambuf* kept_;
};

class TemporaryTestnet {
 public:
  static Result<std::unique_ptr<TemporaryTestnet>> start() {
    std::string folder =
        (std::filesystem::temp_directory_path() / "quorate-compare-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) return fail(Errc::io, "cannot create " + folder);
    std::unique_ptr<TemporaryTestnet> out(new TemporaryTestnet(folder));
    UpOptions up;
    up.common = out->common_;
    up.plan.load_accounts = 512;
    up.plan.rpc_base_port = kRpcBasePort;
    up.plan.p2p_base_port = kP2pBasePort;
    const Silence silence;
    QUORATE_CHECK(run_up(up));
    return out;
  }
  TemporaryTestnet(const TemporaryTestnet&) = delete;
  TemporaryTestnet& operator=(const TemporaryTestnet&) = delete;
  ~TemporaryTestnet() {
    const Silence silence;
    DownOptions down;
    down.common = common_;
    down.purge = true;
    if (const auto stopped = run_down(down); !stopped) {
      std::cerr << "warning: " << stopped.error().detail << "\n";
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const std::filesystem::path& data() const { return common_.data; }

 private:
  explicit TemporaryTestnet(const std::filesystem::path& folder) : folder_(folder) {
    common_.data = folder / "data";
    common_.quiet = true;
  }
  std::filesystem::path folder_;
  CommonOptions common_;
};

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
  QUORATE_TRY(const auto testnet, TemporaryTestnet::start());
  QUORATE_TRY(const auto cluster, Cluster::open(testnet->data()));
  QUORATE_TRY(const auto generator, Generator::create(cluster, {}));
  std::vector<ComparedPoint> out;
  for (const double share : kShares) {
    ComparedPoint point;
    point.offered = std::floor(share * generator->ceiling());
    const unsigned before = count_neighbours();
    QUORATE_TRY(const auto measured, generator->measure_point(point.offered, kSeconds));
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
