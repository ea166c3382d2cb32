// The ordering engine as a genesis asks for it, and what it is like. Pure; any thread.
#pragma once

#include <optional>

#include "consensus/factory.hpp"
#include "crypto/verifier.hpp"
#include "ledger/types/genesis.hpp"

namespace quorate::node {

// `self` is none for a program that only checks what others signed.
inline consensus::EngineConfig engine_config(const ledger::Genesis& genesis,
                                             std::optional<ReplicaId> self) {
  consensus::EngineConfig out;
  out.engine = genesis.consensus.engine;
  out.membership = ledger::membership(genesis);
  out.self = self;
  out.checkpoint_interval = genesis.consensus.checkpoint_interval;
  out.proposals_in_flight = genesis.consensus.proposals_in_flight;
  out.payload_bytes_max = genesis.consensus.payload_bytes_max;
  out.parameters = genesis.consensus.engine_parameters;
  out.genesis_time = genesis.genesis_time;
  return out;
}

// What the chain's engine is like. Error invalid_argument: there is no such engine, or it refuses a
// parameter.
inline Result<consensus::EngineTraits> engine_traits(const ledger::Genesis& genesis) {
  const crypto::Ed25519Verifier verifier;
  QUORATE_TRY(const consensus::EngineParts parts,
              consensus::make_engine(engine_config(genesis, {}), nullptr, verifier));
  return parts.traits;
}

}  // namespace quorate::node
