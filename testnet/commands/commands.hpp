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
};

struct UpOptions {
  CommonOptions common;
  NetworkPlan plan;
  // Options the user named, which an existing testnet must agree with.
  bool nodes_given = false;
  bool engine_given = false;
  bool rpc_base_port_given = false;
  bool p2p_base_port_given = false;
  std::chrono::seconds timeout{30};
};
Result<int> run_up(const UpOptions& options);

struct DownOptions {
  CommonOptions common;
  bool purge = false;
  std::chrono::seconds timeout{10};
};
Result<int> run_down(const DownOptions& options);

Result<int> run_status(const CommonOptions& common);

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
  std::chrono::seconds timeout{30};
};
Result<int> run_kill(const NodesOptions& options);
Result<int> run_start(const NodesOptions& options);
Result<int> run_pause(const NodesOptions& options);
Result<int> run_resume(const NodesOptions& options);

struct LoadOptions {
  CommonOptions common;
  std::vector<double> rates;  // transactions per second; empty = search for saturation
  double seconds = 5;         // per rate
  std::size_t idle_transactions = 50;
  unsigned connections = 2;  // per node
  std::chrono::milliseconds batch_delay{5};
  std::chrono::seconds drain_timeout{60};
  std::optional<std::filesystem::path> ack_file;
};
Result<int> run_load(const LoadOptions& options);

}  // namespace quorate::testnet
