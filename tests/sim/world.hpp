// What the parts of one run share: virtual time, keys, the chain's parameters, the first violation,
// the trace. One thread.
#pragma once

#include <string>

#include "crypto/certificate/membership.hpp"
#include "ledger/types/genesis.hpp"
#include "tests/sim/coverage.hpp"
#include "tests/sim/key_ring.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/timeline.hpp"

namespace quorate::sim {

struct World {
  World(const Options& options_in, Prng& prng);

  // Keeps the first violation; the run ends after the current event.
  void violate(std::string invariant, std::string detail);
  // Folds an event into the trace hash, and prints it if asked to.
  void trace(const char* what, std::uint32_t replica, std::uint64_t a = 0, std::uint64_t b = 0);

  Options options;
  Timeline timeline;
  KeyRing keys;
  ledger::Genesis genesis;
  crypto::Membership membership;
  std::vector<const crypto::Signer*> validators;
  std::vector<const crypto::Signer*> accounts;
  Coverage coverage;
  std::optional<Violation> violation;
  std::uint64_t trace_hash = 0xcbf29ce484222325U;
};

// The low 8 bytes of a digest, for traces.
std::uint64_t brief(const Digest& digest);

}  // namespace quorate::sim
