#include "testnet/mining.hpp"

#include <algorithm>
#include <ctime>

#include "consensus/engine_list.hpp"
#include "crypto/verifier.hpp"
#include "crypto/work/bits.hpp"
#include "crypto/work/header.hpp"
#include "crypto/work/parameters.hpp"
#include "node/engine_config.hpp"

namespace quorate::testnet {

namespace {

using crypto::work::bits_for;
using crypto::work::expected_hashes;

constexpr const char* kInitial = "initial_bits";
constexpr const char* kLimit = "limit_bits";
constexpr std::uint64_t kTrivialHashes = 2;
constexpr std::uint64_t kEasierAtMost = 256;
constexpr double kMeasuredSeconds = 0.1;

double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::uint32_t easiest_for(std::uint64_t hashes) {
  const std::uint64_t least = std::clamp(hashes, std::uint64_t{1}, kTrivialHashes);
  return bits_for(std::max(least, hashes / kEasierAtMost));
}

// Nobody ever solves it.
Bytes hardest_puzzle() {
  crypto::work::Header header;
  header.height = Height(1);
  header.bits = crypto::work::bits_of_target(crypto::work::Uint256::of(1));
  return encode(header);
}

}  // namespace

double measure_hash_rate(const consensus::PuzzleSolver& solver) {
  constexpr std::uint64_t kSlice = 1024;
  const Bytes puzzle = hardest_puzzle();
  const double begin = processor_seconds();
  std::uint64_t hashes = 0;
  double took = 0;
  while (took < kMeasuredSeconds) {
    (void)solver.search(puzzle, hashes, kSlice);
    hashes += kSlice;
    took = processor_seconds() - begin;
  }
  return static_cast<double>(hashes) / took;
}

Result<void> choose_difficulty(ledger::Genesis& genesis, const MiningPlan& plan,
                               MeasureHashRate measure) {
  auto& named = genesis.consensus.engine_parameters;
  const bool initial_given = named.contains(kInitial);
  const bool limit_given = named.contains(kLimit);
  // One target alone may not fit the other's default.
  ledger::Genesis without = genesis;
  without.consensus.engine_parameters.erase(kInitial);
  without.consensus.engine_parameters.erase(kLimit);
  const crypto::Ed25519Verifier verifier;
  QUORATE_TRY(const consensus::EngineParts parts,
              consensus::make_engine(node::engine_config(without, {}), nullptr, verifier));
  const bool work = consensus::proved_by(genesis.consensus.engine) == consensus::ProvedBy::work;
  if (work) {
    std::uint64_t hashes = kTrivialHashes;
    if (initial_given) {
      hashes = expected_hashes(static_cast<std::uint32_t>(named.at(kInitial)));
    } else if (plan.instant_ms == 0) {
      QUORATE_TRY(const auto parameters,
                  crypto::work::parse_parameters(without.consensus.engine_parameters));
      const double rate = measure(*parts.puzzle_solver) * plan.duty_percent / 100 *
                          static_cast<double>(genesis.validators.size());
      const double seconds = static_cast<double>(parameters.interval_ms) / 1000;
      hashes = std::max(hashes, static_cast<std::uint64_t>(rate * seconds));
    }
    if (!limit_given) named[kLimit] = easiest_for(hashes);
    const auto limit = static_cast<std::uint32_t>(named.at(kLimit));
    if (!initial_given)
      named[kInitial] = hashes <= expected_hashes(limit) ? limit : bits_for(hashes);
  }
  QUORATE_CHECK(node::engine_traits(genesis));
  return {};
}

}  // namespace quorate::testnet
