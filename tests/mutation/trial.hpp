// One deterministic run of the simulator that may expose a bug, and how a person writes it:
//   seed 17            the simulator's seed 17, as sim_seeds runs it
//   seed 17 blocks 800 the same, longer
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
  std::uint64_t seed = 1;
  std::uint64_t blocks = 110;

  bool operator==(const Trial&) const = default;
};

Result<Trial> parse_trial(std::string_view text);
std::string to_string(const Trial& trial);
// Runs it with whatever bug is selected; the check that failed, if one did.
std::optional<sim::Violation> perform(const Trial& trial, bool trace);
// What is tried when nothing better is known: `count` seeds from 1 on.
std::vector<Trial> usual_trials(std::uint64_t count);

}  // namespace quorate::mutation
