#include <algorithm>
#include <csignal>
#include <iostream>

#include "rpc/json/ledger_json.hpp"
#include "testnet/cluster.hpp"
#include "testnet/commands/commands.hpp"
#include "testnet/output.hpp"
#include "testnet/perturb/links.hpp"
#include "testnet/wallet_profile.hpp"

namespace quorate::testnet {

namespace {

constexpr std::chrono::seconds kStopMax{10};

// One process of the testnet, named by its pid file.
struct Running {
  std::string name;
  std::optional<ProcessId> process;
};

// How it ended: "stopped", "killed" when it did not heed SIGTERM in time, "not running".
Result<std::string> stop(const Running& running, std::chrono::steady_clock::time_point deadline) {
  const auto& process = running.process;
  if (!process) return "not running";
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  QUORATE_TRY(const bool ended,
              wait_for_end(*process, std::max(left, std::chrono::milliseconds(1))));
  if (ended) return "stopped";
  std::cerr << running.name << " did not stop in time; killing it\n";
  QUORATE_CHECK(send_signal(*process, SIGKILL));
  QUORATE_TRY(const bool killed, wait_for_end(*process, std::chrono::seconds(5)));
  if (!killed) {
    return fail(Errc::io, "process " + std::to_string(process->pid) + " of " + running.name +
                              " does not end even when killed");
  }
  return "killed";
}

Result<std::vector<std::string>> stop_all(const std::vector<Running>& all,
                                          std::chrono::seconds timeout) {
  for (const auto& running : all) {
    if (!running.process) continue;
    QUORATE_CHECK(send_signal(*running.process, SIGTERM));
    // A paused process heeds nothing else.
    QUORATE_CHECK(send_signal(*running.process, SIGCONT));
  }
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::vector<std::string> results;
  for (const auto& running : all) {
    QUORATE_TRY(auto result, stop(running, deadline));
    results.push_back(std::move(result));
  }
  return results;
}

std::vector<Running> nodes_of(const Cluster& cluster) {
  std::vector<Running> out;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    out.push_back({cluster.node(i).name, cluster.process(i)});
  }
  return out;
}

// What the pid files name, for a folder whose testnet.json cannot be read any more: only processes
// of our own programs.
std::vector<Running> by_pid_files(const Layout& layout) {
  std::vector<Running> out;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(layout.data / "run", error)) {
    if (file.path().extension() != ".pid") continue;
    const auto process = find_process(file.path());
    if (!process) continue;
    const auto program =
        std::filesystem::read_symlink("/proc/" + std::to_string(process->pid) + "/exe", error);
    if (!error && program.filename().string().rfind("quorate-", 0) == 0) {
      out.push_back({file.path().stem().string(), process});
    }
  }
  std::sort(out.begin(), out.end(),
            [](const Running& a, const Running& b) { return a.name < b.name; });
  return out;
}

Result<void> purge(const Cluster& cluster) {
  QUORATE_TRY(const auto profile, wallet_config_file());
  QUORATE_CHECK(remove_wallet_profile(profile, cluster.manifest().chain_id));
  std::error_code error;
  std::filesystem::remove_all(cluster.layout().data, error);
  if (error) {
    return fail(Errc::io,
                "cannot remove " + cluster.layout().data.string() + ": " + error.message());
  }
  return {};
}

void print(const std::vector<Running>& all, const std::vector<std::string>& results,
           const DownOptions& options, bool purged) {
  rpc::Json nodes = rpc::Json::array();
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < all.size(); ++i) {
    nodes.push_back({{"name", all[i].name}, {"result", results[i]}});
    rows.push_back({all[i].name, results[i]});
  }
  const auto& common = options.common;
  if (common.json) {
    std::cout << rpc::Json{{"nodes", nodes}, {"purged", purged}}.dump(2) << "\n";
    return;
  }
  if (all.empty()) {
    std::cout << "  nothing to stop: no testnet in " << common.data.string() << "\n";
    return;
  }
  std::cout << table(rows);
  if (purged) {
    std::cout << "  " << tick(common.plain) << " removed " << common.data.string() << "\n";
  } else if (!common.quiet) {
    std::cout << "  The data stays in " << common.data.string()
              << "; `quorate-testnet up` resumes it, `down --purge` removes it.\n";
  }
}

// The manifest is broken or gone: what still runs must end all the same. The data is left alone,
// since nothing says any more what it is.
Result<int> stop_stranded(const DownOptions& options, const Error& broken) {
  const Layout layout{options.common.data};
  const auto running = by_pid_files(layout);
  if (running.empty() && broken.code != Errc::not_found) return tl::unexpected(broken);
  QUORATE_TRY(const auto results, stop_all(running, kStopMax));
  print(running, results, options, false);
  if (running.empty()) return 0;
  return fail(broken.code == Errc::not_found ? Errc::corrupt : broken.code,
              "the nodes were found by their pid files and are stopped, but " + broken.detail +
                  ". Put testnet.json back, or remove the folder by hand");
}

}  // namespace

Result<int> run_down(const DownOptions& options) {
  const auto opened = Cluster::open(options.common.data);
  if (!opened) return stop_stranded(options, opened.error());
  const auto& cluster = *opened;
  QUORATE_TRY(const auto lock, DataLock::acquire(cluster.layout()));
  const auto nodes = nodes_of(cluster);
  QUORATE_TRY(const auto results, stop_all(nodes, kStopMax));
  QUORATE_CHECK(Links(cluster.layout(), cluster.manifest()).rest());
  if (options.purge) QUORATE_CHECK(purge(cluster));
  print(nodes, results, options, options.purge);
  return 0;
}

}  // namespace quorate::testnet
