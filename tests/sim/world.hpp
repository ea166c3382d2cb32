// What the parts of one run share: virtual time, keys, the chain's parameters, the first violation,
// the trace. One thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "consensus/factory.hpp"
#include "crypto/certificate/membership.hpp"
#include "crypto/work/work_function.hpp"
#include "ledger/types/genesis.hpp"
#include "tests/sim/coverage.hpp"
#include "tests/sim/key_ring.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/timeline.hpp"

namespace quorate::sim {

// A computer with one copy of a replica. Machines 0 .. n-1 are the replicas themselves; twins and
// clones, which run a second copy with the same key, follow.
using Machine = StrongInt<struct MachineTag, std::uint32_t>;

// What the invariants may expect of a replica.
enum class Conduct : std::uint8_t {
  correct,    // may crash, and comes back with everything that was durable
  byzantine,  // does as it likes; so do all copies of a replica that runs twice
  amnesiac,   // lost or forgot votes that were durable; must not vote, and is not relied on
};

struct World {
  World(const Options& options_in, Prng& prng);

  // Keeps the first violation; the run ends after the current event.
  void violate(std::string invariant, std::string detail);
  // Folds an event into the trace hash, and prints it if asked to.
  void trace(const char* what, std::uint32_t replica, std::uint64_t a = 0, std::uint64_t b = 0);
  // A violation of it is counted in `tolerated` and does not end the run: for what a scenario
  // brings about on purpose.
  void tolerate(const std::string& invariant) { tolerated.emplace(invariant, 0); }
  bool correct(ReplicaId replica) const { return conduct.at(replica.value()) == Conduct::correct; }
  // How many are Byzantine or amnesiac.
  std::uint32_t faulty() const;
  // Its ledger was damaged on purpose and is not replaced yet: what it computes is wrong.
  bool diverges(ReplicaId replica) const { return diverging.contains(replica); }
  ReplicaId identity(Machine machine) const { return machines.at(machine.value()); }

  Options options;
  Timeline timeline;
  KeyRing keys;
  ledger::Genesis genesis;
  crypto::Membership membership;
  consensus::EngineConfig engine_config;             // of every replica, but for its number
  const crypto::work::WorkFunction* work = nullptr;  // null: whatever the product has
  std::vector<const crypto::Signer*> validators;
  std::vector<const crypto::Signer*> accounts;
  std::vector<Conduct> conduct;  // by replica
  std::set<ReplicaId> diverging;
  std::vector<ReplicaId> machines;  // whose key each machine holds
  Coverage coverage;
  std::optional<Violation> violation;
  std::map<std::string, std::uint64_t> tolerated;
  std::uint64_t trace_hash = 0xcbf29ce484222325U;
};

// The low 8 bytes of a digest, for traces.
std::uint64_t brief(const Digest& digest);

}  // namespace quorate::sim
