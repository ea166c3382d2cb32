// What one node says about itself over RPC, and what its process is doing. Asking blocks, with a
// deadline. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "testnet/manifest.hpp"
#include "testnet/process.hpp"

namespace quorate::rpc {
class RpcClient;
}

namespace quorate::testnet {

struct PeerStatus {
  std::string name;
  bool connected = false;
  std::string last_error;
};

// Somebody who would leave the active view, as one node has heard of it.
struct SuspicionStatus {
  std::string name;
  std::string reason;
};

// What a node says of its branch, where blocks are mined.
struct BranchStatus {
  std::uint64_t tip = 0;
  std::string tip_id;
  std::uint64_t tip_time_ms = 0;
  std::uint64_t best_header = 0;
  std::uint64_t bits = 0;
  std::uint64_t expected_hashes = 0;  // for the next block
  std::uint64_t hashes = 0;             // tried since the start
  std::uint64_t hashes_per_second = 0;  // of late
  std::uint64_t blocks_mined = 0;
  std::uint64_t stale_blocks = 0;
  std::uint64_t branch_switches = 0;
  std::uint64_t deepest_switch = 0;
  std::uint64_t rewinds = 0;
  std::uint64_t orphans = 0;
  bool mining = false;  // at this moment; between two blocks it is not

  bool is_miner() const { return mining || hashes > 0; }
};

struct NodeStatus {
  RunState process = RunState::dead;
  pid_t pid = 0;
  bool reachable = false;
  bool ready = false;
  std::string reason;  // why it is not ready or not reachable

  std::string chain_id;
  std::uint64_t height = 0;
  std::string block_hash;
  std::uint64_t certified_height = 0;
  bool syncing = false;
  std::uint64_t target = 0;

  std::uint64_t view = 0;
  std::uint64_t promise_view = 0;
  bool changing_view = false;
  std::optional<std::uint32_t> primary;
  std::uint64_t low_watermark = 0;
  std::uint64_t high_watermark = 0;
  std::uint64_t lag = 0;  // blocks that signatures prove to exist and that it has not executed
  std::vector<SuspicionStatus> suspects;
  std::map<std::string, std::uint64_t> timers;  // name -> milliseconds left
  std::uint64_t view_timeout_ms = 0;
  std::uint64_t pending_transactions = 0;
  bool starting = false;
  std::string halted;
  bool observer = false;
  std::string observer_reason;
  std::optional<BranchStatus> branch;

  std::vector<PeerStatus> peers;

  std::size_t peers_connected() const;
  const PeerStatus* peer(const std::string& name) const;
};

// `process` is what runs according to the pid file; only a process that runs is asked.
NodeStatus ask_node(const NodeEntry& node, const std::optional<ProcessId>& process,
                    std::chrono::milliseconds timeout);
// The same over a connection that the caller has, of a process that runs.
void ask_node(rpc::RpcClient& client, NodeStatus& status);

// True when the node answers GET `path` with 200; otherwise `why` says what it or the network said.
bool probe(rpc::RpcClient& client, const char* path, std::string& why);

}  // namespace quorate::testnet
