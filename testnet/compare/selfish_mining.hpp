// Selfish mining, tried out on the real engines: the strategy of Eyal and Sirer ("Majority is not
// enough", SM1). A miner keeps his blocks back and shows them when honest miners catch up, so that
// their blocks go stale more often than his. What share of the branch that wins is his.
// Deterministic; any thread.
#pragma once

#include <cstdint>

namespace quorate::testnet::comparison {

struct SelfishMining {
  std::uint64_t blocks = 0;  // on the branch that won
  std::uint64_t his = 0;     // of these
  std::uint64_t mined = 0;   // by anybody, stale ones too
};

// Ends at the first moment behind so many blocks at which all miners agree on one branch.
// `wins_half`: of a race between his block and an honest one of the same height half of the honest
// hash rate hears of his first; else nobody does.
SelfishMining mine_selfishly(double share, bool wins_half, std::uint64_t blocks,
                             std::uint64_t seed);

// The same share by their formula, for a miner who wins a race with the chance `ties_won`.
double selfish_revenue(double share, double ties_won);

}  // namespace quorate::testnet::comparison
