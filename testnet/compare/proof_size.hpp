// How much a light client takes in for one receipt, asked of a real node.
#pragma once

#include <optional>

#include "testnet/cluster.hpp"
#include "testnet/compare/model.hpp"

namespace quorate::testnet::comparison {

// Of the newest transaction that can be proved; nothing when there is none yet.
std::optional<ProofSize> measure_proof(const Cluster& cluster, Engine engine,
                                       const PowChain& chain);

}  // namespace quorate::testnet::comparison
