// What the nodes of a real testnet have used up so far: CPU time by the kind of work that its
// threads do, and counters of their /metrics. Two samples make a difference. Reads /proc and asks
// the nodes; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "testnet/cluster.hpp"

namespace quorate::testnet::comparison {

struct NodeCosts {
  std::map<std::string, double> cpu_s;  // by kind of work, of all nodes
  double p2p_bytes = 0;                 // sent
  double p2p_messages = 0;
  double hashes = 0;
  // The most that one node's ledger has taken back.
  double reversed = 0;   // transactions
  double withdrawn = 0;  // blocks
  std::optional<double> machine_joules;

  double all_cpu_s() const;
};
// Of the nodes that run. A node that does not answer has no counters in it.
NodeCosts sample_costs(const Cluster& cluster);
NodeCosts operator-(const NodeCosts& after, const NodeCosts& before);

// The meter of all processor packages, where this machine has one that we may read.
std::optional<double> read_rapl_joules();

}  // namespace quorate::testnet::comparison
