// When replicas signed different results of the same height. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "consensus/pbft/settings.hpp"

namespace quorate::consensus::pbft {

// True when correct replicas disagree for good: two results have each a supporter who is correct
// (f+1 signatures), and none can reach a quorum any more, whatever the silent ones sign. One
// replica with a damaged ledger is not enough for that; execution that depends on something else
// than the chain is.
template <class Result>
bool irreconcilable(const std::map<Result, std::uint32_t>& supporters, const Settings& settings) {
  std::uint32_t voted = 0;
  std::uint32_t most = 0;
  std::uint32_t supported = 0;
  for (const auto& entry : supporters) {
    voted += entry.second;
    most = std::max(most, entry.second);
    if (entry.second >= settings.membership.weak_quorum()) ++supported;
  }
  return supported > 1 && most + (settings.members() - voted) < settings.quorum();
}

}  // namespace quorate::consensus::pbft
