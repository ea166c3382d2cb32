// Asks every node of a testnet twice, a moment apart, and everything else that tells why it may be
// stalled: processes, logs, clocks, disks and the fault links. Blocks for the observation and, for
// nodes that hang, their timeouts.
#pragma once

#include <chrono>

#include "testnet/cluster.hpp"
#include "testnet/diagnosis/diagnosis.hpp"

namespace quorate::testnet {

NetworkFacts collect_facts(const Cluster& cluster, std::chrono::milliseconds observation);

// The last error in a node's log, if that is how the log ends: what a process said before it ended.
std::string last_error(const std::string& log_tail);
// Sum and count of a node's synced writes from the text of /metrics.
struct WriteTotals {
  double seconds = 0;
  double count = 0;
};
WriteTotals write_totals(const std::string& metrics);

}  // namespace quorate::testnet
