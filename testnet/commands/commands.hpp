// The commands of quorate-testnet. Each prints its result on standard output (as JSON with --json),
// messages on standard error, and returns the exit code, or an error that main() prints.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.hpp"
#include "testnet/genesis.hpp"

namespace quorate::testnet {

struct CommonOptions {
  std::filesystem::path data = "./testnet-data";
  bool json = false;
  bool plain = false;    // no symbols
  bool quiet = false;    // results only
  bool verbose = false;  // more detail where there is some
  std::chrono::seconds timeout{30};
};

struct UpOptions {
  CommonOptions common;
  NetworkPlan plan;
  std::vector<std::string> engine_parameters;  // NAME=VALUE, for the plan
  // Options the user named, which an existing testnet must agree with.
  bool nodes_given = false;
  bool engine_given = false;
  bool rpc_base_port_given = false;
  bool p2p_base_port_given = false;
  bool load_accounts_given = false;
  bool checkpoint_interval_given = false;
  bool mining_given = false;
  bool faults = false;  // connect the nodes through fault links
};
Result<int> run_up(UpOptions options);

struct DownOptions {
  CommonOptions common;
  bool purge = false;
};
Result<int> run_down(const DownOptions& options);

Result<int> run_status(const CommonOptions& common);
Result<int> run_why_stalled(const CommonOptions& common);

struct LogsOptions {
  CommonOptions common;
  std::string node;
  bool follow = false;
  std::size_t lines = 100;
};
Result<int> run_logs(const LogsOptions& options);

struct NodesOptions {
  CommonOptions common;
  std::vector<std::string> nodes;
};
Result<int> run_kill(const NodesOptions& options);
Result<int> run_start(const NodesOptions& options);
Result<int> run_pause(const NodesOptions& options);
Result<int> run_resume(const NodesOptions& options);

struct PartitionOptions {
  CommonOptions common;
  std::vector<std::string> groups;  // "0,1"
};
Result<int> run_partition(const PartitionOptions& options);
Result<int> run_heal(const CommonOptions& common);

struct PerturbOptions {
  CommonOptions common;
  std::vector<std::string> links;  // "0:1"; with no link and no node: all of them
  std::vector<std::string> nodes;
  bool one_way = false;
  // What is not given stays as it is.
  std::optional<std::uint32_t> delay_ms, jitter_ms;
  std::optional<double> loss_percent;
  std::optional<std::uint64_t> bytes_per_second;
};
Result<int> run_perturb(const PerturbOptions& options);
// The process of the fault links itself; until SIGTERM.
Result<int> run_fault_links(const CommonOptions& common);

struct LoadOptions {
  CommonOptions common;
  std::vector<double> rates;      // transactions per second; empty = search for saturation
  std::optional<double> seconds;  // per rate; none: by the engine
  std::optional<std::size_t> idle_transactions;  // the same
  unsigned connections = 2;                      // per node
  std::chrono::milliseconds batch_delay{5};
  std::chrono::seconds drain_timeout{60};
  std::optional<std::filesystem::path> ack_file;
};
Result<int> run_load(const LoadOptions& options);

}  // namespace quorate::testnet
