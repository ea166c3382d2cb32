// The single things that can be wrong with a testnet, each looked for on its own. Pure. Only
// diagnosis.cpp and the findings*.cpp include this header.
#pragma once

#include <vector>

#include "testnet/diagnosis/diagnosis.hpp"

namespace quorate::testnet {

struct Judgement {
  const NetworkFacts& facts;
  bool stalled = false;
  bool below_quorum = false;  // those that can vote together are fewer than a quorum
};

// Its clock is so far behind that it holds back what others propose, and so does not vote for it.
// What it proposes itself, as the primary, is late, which costs no vote.
bool holds_back(const NetworkFacts& facts, const NodeFacts& node);

// In the order in which causes are worth looking at.
std::vector<Finding> all_findings(const Judgement& judgement);

}  // namespace quorate::testnet
