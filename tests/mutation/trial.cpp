#include "tests/mutation/trial.hpp"

#include <sstream>

#include "tests/scenarios/scenario.hpp"
#include "tests/sim/pow/pow_scenarios.hpp"

namespace quorate::mutation {
namespace {

using scenarios::Scenario;

constexpr std::uint64_t kSeedsFirst = 8;
constexpr std::uint64_t kSmallMax = 600;
constexpr std::uint64_t kCasesMax = 6;  // of one scenario at one size

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> out;
  for (const scenarios::Theme& theme : scenarios::themes()) {
    out.insert(out.end(), theme.scenarios.begin(), theme.scenarios.end());
  }
  return out;
}

std::optional<sim::pow::Scenario> work_scenario_of(const std::string& id) {
  for (const sim::pow::Scenario& scenario : sim::pow::all_scenarios()) {
    if (scenario.id == id) return scenario;
  }
  return std::nullopt;
}

Result<Scenario> scenario_of(const std::string& id) {
  for (const Scenario& scenario : all_scenarios()) {
    if (scenario.id == id) return scenario;
  }
  return fail(Errc::not_found, "there is no scenario " + id + "; see sim_scenarios --list");
}

std::uint64_t* field(Trial& trial, const std::string& word) {
  const bool random = trial.scenario.empty();
  if (random && word == "seed") return &trial.seed;
  if (random && word == "small") {
    trial.small = true;
    return &trial.seed;
  }
  if (random && word == "pow") {
    trial.pow = true;
    return &trial.seed;
  }
  if (random && word == "blocks") return &trial.blocks;
  if (!random && word == "n") return &trial.replicas;
  if (!random && word == "case") return &trial.number;
  return nullptr;
}

Trial random_run(std::uint64_t seed, bool small = false) {
  Trial out;
  out.seed = seed;
  out.small = small;
  return out;
}

void add_trials_of_work(std::vector<Trial>& out) {
  for (std::uint64_t seed = 1; seed <= 2 * kSeedsFirst; ++seed) {
    Trial trial = random_run(seed);
    trial.pow = true;
    out.push_back(trial);
  }
  for (const sim::pow::Scenario& scenario : sim::pow::all_scenarios()) {
    for (std::uint64_t number = 0; number < std::min(scenario.cases, kCasesMax); ++number) {
      Trial trial;
      trial.scenario = scenario.id;
      trial.number = number;
      out.push_back(trial);
    }
  }
}

}  // namespace

Result<Trial> parse_trial(std::string_view text) {
  Trial out;
  std::istringstream words{std::string(text)};
  std::string word;
  bool good = true;
  while (good && words >> word) {
    if (out == Trial{} && word.front() >= 'A' && word.front() <= 'Z') {
      if (!work_scenario_of(word)) QUORATE_CHECK(scenario_of(word));
      out.scenario = word;
      continue;
    }
    std::uint64_t* value = field(out, word);
    good = value != nullptr && words >> *value;
  }
  if (good && !(out == Trial{})) return out;
  return fail(Errc::invalid_argument, "'" + std::string(text) +
                                          "' is no trial; write for example: seed 17 blocks 800, "
                                          "or: S08 n 7 case 3");
}

std::string to_string(const Trial& trial) {
  if (trial.scenario.empty()) {
    std::string out = trial.small ? "small " : trial.pow ? "pow " : "seed ";
    out += std::to_string(trial.seed);
    if (trial.blocks != Trial{}.blocks) out += " blocks " + std::to_string(trial.blocks);
    return out;
  }
  std::string out = trial.scenario;
  if (!work_scenario_of(out)) out += " n " + std::to_string(trial.replicas);
  if (trial.number != 0) out += " case " + std::to_string(trial.number);
  return out;
}

std::optional<sim::Violation> perform(const Trial& trial, bool trace) {
  if (trial.scenario.empty()) {
    sim::Options options = trial.small ? sim::usual_small_options(trial.seed)
                           : trial.pow ? sim::usual_pow_options(trial.seed)
                                       : sim::usual_options(trial.seed);
    if (!trial.small) options.blocks = trial.blocks;
    options.trace = trace;
    return sim::run(options).violation;
  }
  if (const auto work = work_scenario_of(trial.scenario)) {
    sim::pow::Stage stage(trial.number, trace);
    work->play(stage);
    return stage.violation();
  }
  const auto scenario = scenario_of(trial.scenario);
  if (!scenario) return sim::Violation{"trial", scenario.error().detail};
  scenarios::Stage stage({static_cast<std::uint32_t>(trial.replicas), scenario->seed(trial.number),
                          trial.number, false, trace});
  scenario->play(stage);
  return stage.violation();
}

std::vector<Trial> usual_trials(std::uint64_t seeds) {
  std::vector<Trial> out;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    out.push_back(random_run(seed));
    if (seed != std::min(seeds, kSeedsFirst)) continue;
    add_trials_of_work(out);
    for (std::uint64_t i = 1; i <= kSmallMax; ++i) out.push_back(random_run(i, true));
    for (const Scenario& scenario : all_scenarios()) {
      for (std::size_t i = 0; i < scenario.sizes.size() && i < 2; ++i) {
        for (std::uint64_t number = 0; number < std::min(scenario.cases, kCasesMax); ++number) {
          Trial trial;
          trial.scenario = scenario.id;
          trial.replicas = scenario.sizes[i];
          trial.number = number;
          out.push_back(trial);
        }
      }
    }
  }
  return out;
}

}  // namespace quorate::mutation
