// What the node measures, as Prometheus text. Counters and histograms follow the replica's notices;
// gauges are taken from a sample when somebody asks. prometheus-cpp stays behind the pimpl.
//
// notice() belongs to the consensus thread and returns at once; everything else is thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "node/net/peer_manager.hpp"
#include "node/ports.hpp"
#include "node/replica.hpp"
#include "node/runtime/statistics.hpp"

namespace quorate::node {

struct MetricsIdentity {
  std::string version, commit, engine;
  bool seals = true;  // else a block is final when it is executed
};

// The state of the node at one moment.
struct MetricsSample {
  std::uint64_t height = 0, certified_height = 0, view = 0, primary = 0;
  std::uint64_t validators = 0, fault_tolerance = 0, missing_validators = 0;
  std::uint64_t stable_checkpoint_height = 0;
  std::uint64_t mempool_transactions = 0, mempool_bytes = 0;
  std::uint64_t peers = 0;
  std::uint64_t storage_bytes = 0;
  std::vector<MessageCount> messages;             // of consensus, by type
  std::map<std::string, std::uint64_t> evidence;  // proofs kept, by what was signed twice
  bool changing_view = false;
  std::uint64_t suspects = 0;  // replicas against the view
  std::uint64_t view_timeout_ms = 0;
  std::uint64_t ledger_replacements = 0;
  bool syncing = false;
  std::uint64_t lag_blocks = 0;
  std::optional<consensus::Status::Branch> branch;  // of a chain ordered by work
  std::uint64_t rewind_dropped = 0;                 // transactions that found no room after one
  NetTotals net;
  RuntimeStatistics runtime;
};

class Metrics {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Metrics(const MetricsIdentity& identity);
  ~Metrics();

  void notice(const Notice& notice, Time now);
  // A submission that was not admitted; `reason` is one of ledger::Reason.
  void transaction_rejected(std::string_view reason);
  // The text exposition.
  std::string text(const MetricsSample& sample) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::node
