// How probable it is that a block with so many blocks on it (its own included) is reversed by an
// attacker who has a share of all hash power and mines a branch of his own in secret. For people
// who decide what to wait for, never for replicas. Pure; any thread.
//
// The exact value is Rosenfeld's and Grunspan and Perez-Marco's; Nakamoto's, beside it because
// everybody knows it, takes the attacker's progress for Poisson distributed and errs on either
// side.
#pragma once

#include <cstdint>
#include <optional>

namespace quorate::crypto::work {

// `attacker_share` is within 0..1: no hash power gives 0, half of it or more gives 1.
double reversal_probability(double attacker_share, std::uint32_t depth);
double nakamoto_reversal_probability(double attacker_share, std::uint32_t depth);

// The smallest depth at which the probability is below `bound`; nothing when none up to
// kReversalDepthMax is.
constexpr std::uint32_t kReversalDepthMax = 100'000;
std::optional<std::uint32_t> reversal_depth(double attacker_share, double bound);
std::optional<std::uint32_t> nakamoto_reversal_depth(double attacker_share, double bound);

// The attacker's share of the blocks that count, when the others lose `stale_rate` (0..1) of
// theirs to each other.
double effective_share(double attacker_share, double stale_rate);

}  // namespace quorate::crypto::work
