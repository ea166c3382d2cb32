#include "testnet/diagnosis/findings.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

namespace quorate::testnet {

namespace {

// A proposal is held until due where its proposer's clock is further ahead than the protocol's
// delta.
constexpr std::int64_t kClockAheadMax = 10'000;
constexpr std::int64_t kClockRemark = 2'000;
constexpr double kSlowWriteMs = 200;
constexpr double kSlowerThanOthers = 5;
constexpr std::uint64_t kLagRemark = 20;

using Findings = std::vector<Finding>;

bool alive(const NodeFacts& node) { return node.status.process == RunState::alive; }
bool answers(const NodeFacts& node) { return alive(node) && node.status.reachable; }

std::string with_reason(const std::string& text, const std::string& reason) {
  return reason.empty() ? text : text + ": " + reason;
}

// The value that most answering nodes share, for "the others".
template <class Value, class Of>
std::optional<Value> usual(const NetworkFacts& facts, Of of) {
  std::map<Value, std::size_t> count;
  for (const auto& node : facts.nodes) {
    if (answers(node)) ++count[of(node)];
  }
  const auto most = std::max_element(
      count.begin(), count.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == count.end() ? std::nullopt : std::optional<Value>(most->first);
}

// Of the view that most nodes are in.
std::optional<std::size_t> primary_of(const NetworkFacts& facts) {
  const auto index = usual<std::uint32_t>(
      facts, [](const auto& node) { return node.status.primary.value_or(UINT32_MAX); });
  return index && *index < facts.nodes.size() ? std::optional<std::size_t>(*index) : std::nullopt;
}

// What a node says that stops because its genesis.json is not the one its data was made with.
bool other_genesis(const std::string& last_words) {
  return last_words.find("the database holds chain") != std::string::npos ||
         last_words.find("holds votes for chain") != std::string::npos;
}

// Why a process that ended did so, as far as its log tells, and what to do about it.
Finding ended(const NodeFacts& node, bool cause) {
  const std::string text = with_reason(node.name + " does not run", node.last_words);
  const std::string start = "quorate-testnet start " + node.name;
  if (node.last_words.find("No space left") != std::string::npos) {
    return {"disk_full", {node.name}, text, "Free space on its disk, then: " + start, cause};
  }
  if (other_genesis(node.last_words)) {
    return {"other_genesis",
            {node.name},
            text,
            "Copy genesis.json of the testnet's data folder over " + node.name +
                "/config/genesis.json, then: " + start,
            cause};
  }
  return {"node_down", {node.name}, text, start, cause};
}

void processes(const Judgement& judgement, Findings& out) {
  for (const auto& node : judgement.facts.nodes) {
    const bool cause = judgement.below_quorum;
    if (node.status.process == RunState::dead) {
      out.push_back(ended(node, cause));
    } else if (node.status.process == RunState::paused) {
      out.push_back({"node_paused",
                     {node.name},
                     node.name + " is paused (SIGSTOP)",
                     "quorate-testnet resume " + node.name,
                     cause});
    } else if (!node.status.reachable) {
      out.push_back({"node_silent",
                     {node.name},
                     with_reason(node.name + " runs and does not answer", node.status.reason),
                     "quorate-testnet logs " + node.name + "; if it hangs: kill it, then start it",
                     cause});
    }
  }
}

void links(const Judgement& judgement, Findings& out) {
  const auto& facts = judgement.facts;
  if (!facts.fault_links) return;
  if (!facts.fault_links_run) {
    out.push_back({"fault_links_down",
                   {},
                   "the process of the fault links does not run, so no node reaches another",
                   "quorate-testnet up --faults",
                   judgement.stalled});
    return;
  }
  const auto groups = connected_groups(facts.rules);
  if (groups.size() > 1) {
    std::string text;
    std::vector<std::string> named;
    for (const auto& group : groups) {
      text += text.empty() ? "" : " | ";
      for (std::size_t i = 0; i < group.size(); ++i) {
        text += (i == 0 ? "" : ", ") + facts.nodes[group[i]].name;
        named.push_back(facts.nodes[group[i]].name);
      }
    }
    if (facts.mines) {
      text +=
          "; each side mines a branch of its own, and the one with less work is withdrawn "
          "when they meet";
    }
    out.push_back({"partition", named, "the network is partitioned: " + text,
                   "quorate-testnet heal", judgement.below_quorum});
    return;
  }
  if (facts.rules.empty()) return;
  std::string text;
  for (const auto& [direction, rule] : facts.rules.all()) {
    if (text.size() > 200) continue;
    text += (text.empty() ? "" : "; ") + facts.nodes[direction.first].name + " to " +
            facts.nodes[direction.second].name + " " + describe(rule);
  }
  out.push_back({"perturbed",
                 {},
                 "links are perturbed on purpose: " + text,
                 "quorate-testnet heal",
                 judgement.stalled});
}

void connections(const Judgement& judgement, Findings& out) {
  const auto& facts = judgement.facts;
  for (std::size_t a = 0; a < facts.nodes.size(); ++a) {
    for (std::size_t b = a + 1; b < facts.nodes.size(); ++b) {
      const auto& from = facts.nodes[a];
      const auto& to = facts.nodes[b];
      if (!answers(from) || !answers(to)) continue;
      if (facts.fault_links && facts.rules.nodes() != 0 && facts.rules.separated(a, b)) continue;
      const auto* peer = from.status.peer(to.name);
      if (peer == nullptr || peer->connected) continue;
      out.push_back({"not_connected",
                     {from.name, to.name},
                     with_reason(from.name + " has no connection to " + to.name, peer->last_error),
                     "",
                     judgement.below_quorum});
    }
  }
}

// Nobody hears what it mines.
void alone(const Judgement& judgement, Findings& out) {
  const auto& facts = judgement.facts;
  if (!facts.mines) return;
  for (const auto& node : facts.nodes) {
    if (!answers(node) || node.status.peers.empty() || node.status.peers_connected() > 0) continue;
    out.push_back(
        {"alone",
         {node.name},
         node.name + " reaches no other node and is not ready: what it calls final is on a branch "
                     "of its own, which is withdrawn when it meets one with more work",
         "Do not rely on what it says before it is connected again",
         false});
  }
}

// Its branch and that of its peers part where it cannot go back to.
void parted(const Judgement& judgement, Findings& out) {
  for (const auto& node : judgement.facts.nodes) {
    if (!answers(node) || node.status.reason.find("another chain than") == std::string::npos) {
      continue;
    }
    out.push_back({"parted",
                   {node.name},
                   node.name + " is " + node.status.reason,
                   "docs/operations.md, \"A node is on another chain than its peers\"",
                   judgement.stalled});
  }
}

void identities(const Judgement& judgement, Findings& out) {
  const auto& facts = judgement.facts;
  const auto chain = usual<std::string>(facts, [](const auto& n) { return n.status.chain_id; });
  const auto wire = usual<std::uint64_t>(facts, [](const auto& n) { return n.wire_version; });
  const auto version = usual<std::string>(facts, [](const auto& n) { return n.version; });
  for (const auto& node : facts.nodes) {
    if (!answers(node)) continue;
    if (node.status.chain_id != *chain) {
      out.push_back({"other_chain",
                     {node.name},
                     node.name +
                         " is on another chain than the others: its genesis.json differs "
                         "(chain_id " +
                         node.status.chain_id + ")",
                     "Give it the genesis of the testnet (genesis.json in the data folder), or "
                     "start afresh with down --purge",
                     judgement.below_quorum});
    } else if (node.wire_version != *wire) {
      out.push_back({"other_version",
                     {node.name},
                     node.name + " speaks wire version " + std::to_string(node.wire_version) +
                         ", the others " + std::to_string(*wire),
                     "Run the same release everywhere",
                     judgement.below_quorum});
    } else if (node.version != *version) {
      out.push_back({"other_build",
                     {node.name},
                     node.name + " is build " + node.version + ", the others " + *version,
                     "Restart it, so that it runs what is installed now",
                     false});
    }
  }
}

// What whoever may not vote any more can do about it. Keys that are retired stay so: with too many
// of them no node that comes back makes a quorum.
std::string next_for_observer(const NetworkFacts& facts, const NodeStatus& status) {
  const auto without_key = [](const NodeStatus& each) {
    return each.observer_reason.find("no validator key") != std::string::npos;
  };
  if (without_key(status)) return "";
  const auto retired = std::count_if(facts.nodes.begin(), facts.nodes.end(), [&](const auto& each) {
    return answers(each) && each.status.observer && !without_key(each.status);
  });
  if (facts.nodes.size() - static_cast<std::size_t>(retired) >= facts.quorum) {
    return "Bring its newer disk back if there is one, else let it follow: "
           "docs/operations.md, \"A disk was lost or wiped\"";
  }
  return "Bring its newer disk back. Without it this chain has ended: those that may still vote "
         "are "
         "fewer than a quorum, for good: docs/operations.md, \"More than f nodes down\"";
}

void votes(const Judgement& judgement, Findings& out) {
  for (const auto& node : judgement.facts.nodes) {
    if (!answers(node)) continue;
    const auto& status = node.status;
    if (!status.halted.empty()) {
      out.push_back({"halted",
                     {node.name},
                     node.name + " has halted: " + status.halted,
                     "Keep its data as evidence; quorate-testnet logs " + node.name,
                     judgement.stalled});
    } else if (status.observer) {
      out.push_back({"observer",
                     {node.name},
                     with_reason(node.name + " follows and does not vote", status.observer_reason),
                     next_for_observer(judgement.facts, status),
                     judgement.below_quorum});
    } else if (status.starting) {
      out.push_back({"starting",
                     {node.name},
                     node.name + " has started and asks the others what it voted before",
                     "It needs answers from a quorum; start the nodes that are down",
                     judgement.stalled});
    }
  }
}

void lag(const Judgement& judgement, Findings& out) {
  std::uint64_t top = 0;
  for (const auto& node : judgement.facts.nodes) top = std::max(top, node.status.height);
  for (const auto& node : judgement.facts.nodes) {
    if (!answers(node)) continue;
    const auto behind = std::max(top - node.status.height, node.status.lag);
    if (!node.status.syncing && behind < kLagRemark) continue;
    out.push_back({"lags",
                   {node.name},
                   node.name + " is at height " + std::to_string(node.status.height) + " of " +
                       std::to_string(node.status.height + behind) +
                       (node.status.syncing ? " and fetches what it missed" : ""),
                   "",
                   judgement.below_quorum});
  }
}

// Two different blocks at one height: what must never be.
void agreement(const Judgement& judgement, Findings& out) {
  const auto& nodes = judgement.facts.nodes;
  for (std::size_t a = 0; a < nodes.size(); ++a) {
    for (std::size_t b = a + 1; b < nodes.size(); ++b) {
      const auto& one = nodes[a].status;
      const auto& other = nodes[b].status;
      const bool comparable = answers(nodes[a]) && answers(nodes[b]) &&
                              one.chain_id == other.chain_id && one.height == other.height;
      if (!comparable || one.block_hash == other.block_hash) continue;
      if (judgement.facts.mines) {
        out.push_back({"branches",
                       {nodes[a].name, nodes[b].name},
                       nodes[a].name + " and " + nodes[b].name +
                           " call different blocks final at height " + std::to_string(one.height) +
                           ": one of them will withdraw " +
                           std::to_string(judgement.facts.commit_depth) +
                           " blocks or more when they hear of each other",
                       "Connect them: quorate-testnet heal",
                       false});
        continue;
      }
      out.push_back({"fork",
                     {nodes[a].name, nodes[b].name},
                     nodes[a].name + " and " + nodes[b].name + " have different blocks at height " +
                         std::to_string(one.height) + ": " + one.block_hash + " and " +
                         other.block_hash,
                     "Stop the testnet and keep its data: this needs more faulty nodes than it "
                     "tolerates, or is a bug",
                     true});
    }
  }
}

std::string view_text(const NodeFacts& node) {
  const auto& status = node.status;
  std::string text = node.name + " is in view " + std::to_string(status.view);
  if (status.promise_view > status.view) {
    text += " and asks for " + std::to_string(status.promise_view);
  }
  return text;
}

void views(const Judgement& judgement, Findings& out) {
  const auto& facts = judgement.facts;
  std::vector<const NodeFacts*> voters;
  for (const auto& node : facts.nodes) {
    if (answers(node) && !node.status.observer) voters.push_back(&node);
  }
  if (voters.empty()) return;
  const auto& first = voters.front()->status;
  const bool changing = std::any_of(voters.begin(), voters.end(), [](const NodeFacts* node) {
    return node->status.promise_view > node->status.view;
  });
  const bool differ = std::any_of(voters.begin(), voters.end(), [&](const NodeFacts* node) {
    return node->status.view != first.view;
  });
  if (!changing && !differ) return;
  std::string text;
  std::vector<std::string> named;
  for (const auto* node : voters) {
    text += (text.empty() ? "" : "; ") + view_text(*node);
    named.push_back(node->name);
  }
  out.push_back(
      {changing ? "view_change" : "views_differ", named,
       (changing ? "a view change is under way: " : "the nodes are in different views: ") + text,
       judgement.below_quorum ? "It cannot end before a quorum of nodes takes part"
                              : "Wait for a few view timeouts; the nodes tell each other and meet",
       judgement.stalled});
}

// Who looks for blocks, and whether hash rate and difficulty fit.
void mining(const Judgement& judgement, Findings& out) {
  std::size_t miners = 0;
  std::vector<std::string> idle;
  for (const auto& node : judgement.facts.nodes) {
    if (!answers(node) || !node.status.branch) continue;
    if (node.status.branch->is_miner()) {
      ++miners;
    } else {
      idle.push_back(node.name);
    }
  }
  if (!idle.empty()) {
    std::string text;
    for (const auto& name : idle) text += (text.empty() ? "" : ", ") + name;
    out.push_back({miners == 0 ? "nobody_mines" : "not_mining", idle,
                   text + (idle.size() == 1 ? " does" : " do") + " not look for blocks",
                   "See mining.enabled in config/config.toml, then kill and start the node",
                   judgement.stalled && miners == 0});
  }
}

void primary(const Judgement& judgement, Findings& out) {
  const auto& facts = judgement.facts;
  const auto index = primary_of(facts);
  if (!index) return;
  const auto& node = facts.nodes[*index];
  std::vector<std::string> suspecting;
  std::string reason;
  for (const auto& other : facts.nodes) {
    for (const auto& suspect : other.status.suspects) {
      if (std::find(suspecting.begin(), suspecting.end(), suspect.name) != suspecting.end())
        continue;
      suspecting.push_back(suspect.name);
      reason = suspect.reason;
    }
  }
  if (!answers(node)) {
    out.push_back({"primary_missing",
                   {node.name},
                   node.name + " is the primary of the active view and takes no part",
                   judgement.below_quorum ? "The others cannot replace it below a quorum"
                                          : "The others replace it within two view timeouts",
                   judgement.stalled});
    return;
  }
  if (suspecting.empty()) return;
  std::string text;
  for (const auto& name : suspecting) text += (text.empty() ? "" : ", ") + name;
  out.push_back({"primary_suspected",
                 {node.name},
                 with_reason(text + (suspecting.size() == 1 ? " suspects" : " suspect") +
                                 " the primary " + node.name,
                             reason),
                 "",
                 judgement.stalled});
}

void watermarks(const Judgement& judgement, Findings& out) {
  for (const auto& node : judgement.facts.nodes) {
    const auto& status = node.status;
    if (!answers(node) || status.high_watermark == 0 || status.height < status.high_watermark) {
      continue;
    }
    out.push_back({"no_checkpoint",
                   {node.name},
                   node.name + " is at its high watermark " +
                       std::to_string(status.high_watermark) + ": no checkpoint above " +
                       std::to_string(status.low_watermark) +
                       " is stable, because fewer than a quorum signed the same one",
                   "Start the nodes that are down or behind; if states differ, see their logs",
                   judgement.stalled});
  }
}

std::string seconds(std::int64_t milliseconds) {
  return std::to_string(std::llabs(milliseconds) / 1000) + " s";
}

void clocks(const Judgement& judgement, Findings& out) {
  for (const auto& node : judgement.facts.nodes) {
    if (!node.clock_ahead_ms || std::llabs(*node.clock_ahead_ms) < kClockRemark) continue;
    const bool ahead = *node.clock_ahead_ms > 0;
    const bool far_ahead = *node.clock_ahead_ms > kClockAheadMax;
    const bool holds = holds_back(judgement.facts, node);
    std::string effect;
    if (far_ahead) effect = "; what it proposes is held until it is due";
    if (holds) effect = "; it holds back what others propose, and so does not vote for it";
    out.push_back({"clock",
                   {node.name},
                   "the clock of " + node.name + " is " + seconds(*node.clock_ahead_ms) +
                       (ahead ? " ahead" : " behind") + effect,
                   "Synchronise it (NTP)",
                   judgement.stalled && (far_ahead || holds)});
  }
}

void disks(const Judgement& judgement, Findings& out) {
  std::vector<double> times;
  for (const auto& node : judgement.facts.nodes) {
    if (node.write_ms) times.push_back(*node.write_ms);
  }
  if (times.empty()) return;
  std::sort(times.begin(), times.end());
  const double median = times[(times.size() - 1) / 2];
  for (const auto& node : judgement.facts.nodes) {
    if (!node.write_ms || *node.write_ms < kSlowWriteMs) continue;
    const bool slower = *node.write_ms > kSlowerThanOthers * median;
    out.push_back({"slow_disk",
                   {node.name},
                   "a synced write of " + node.name + " takes " +
                       std::to_string(std::llround(*node.write_ms)) + " ms" +
                       (slower ? ", the others' " + std::to_string(std::llround(median)) + " ms"
                               : std::string()),
                   slower ? "Move it to a faster disk, or find what else writes there"
                          : "All nodes share a slow disk; find what else writes there",
                   judgement.stalled});
  }
}

void mempools(const Judgement& judgement, Findings& out) {
  for (const auto& node : judgement.facts.nodes) {
    if (!answers(node) || node.mempool_max == 0 || node.waiting < node.mempool_max) continue;
    out.push_back({"mempool_full",
                   {node.name},
                   "the mempool of " + node.name + " is full and refuses transactions",
                   "Send less, or wait",
                   false});
  }
}

}  // namespace

// Compared with this machine's clock, as a primary's would be whose clock is right.
bool holds_back(const NetworkFacts& facts, const NodeFacts& node) {
  const auto primary = primary_of(facts);
  const bool proposes = primary && &facts.nodes[*primary] == &node;
  return !facts.mines && !proposes && node.clock_ahead_ms.value_or(0) < -kClockAheadMax;
}

std::vector<Finding> all_findings(const Judgement& judgement) {
  Findings out;
  agreement(judgement, out);
  processes(judgement, out);
  links(judgement, out);
  identities(judgement, out);
  votes(judgement, out);
  connections(judgement, out);
  alone(judgement, out);
  parted(judgement, out);
  lag(judgement, out);
  if (judgement.facts.mines) {
    mining(judgement, out);
  } else {
    primary(judgement, out);
    watermarks(judgement, out);
  }
  clocks(judgement, out);
  disks(judgement, out);
  mempools(judgement, out);
  if (!judgement.facts.mines) views(judgement, out);
  return out;
}

}  // namespace quorate::testnet
