// One random run of proof of work from start to verdict: faults until enough blocks are there, then
// the heal phase, then the checks that need the end of a run.
#pragma once

#include "tests/sim/options.hpp"

namespace quorate::sim::pow {

Outcome run(const Options& options);

}  // namespace quorate::sim::pow
