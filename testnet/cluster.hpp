// A testnet that exists: its nodes as processes and what they answer. One command holds the lock of
// the data folder while it changes processes. Single-threaded.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "testnet/manifest.hpp"
#include "testnet/node_status.hpp"
#include "testnet/process.hpp"

namespace quorate::testnet {

// A node that runs and is not ready, and what it says about that.
struct Unready {
  std::size_t node = 0;
  std::string why;
};

class Cluster {
 public:
  // Errors: those of load_manifest.
  static Result<Cluster> open(const std::filesystem::path& data);

  const Layout& layout() const { return layout_; }
  const Manifest& manifest() const { return manifest_; }
  std::size_t size() const { return manifest_.nodes.size(); }
  const NodeEntry& node(std::size_t index) const { return manifest_.nodes.at(index); }
  const consensus::EngineTraits& traits() const { return manifest_.traits; }
  // So many nodes must run and reach each other before anything can commit.
  std::uint32_t quorum() const { return traits().connected_min; }
  // "quorum 3", or what holds where each node goes on by itself.
  std::string rule() const;
  // Where votes decide.
  std::uint32_t faults_tolerated() const;

  std::optional<ProcessId> process(std::size_t index) const;
  RunState state(std::size_t index) const { return state_of(process(index)); }
  std::vector<std::size_t> in_state(RunState state) const;

  // Asks one node over RPC, or tells why it cannot be asked.
  NodeStatus status(std::size_t index, std::chrono::milliseconds timeout) const;
  // The primary according to the first node that answers.
  std::optional<std::uint32_t> primary() const;
  // What it means when the node that the others take for the primary does not run; empty when it
  // runs or nobody knows.
  std::string primary_warning(std::optional<std::uint32_t> primary) const;
  // "primary", "backup", "observer"; "miner", "follower" where blocks are mined; or "-" when
  // unknown.
  static std::string role(const NodeStatus& status, std::size_t index);

  // Starts the process of a node that does not run. Errors: unavailable when its ports are busy;
  // those of spawn_detached.
  Result<void> start(std::size_t index) const;
  // Waits until every node of `indices` passes /readyz, or at least answers /livez while fewer than
  // a quorum run. The error shows the node that failed, how it ended and its last log lines.
  Result<void> wait_ready(const std::vector<std::size_t>& indices,
                          std::chrono::milliseconds timeout) const;
  // Waits until all are ready, or a quorum is and the others can only follow, or the time is over;
  // returns those that are not. Errors: rejected, as above, when a node has ended.
  Result<std::vector<Unready>> wait_settled(const std::vector<std::size_t>& indices,
                                            std::chrono::milliseconds timeout) const;
  // Waits until the executed height of `index` reaches `height`.
  Result<void> wait_height(std::size_t index, std::uint64_t height,
                           std::chrono::milliseconds timeout) const;
  // The last lines of a node's log, for messages.
  std::string log_tail(std::size_t index, std::size_t lines) const;

 private:
  Cluster(Layout layout, Manifest manifest)
      : layout_(std::move(layout)), manifest_(std::move(manifest)) {}
  Error not_ready(std::size_t index, const std::string& why) const;
  Error ended(std::size_t index) const;

  Layout layout_;
  Manifest manifest_;
};

// Exclusive use of a data folder by one command. Error unavailable when another one works there.
class DataLock {
 public:
  static Result<DataLock> acquire(const Layout& layout);
  DataLock(DataLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DataLock& operator=(DataLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~DataLock();

 private:
  explicit DataLock(int fd) : fd_(fd) {}
  int fd_;
};

// "node0", or "node0, node2".
std::string names(const Cluster& cluster, const std::vector<std::size_t>& indices);

}  // namespace quorate::testnet
