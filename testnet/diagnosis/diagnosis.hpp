// Why a testnet does not commit: facts in, findings out. Pure; collect.hpp gathers the facts.
//
// A testnet is stalled when transactions wait and nothing was committed during the observation, or
// when those that could vote and reach each other, be it through others, are fewer than a quorum,
// whether anything waits or not. It is idle when nothing waits: an idle chain makes no blocks.
//
// Where blocks are mined they come by chance, and on an idle chain too, so that a moment without
// one means nothing. Such a testnet is stalled when nobody mines, or when no block has come for
// many times as long as the hash rate of all lets one expect. With instant mining it is idle like
// any other when nothing waits.
//
// A finding is a cause when it can explain the stall, else a remark: one node that is down slows
// nothing down while the others are a quorum.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "testnet/node_status.hpp"
#include "testnet/perturb/rules.hpp"

namespace quorate::testnet {

struct NodeFacts {
  std::string name;
  NodeStatus status;                // at the end of the observation
  std::uint64_t height_before = 0;  // at its beginning
  std::uint64_t view_before = 0;
  std::uint64_t tip_before = 0;  // where blocks are mined
  std::string last_words;        // of a process that ended: its last error in the log
  std::string version;           // with the commit it was built from
  std::uint64_t wire_version = 0;
  std::uint64_t storage_version = 0;
  std::optional<std::int64_t> clock_ahead_ms;  // compared with this machine's clock
  std::uint64_t waiting = 0;                   // transactions in its mempool that could be proposed
  std::uint64_t mempool_max = 0;
  std::optional<double> write_ms;  // mean time of a synced write: lately, else since its start
};

struct NetworkFacts {
  std::uint32_t quorum = 0;        // so many must reach each other before anything can commit
  bool mines = false;              // blocks are mined: an idle chain makes them too
  bool mines_on_demand = false;    // unless every node has instant mining
  std::uint32_t commit_depth = 0;  // of such a chain
  std::uint64_t now_ms = 0;        // this machine's clock
  std::uint64_t observed_ms = 0;
  std::vector<NodeFacts> nodes;
  bool fault_links = false;
  bool fault_links_run = false;
  LinkRules rules;
};

enum class Condition : std::uint8_t { going_on, idle, stalled };
std::string_view to_string(Condition condition);

struct Finding {
  std::string code;  // "node_down", "partition", ...: stable, for scripts
  std::vector<std::string> nodes;
  std::string text;  // one sentence
  std::string next;  // the command or the thing to do; may be empty
  bool cause = false;
};

struct Diagnosis {
  Condition condition = Condition::going_on;
  std::string summary;
  std::vector<Finding> findings;  // causes first, the most likely one first
};

Diagnosis diagnose(const NetworkFacts& facts);

// The nodes that could commit together: the largest set found of nodes that run, answer, may vote,
// do so (a clock far behind holds proposals back) and are connected to each other.
std::vector<std::size_t> able_to_commit(const NetworkFacts& facts);

}  // namespace quorate::testnet
