// A real testnet in a folder of its own for temporary files, on ports that are free, for commands
// that measure. It is no profile of the wallet and nobody else works on it. Its processes end, and
// its folder goes, with the object. Single-threaded, as Cluster.
#pragma once

#include <memory>
#include <vector>

#include "testnet/cluster.hpp"
#include "testnet/genesis.hpp"

namespace quorate::testnet {

class TemporaryNetwork {
 public:
  // Returns once every node is ready. The plan's ports are replaced. Errors: io, unavailable (no
  // free ports), and those of Cluster.
  static Result<std::unique_ptr<TemporaryNetwork>> start(NetworkPlan plan, bool fault_links,
                                                         std::chrono::seconds timeout);
  TemporaryNetwork(const TemporaryNetwork&) = delete;
  TemporaryNetwork& operator=(const TemporaryNetwork&) = delete;
  ~TemporaryNetwork();

  const Cluster& cluster() const { return *cluster_; }
  // SIGKILL, and returns when it has ended.
  Result<void> kill(std::size_t node);
  // Returns once it is ready.
  Result<void> start(std::size_t node);
  // Only with fault links: cuts every link between the groups; no groups: all links are whole.
  Result<void> partition(const std::vector<std::vector<std::size_t>>& groups);

 private:
  TemporaryNetwork(std::filesystem::path folder, std::chrono::seconds timeout)
      : folder_(std::move(folder)), timeout_(timeout) {}
  Result<void> make(NetworkPlan plan, bool fault_links);
  void end();

  std::filesystem::path folder_;
  std::chrono::seconds timeout_;
  std::optional<Cluster> cluster_;
  std::optional<DataLock> lock_;
};

}  // namespace quorate::testnet
