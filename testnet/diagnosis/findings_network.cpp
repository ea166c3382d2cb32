// Processes, links and connections, and whether they all belong to one chain and release.
#include "testnet/diagnosis/finders.hpp"

namespace quorate::testnet::finders {

namespace {

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

}  // namespace

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

}  // namespace quorate::testnet::finders
