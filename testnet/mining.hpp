// How a testnet whose blocks are mined fits the machine that it runs on.
#pragma once

#include <cstdint>

#include "consensus/engine.hpp"
#include "ledger/types/genesis.hpp"

namespace quorate::testnet {

// What several nodes on one machine spend on mining is missing everywhere else, so the default is
// little.
struct MiningPlan {
  unsigned duty_percent = 5;     // of one processor, for each node
  std::uint64_t instant_ms = 0;  // above 0: instant mining (node/runtime/miner.hpp)
};

// Hashes that one thread computes in a second of processor time. Takes a tenth of a second.
double measure_hash_rate(const consensus::PuzzleSolver& solver);

// Where the chain's blocks are mined: chooses the target of the first block so that blocks come at
// the chain's interval from the start, and the easiest target so that they still come when a 256th
// of the hash rate is left. What the genesis names already is kept. With instant mining both are
// trivial. `measure` is asked for the rate of one thread, if it is needed. Error invalid_argument:
// there is no such engine, or it refuses a parameter.
using MeasureHashRate = double (*)(const consensus::PuzzleSolver& solver);
Result<void> choose_difficulty(ledger::Genesis& genesis, const MiningPlan& plan,
                               MeasureHashRate measure = measure_hash_rate);

}  // namespace quorate::testnet
