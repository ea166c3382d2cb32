// Makes the engine that the genesis names, with its message verifier. The one place that knows
// which engines exist.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "consensus/engine.hpp"
#include "crypto/certificate/membership.hpp"
#include "crypto/signer.hpp"
#include "crypto/verifier.hpp"

namespace quorate::crypto::work {
class WorkFunction;
}

namespace quorate::consensus {

struct EngineConfig {
  std::string engine = "pbft";  // the genesis's consensus.engine
  crypto::Membership membership;
  // Its place among the replicas; without a signer it follows there and does not vote. None: it is
  // nobody's peer.
  std::optional<ReplicaId> self;
  // Parameters of the chain (ledger/types/genesis.hpp has their meaning and defaults).
  std::uint64_t checkpoint_interval = 128;
  std::uint32_t proposals_in_flight = 32;
  std::uint32_t payload_bytes_max = 1U << 20U;
  // Parameters of the chain that only this engine knows, by name; the engine says which there are
  // and refuses others.
  std::map<std::string, std::uint64_t> parameters = {};
  WallMs genesis_time;
  bool mine = true;  // local: work on blocks of one's own, if the engine has such a thing
  // Local: how many blocks a Rewind may take back at most; 0: the engine's own choice.
  std::uint64_t rewind_max = 0;
  // Local: how far above its ledger it takes headers; 0: the engine's own choice.
  std::uint64_t ahead_max = 0;
  // Local timing; never part of what replicas must agree on.
  Duration status_interval_busy = std::chrono::milliseconds(200);
  Duration status_interval_idle = std::chrono::seconds(2);
  Duration proposal_ahead_max = std::chrono::seconds(10);  // delta
  // How long a view may go without progress: doubles with each view that brought none.
  Duration view_timeout = std::chrono::seconds(1);
  Duration view_timeout_max = std::chrono::seconds(60);
};

struct EngineParts {
  std::unique_ptr<Engine> engine;
  std::shared_ptr<const MessageVerifier> message_verifier;
  EngineTraits traits = {};
  std::shared_ptr<const PuzzleSolver> puzzle_solver = nullptr;  // null unless traits.mines
  // Null: each commit certificate proves its own place.
  std::unique_ptr<OrderAudit> order_audit = nullptr;
};

// `signer` (null for a follower), `verifier` and `work` must outlive the parts. `work` judges what
// solves a puzzle; null: double SHA-256.
// Error invalid_argument for an unknown engine, naming those there are.
Result<EngineParts> make_engine(const EngineConfig& config, const crypto::Signer* signer,
                                const crypto::Verifier& verifier,
                                const crypto::work::WorkFunction* work = nullptr);

}  // namespace quorate::consensus
