#include <csignal>
#include <iostream>

#include "rpc/json/ledger_json.hpp"
#include "testnet/cluster.hpp"
#include "testnet/commands/commands.hpp"
#include "testnet/output.hpp"
#include "testnet/wallet_profile.hpp"

namespace quorate::testnet {

namespace {

// How one node ended: "stopped", "killed" when it did not heed SIGTERM in time, "not running".
Result<std::string> stop(const Cluster& cluster, std::size_t index,
                         std::chrono::steady_clock::time_point deadline) {
  const auto process = cluster.process(index);
  if (!process) return "not running";
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  QUORATE_TRY(const bool ended,
              wait_for_end(*process, std::max(left, std::chrono::milliseconds(1))));
  if (ended) return "stopped";
  std::cerr << cluster.node(index).name << " did not stop in time; killing it\n";
  QUORATE_CHECK(send_signal(*process, SIGKILL));
  QUORATE_TRY(const bool killed, wait_for_end(*process, std::chrono::seconds(5)));
  if (!killed) {
    return fail(Errc::io, "process " + std::to_string(process->pid) + " of " +
                              cluster.node(index).name + " does not end even when killed");
  }
  return "killed";
}

Result<std::vector<std::string>> stop_all(const Cluster& cluster, std::chrono::seconds timeout) {
  std::vector<std::string> before;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto process = cluster.process(i);
    before.push_back(process ? "running" : "not running");
    if (!process) continue;
    QUORATE_CHECK(send_signal(*process, SIGTERM));
    QUORATE_CHECK(send_signal(*process, SIGCONT));  // a paused process heeds nothing else
  }
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::vector<std::string> results;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    QUORATE_TRY(auto result, stop(cluster, i, deadline));
    results.push_back(before[i] == "running" && result == "not running" ? "stopped" : result);
  }
  return results;
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

}  // namespace

Result<int> run_down(const DownOptions& options) {
  const auto opened = Cluster::open(options.common.data);
  std::error_code error;
  if (!opened && opened.error().code == Errc::not_found) {
    if (options.common.json) {
      std::cout << rpc::Json{{"nodes", rpc::Json::array()}, {"purged", false}}.dump(2) << "\n";
    } else {
      std::cout << "  nothing to stop: no testnet in " << options.common.data.string() << "\n";
    }
    return 0;
  }
  if (!opened) return tl::unexpected(opened.error());
  const auto& cluster = *opened;
  QUORATE_TRY(const auto lock, DataLock::acquire(cluster.layout()));
  QUORATE_TRY(const auto results, stop_all(cluster, options.timeout));
  if (options.purge) QUORATE_CHECK(purge(cluster));

  rpc::Json nodes = rpc::Json::array();
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    nodes.push_back({{"name", cluster.node(i).name}, {"result", results[i]}});
    rows.push_back({cluster.node(i).name, results[i]});
  }
  if (options.common.json) {
    std::cout << rpc::Json{{"nodes", nodes}, {"purged", options.purge}}.dump(2) << "\n";
    return 0;
  }
  std::cout << table(rows);
  if (options.purge) {
    std::cout << "  " << kTick << " removed " << cluster.layout().data.string() << "\n";
  } else {
    std::cout << "  The data stays in " << cluster.layout().data.string()
              << "; `quorate-testnet up` resumes it, `down --purge` removes it.\n";
  }
  return 0;
}

}  // namespace quorate::testnet
