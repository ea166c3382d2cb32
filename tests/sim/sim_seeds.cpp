// Runs seeds of the simulator.
//   sim_seeds --seeds 500 --first 1 --jobs 2     long runs; fails if a fault class never fired
//   sim_seeds --small --seeds 20000 --jobs 2     small-scope scenarios
//   sim_seeds --pow --seeds 150 --jobs 2         long runs of proof of work
//   sim_seeds --soak 120 --jobs 2                long runs and scenarios of PBFT, for so many
//   minutes sim_seeds --seed 17 --n 4 --trace            one seed, every event (with --small a
//   scenario) sim_seeds --canary early_persisted           must find the invariant that the canary
//   breaks
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/sim/campaign.hpp"

namespace {

using namespace quorate::sim;  // the program is about nothing else

struct Arguments {
  Campaign campaign;
  std::optional<std::uint64_t> seed;
  std::string canary;
};

struct CanaryCase {
  const char* name;
  Canary canary;
  const char* invariant;                    // of PBFT; null: not for it
  const char* invariant_of_work = nullptr;  // of proof of work
};
constexpr CanaryCase kCanaries[] = {
    {"early_persisted", Canary::early_persisted, "I3", "W5"},
    {"other_payload", Canary::other_payload, "I1", "W3"},
    {"second_vote", Canary::second_vote, "I2"},
    {"minted_money", Canary::minted_money, "I4"},
    {"unasked", Canary::unasked, "I4", "W3"},
    {"forged_seal", Canary::forged_seal, "I5"},
    {"hoarder", Canary::hoarder, "I8", "W6"},
    {"other_replay", Canary::other_replay, "I7"},
    {"forgotten_votes", Canary::forgotten_votes, "I10", "W2"},
    {"deaf_replica", Canary::deaf_replica, "heal", "heal"},
    {"collusion", Canary::collusion, "I1"},
    {"silent_rewind", Canary::silent_rewind, nullptr, "W4"},
    {"forgotten_withdrawn", Canary::forgotten_withdrawn, nullptr, "W4"},
    {"by_height", Canary::by_height, nullptr, "W2"},
};

int run_one(const Arguments& arguments) {
  const Options options = options_of(*arguments.seed, arguments.campaign);
  const Outcome outcome = run_named(options);
  std::printf(
      "seed %llu, n %u: %llu blocks, %llu transactions, %llu events, view %llu, %.3f s virtual, "
      "trace %016llx\n",
      static_cast<unsigned long long>(options.seed), options.replicas,
      static_cast<unsigned long long>(outcome.blocks),
      static_cast<unsigned long long>(outcome.transactions),
      static_cast<unsigned long long>(outcome.events),
      static_cast<unsigned long long>(outcome.view),
      static_cast<double>(outcome.virtual_time.count()) / 1e9,
      static_cast<unsigned long long>(outcome.trace_hash));
  std::printf("  at most %zu bytes in one replica, the bound is %zu\n", outcome.memory_max,
              outcome.memory_bound);
  if (!outcome.violation) return 0;
  print_failure(options, *outcome.violation);
  print_culprits(outcome);
  return 1;
}

// A canary must be caught by its own invariant, in one of a few seeds at the latest. It is the one
// fault besides crashes and the network's.
int run_canary(const Arguments& arguments) {
  for (const CanaryCase& candidate : kCanaries) {
    const char* invariant =
        arguments.campaign.pow ? candidate.invariant_of_work : candidate.invariant;
    if (arguments.canary != candidate.name || invariant == nullptr) continue;
    const std::uint64_t first = arguments.campaign.first;
    for (std::uint64_t seed = first; seed < first + 10; ++seed) {
      Options options = options_of(seed, arguments.campaign);
      options.canary = candidate.canary;
      options.byzantine = false;
      const Outcome outcome = run_named(options);
      if (!outcome.violation) continue;
      std::printf("canary %s, seed %llu: %s: %s\n", candidate.name,
                  static_cast<unsigned long long>(seed), outcome.violation->invariant.c_str(),
                  outcome.violation->detail.c_str());
      print_culprits(outcome);
      const bool named = candidate.canary != Canary::collusion || outcome.culprits_explain_a_fork;
      if (!named) std::printf("FAILED: the wire log does not name who did it\n");
      return outcome.violation->invariant == invariant && named ? 0 : 1;
    }
    std::printf("FAILED: canary %s was not caught\n", candidate.name);
    return 1;
  }
  std::printf("no canary of that name; there are:");
  for (const CanaryCase& candidate : kCanaries) std::printf(" %s", candidate.name);
  std::printf("\n");
  return 2;
}

int usage() {
  std::printf(
      "sim_seeds [--small | --pow] --seeds COUNT [--first SEED] [--jobs COUNT] [--blocks COUNT] "
      "[--n REPLICAS] [--twice] [--no-coverage]\n"
      "sim_seeds --soak MINUTES [--first SEED] [--jobs COUNT]\n"
      "sim_seeds [--small | --pow] --seed SEED [--n REPLICAS] [--blocks COUNT] [--real] [--trace]\n"
      "sim_seeds [--pow] --canary NAME\n");
  return 2;
}

std::optional<std::uint64_t> number(const char* text) {
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text, &end, 10);
  if (end == text || *end != 0) return std::nullopt;
  return value;
}

bool parse_flag(const std::string& name, Campaign& out) {
  if (name == "--no-coverage") {
    out.coverage = false;
  } else if (name == "--small") {
    out.small = true;
  } else if (name == "--pow") {
    out.pow = true;
  } else if (name == "--trace") {
    out.trace = true;
  } else if (name == "--real") {
    out.real = true;
  } else if (name == "--twice") {
    out.twice = true;
  } else {
    return false;
  }
  return true;
}

bool parse_number(const std::string& name, std::uint64_t value, Arguments& out) {
  if (name == "--seeds") {
    out.campaign.seeds = value;
  } else if (name == "--soak") {
    out.campaign.minutes = value;
  } else if (name == "--first") {
    out.campaign.first = value;
  } else if (name == "--seed") {
    out.seed = value;
  } else if (name == "--blocks") {
    out.campaign.blocks = value;
  } else if (name == "--jobs") {
    out.campaign.jobs = static_cast<unsigned>(value);
  } else if (name == "--n") {
    out.campaign.replicas = static_cast<std::uint32_t>(value);
  } else {
    return false;
  }
  return true;
}

bool parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (parse_flag(name, out.campaign)) continue;
    if (i + 1 == argc) return false;
    const char* value = argv[++i];
    if (name == "--canary") {
      out.canary = value;
      continue;
    }
    const auto parsed = number(value);
    if (!parsed || !parse_number(name, *parsed, out)) return false;
  }
  const auto& replicas = out.campaign.replicas;
  return (!replicas || (*replicas >= 4 && *replicas <= 100)) && out.campaign.jobs > 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) return usage();
  std::signal(SIGABRT, name_the_run);
  if (!arguments.canary.empty()) return run_canary(arguments);
  if (arguments.seed) return run_one(arguments);
  if (arguments.campaign.seeds > 0 || arguments.campaign.minutes > 0) {
    return run_campaign(arguments.campaign);
  }
  return usage();
}
