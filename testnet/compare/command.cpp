#include "testnet/compare/command.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>

#include "rpc/command_line/failure.hpp"
#include "rpc/command_line/version.hpp"
#include "testnet/compare/machine.hpp"
#include "testnet/compare/measure_real.hpp"
#include "testnet/compare/measure_simulated.hpp"
#include "testnet/compare/report_html.hpp"
#include "testnet/compare/report_json.hpp"
#include "testnet/compare/report_terminal.hpp"
#include "testnet/load/generator.hpp"
#include "testnet/simulate/costs.hpp"

namespace quorate::testnet {

namespace {

using namespace comparison;
namespace fs = std::filesystem;

constexpr const char* kHtml = "compare.html";
constexpr const char* kJson = "compare.json";
constexpr const char* kText = "compare.txt";

// Before a quarter of an hour is spent.
Result<void> prepare_folder(const fs::path& folder) {
  for (const char* name : {kHtml, kJson, kText}) {
    std::error_code error;
    if (!fs::exists(folder / name, error)) continue;
    return fail(Errc::conflict, (folder / name).string() +
                                    " is there already and is kept; give another folder with "
                                    "--out, or remove it");
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(Errc::io, "cannot create " + folder.string() + ": " + error.message());
  if (!fs::is_directory(folder, error)) {
    return fail(Errc::io, folder.string() + " is no folder; give another one with --out");
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return fail(Errc::io, "cannot write into " + folder.string() + ": " + std::strerror(errno) +
                              "; give another folder with --out");
  }
  return {};
}

Result<void> write_file(const fs::path& file, const std::string& content) {
  std::ofstream out(file, std::ios::binary);
  out << content;
  out.flush();
  if (!out) return fail(Errc::io, "cannot write " + file.string());
  return {};
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char buffer[32];
  std::strftime(buffer, sizeof(buffer), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return buffer;
}

ProgressForm form_of(const CommonOptions& common) {
  if (common.quiet) return ProgressForm::none;
  return ::isatty(STDERR_FILENO) != 0 && !common.plain ? ProgressForm::bar : ProgressForm::lines;
}

Model new_model(const CompareOptions& options, const Plan& plan) {
  Model out;
  out.version = "quorate-testnet " + rpc::version() + " (" + rpc::git_commit() + ")";
  out.started = utc_now();
  out.kind = plan.kind;
  out.again = again(options);
  out.seed = plan.seed;
  out.planned_s = plan.expected();
  out.chain = plan.chain;
  out.shortened = plan.shortened;
  const std::vector<std::string>& names = part_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (plan.has(static_cast<Part>(i))) continue;
    out.left_out.push_back({"the part " + names[i], "--only names others"});
  }
  return out;
}

// Before the testnets, which leave the disk busy. Disk and hop are those of the report.
Result<sim::timed::Costs> simulated_costs(const fs::path& folder, Model& model) {
  QUORATE_TRY(auto out, probe_costs(folder));
  out.sync = std::llround(1e3 * model.machine.probes.fdatasync_us);
  out.hop = std::llround(1e3 * model.machine.probes.hop_us);
  for (const auto& field : sim::timed::kCostFields) {
    model.machine.simulated_costs.emplace_back(field.meaning, out.*field.value);
  }
  return out;
}

Result<void> run_parts(const CompareOptions& options, const Plan& plan, Progress& progress,
                       Model& model) {
  const fs::path folder = fs::temp_directory_path();
  QUORATE_TRY(model.machine, probe_machine(folder));
  sim::timed::Costs costs;
  if (plan.has(Part::scale)) {
    QUORATE_TRY(costs, simulated_costs(folder, model));
  }
  compute_safe_depths(model);
  const StealSample before = sample_steal();
  const RealContext real{plan, progress, model, options.common.timeout};
  if (plan.has(Part::load)) QUORATE_CHECK(measure_load(real));
  if (plan.has(Part::faults)) QUORATE_CHECK(measure_faults(real));
  const SimulatedContext simulated{
      plan, costs, model.machine.probes.cores, Generator::interrupted, progress, model};
  if (plan.has(Part::scale)) {
    QUORATE_CHECK(check_interrupt());
    QUORATE_CHECK(measure_scale(simulated));
  }
  if (plan.has(Part::attack)) {
    QUORATE_CHECK(check_interrupt());
    QUORATE_CHECK(measure_attack(simulated));
  }
  compute_budgets(model);
  model.machine.steal = std::max(model.machine.steal, steal_between(before, sample_steal()));
  return {};
}

Result<void> write_report(const fs::path& folder, const Model& model) {
  QUORATE_CHECK(write_file(folder / kJson, to_json(model).dump(2) + "\n"));
  QUORATE_CHECK(write_file(folder / kText, to_text(model)));
  return write_file(folder / kHtml, to_html(model));
}

void announce(const CompareOptions& options, const Plan& plan) {
  if (options.common.quiet) return;
  std::cerr << "  " << plan.kind << " comparison: about " << in_words(plan.expected())
            << " on two quiet cores; leave the machine alone meanwhile\n";
  for (const Part part : plan.parts) {
    std::cerr << "    " << part_names().at(static_cast<std::size_t>(part)) << ": about "
              << in_words(plan.expected(part)) << "\n";
  }
}

// Simulations that were begun cannot be stopped, and hold nothing but memory. Real testnets have
// ended by now.
[[noreturn]] void end_interrupted(bool json) {
  const int code = rpc::report_failure({.exit = ExitCode::interrupted,
                                        .message = "interrupted; nothing was written",
                                        .hint = "--only does one part, in less time"},
                                       json);
  std::cout.flush();
  std::cerr.flush();
  std::_Exit(code);
}

}  // namespace

Result<int> run_compare(const CompareOptions& options) {
  QUORATE_TRY(const Plan plan, make_plan(options));
  QUORATE_CHECK(prepare_folder(options.out));
  // Whatever ends it, the nodes that it started end first.
  Generator::interrupt_on_signals();
  std::signal(SIGPIPE, SIG_IGN);
  announce(options, plan);
  Model model = new_model(options, plan);
  const auto begin = std::chrono::steady_clock::now();
  const auto outcome = [&]() -> Result<void> {
    Progress progress(form_of(options.common), plan.expected());
    return run_parts(options, plan, progress, model);
  }();
  if (Generator::interrupted()) end_interrupted(options.common.json);
  if (!outcome) return tl::unexpected(outcome.error());
  model.took_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (const auto written = write_report(options.out, model); !written) {
    // A quarter of an hour is not lost with a disk that is full.
    if (!options.common.json) std::cout << to_text(model);
    return tl::unexpected(written.error());
  }
  if (options.common.json) {
    std::cout << to_json(model).dump(2) << "\n";
    return 0;
  }
  std::cout << (options.common.verbose ? to_text(model) : first_screen(model));
  if (!options.common.quiet) {
    std::cout << "  Next: open " << (options.out / kHtml).string()
              << " in a browser; all tables are in " << (options.out / kText).string() << "\n";
  }
  return 0;
}

}  // namespace quorate::testnet
