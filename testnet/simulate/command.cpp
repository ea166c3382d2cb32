#include "testnet/simulate/command.hpp"

#include <fstream>
#include <iostream>

#include "rpc/command_line/failure.hpp"
#include "testnet/load/generator.hpp"
#include "testnet/simulate/compare.hpp"
#include "testnet/simulate/costs.hpp"
#include "testnet/simulate/report.hpp"
#include "testnet/simulate/svg.hpp"
#include "testnet/simulate/work_options.hpp"

namespace quorate::testnet {

namespace {

constexpr int kDisagreement = 1;

Result<void> write_file(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  out.flush();
  if (!out) return fail(Errc::io, "cannot write " + path);
  return {};
}

Result<sim::timed::Costs> costs_of(const SimulateOptions& options) {
  if (options.costs != "probe") return read_costs(options.costs);
  std::cerr << "  measuring what work costs on this machine (--costs reference skips this)\n";
  return probe_costs(std::filesystem::temp_directory_path());
}

Result<int> simulate(const SimulateOptions& options, const sim::timed::Scene& scene) {
  QUORATE_TRY(const auto window, svg_window(options));
  Recorder record(scene.replicas, window, told_stop(scene));
  const sim::timed::RunEnd end = sim::timed::run(scene, record);
  const SimulationReport report{options, scene, record, end};
  if (options.svg) QUORATE_CHECK(write_file(*options.svg, draw_timeline(report)));
  if (options.common.json) {
    std::cout << to_json(report).dump(2) << "\n";
  } else {
    std::cout << to_text(report) << "\n  Again: " << replay_command(options, scene.costs) << "\n";
  }
  if (!end.violation) return 0;
  std::cerr << "error: " << *end.violation << "\n";
  return kDisagreement;
}

Result<int> compare(const SimulateOptions& options, const sim::timed::Costs& costs) {
  Generator::interrupt_on_signals();
  const auto measured = compare_with_real(options, costs);
  if (Generator::interrupted()) {
    return rpc::report_failure(
        {.exit = ExitCode::interrupted, .message = "interrupted; the testnet has ended"},
        options.common.json);
  }
  QUORATE_TRY(const auto points, measured);
  if (options.common.json) {
    std::cout << to_json(points).dump(2) << "\n";
  } else {
    std::cout << to_text(points) << "\n  costs: " << to_text(costs) << "\n";
  }
  return 0;
}

}  // namespace

Result<int> run_simulate(const SimulateOptions& options) {
  QUORATE_TRY(sim::timed::Scene scene, make_scene(options));
  QUORATE_CHECK(svg_window(options));
  QUORATE_TRY(scene.costs, costs_of(options));
  if (options.save_costs) QUORATE_CHECK(save_costs(*options.save_costs, scene.costs));
  return options.compare_real ? compare(options, scene.costs) : simulate(options, scene);
}

}  // namespace quorate::testnet
