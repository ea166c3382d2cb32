// What a simulated chain of proof of work is like. Plain values.
#pragma once

#include <cstdint>

#include "ledger/types/genesis.hpp"

namespace quorate::sim::pow {

struct ChainOptions {
  std::uint64_t interval_ms = 2000;
  std::uint64_t depth = 6;
  std::uint64_t half_life_s = 120;
  std::uint64_t hashes_per_second = 1'000'000;  // of all miners: what the first blocks are made for
};

// The part of a genesis that says so; the rest of it has its defaults.
ledger::ConsensusParameters parameters_of(const ChainOptions& chain);
// The hash rate that a chain's first blocks are made for.
std::uint64_t hashes_per_second(const ledger::ConsensusParameters& parameters);

}  // namespace quorate::sim::pow
