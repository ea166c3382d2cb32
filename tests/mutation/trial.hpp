// One deterministic run of the simulator that may expose a bug, and how a person writes it:
//   seed 17              the simulator's seed 17, as sim_seeds runs it
//   seed 17 blocks 800   the same, longer
//   small 940            a small-scope scenario
//   pow 17               the seed 17 of proof of work
//   W23 case 2           a case of a scenario of proof of work
//   S08 n 7 case 3       a case of an acceptance scenario, as sim_scenarios plays it
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.hpp"
#include "tests/sim/options.hpp"

namespace quorate::mutation {

struct Trial {
  std::string scenario;        // empty: a random run
  bool small = false;          // of few heights
  bool pow = false;            // of proof of work
  std::uint64_t seed = 0;      // of a random run
  std::uint64_t blocks = 110;  // of a random run
  std::uint64_t replicas = 4;  // of a scenario
  std::uint64_t number = 0;    // which case of the scenario

  bool operator==(const Trial&) const = default;
};

Result<Trial> parse_trial(std::string_view text);
std::string to_string(const Trial& trial);
// Runs it with whatever bug is selected; the check that failed, if one did.
std::optional<sim::Violation> perform(const Trial& trial, bool trace);
// What is tried when nothing better is known: `seeds` random runs, and after the first few of them
// many small ones and every scenario at its two smallest sizes.
std::vector<Trial> usual_trials(std::uint64_t seeds);

}  // namespace quorate::mutation
