#include "testnet/diagnosis/findings.hpp"

#include "testnet/diagnosis/finders.hpp"

namespace quorate::testnet {

// Compared with this machine's clock, as a primary's would be whose clock is right.
bool holds_back(const NetworkFacts& facts, const NodeFacts& node) {
  const auto primary = finders::primary_of(facts);
  const bool proposes = primary && &facts.nodes[*primary] == &node;
  return !facts.mines && !proposes && node.clock_ahead_ms.value_or(0) < -finders::kClockAheadMax;
}

std::vector<Finding> all_findings(const Judgement& judgement) {
  using namespace finders;  // this function is a list of them
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
