// The staged runs of proof of work by id. One that enumerates something has many cases, and each
// case is a run of its own that can be repeated alone.
#pragma once

#include <vector>

#include "tests/sim/pow/pow_stage.hpp"

namespace quorate::sim::pow {

struct Scenario {
  const char* id;
  const char* title;
  std::uint64_t cases;  // an enumeration may end earlier: Stage::no_such_case()
  void (*play)(Stage& stage);
};

// What splits, crashes and honest miners bring about, and what Byzantine miners do.
std::vector<Scenario> branch_scenarios();
std::vector<Scenario> rogue_scenarios();
std::vector<Scenario> all_scenarios();

}  // namespace quorate::sim::pow
