// Many runs of the simulator on a few threads: counts what happened in them, prints every failure
// with the command that shows it again, and says in the end how fast it was.
#pragma once

#include <optional>
#include <string>

#include "tests/sim/options.hpp"

namespace quorate::sim {

struct Campaign {
  std::uint64_t first = 1;  // seed
  std::uint64_t seeds = 0;
  bool small = false;         // small-scope scenarios instead of long runs
  bool pow = false;           // long runs of proof of work instead of PBFT
  std::uint64_t minutes = 0;  // soak: both kinds, until the time is over
  unsigned jobs = 1;
  std::optional<std::uint32_t> replicas;  // otherwise each seed has its own number
  std::uint64_t blocks = 110;             // of a long run, before it heals
  bool real = false;
  bool trace = false;
  bool twice = false;    // every seed, not only some: the traces must be equal
  bool coverage = true;  // what never happened is a failure
};

Options options_of(std::uint64_t seed, const Campaign& campaign);
// Names the run to a handler of SIGABRT (on_abort) while it lasts.
Outcome run_named(const Options& options);
void print_failure(const Options& options, const Violation& violation);
// Whom the wire log blames, if anybody.
void print_culprits(const Outcome& outcome);
// Exit status: 0 when nothing failed and everything happened.
int run_campaign(const Campaign& campaign);
// An assertion must name its seed: to be installed as the handler of SIGABRT.
extern "C" void name_the_run(int);

}  // namespace quorate::sim
