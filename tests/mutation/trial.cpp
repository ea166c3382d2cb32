#include "tests/mutation/trial.hpp"

#include <sstream>

namespace quorate::mutation {

Result<Trial> parse_trial(std::string_view text) {
  Trial out;
  std::istringstream words{std::string(text)};
  std::string word;
  while (words >> word) {
    std::uint64_t* value = word == "seed" ? &out.seed : word == "blocks" ? &out.blocks : nullptr;
    if (value == nullptr || !(words >> *value)) {
      return fail(Errc::invalid_argument,
                  "'" + std::string(text) + "' is no trial; write for example: seed 17 blocks 800");
    }
  }
  return out;
}

std::string to_string(const Trial& trial) {
  std::string out = "seed " + std::to_string(trial.seed);
  if (trial.blocks != Trial{}.blocks) out += " blocks " + std::to_string(trial.blocks);
  return out;
}

std::optional<sim::Violation> perform(const Trial& trial, bool trace) {
  sim::Options options = sim::usual_options(trial.seed);
  options.blocks = trial.blocks;
  options.trace = trace;
  return sim::run(options).violation;
}

std::vector<Trial> usual_trials(std::uint64_t count) {
  std::vector<Trial> out;
  for (std::uint64_t seed = 1; seed <= count; ++seed) out.push_back(Trial{seed, Trial{}.blocks});
  return out;
}

}  // namespace quorate::mutation
