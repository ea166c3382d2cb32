// What the nodes order, who may vote, and how far each is.
#include "testnet/diagnosis/finders.hpp"

namespace quorate::testnet::finders {

namespace {

constexpr std::uint64_t kLagRemark = 20;

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

std::string view_text(const NodeFacts& node) {
  const auto& status = node.status;
  std::string text = node.name + " is in view " + std::to_string(status.view);
  if (status.promise_view > status.view) {
    text += " and asks for " + std::to_string(status.promise_view);
  }
  return text;
}

}  // namespace

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

}  // namespace quorate::testnet::finders
