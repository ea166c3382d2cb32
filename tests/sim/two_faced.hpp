// The attack that forks a chain once more than f members take part in it: two halves of the others,
// which do not hear each other, are told different things, each with the votes of all liars.
#pragma once

#include <set>

#include "tests/sim/villain.hpp"

namespace quorate::sim {

// What every liar says, replica 0, the first primary, among them: the proposals of view 0 and all
// liars' votes for them to one half, other proposals with as many votes to `other_half`, and beside
// that only answers to who starts.
Script two_faced(std::set<std::uint32_t> other_half);

}  // namespace quorate::sim
