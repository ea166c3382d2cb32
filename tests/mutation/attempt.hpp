// One trial with one bug in a process of its own, so that an assertion, an endless loop or a crash
// of the mutated code ends that trial and nothing else.
#pragma once

#include "tests/mutation/hooks.hpp"
#include "tests/mutation/trial.hpp"

namespace quorate::mutation {

// What ended the trial; none = every check passed. An abort is reported as the check "assertion",
// a minute of computing without an end as "endless".
std::optional<sim::Violation> attempt(Mutant mutant, const Trial& trial, bool trace = false);

}  // namespace quorate::mutation
