// Runs many seeds of the simulator, a few at a time, and says for a failure how to see it again.
//   sim_seeds --seeds 500 --first 1 --jobs 2     many seeds; fails if a fault class never fired
//   sim_seeds --seed 17 --n 4 --trace            one seed, every event
//   sim_seeds --canary early_persisted           must find the invariant that the canary breaks
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "tests/sim/options.hpp"

namespace {

using namespace quorate::sim;  // the program is about nothing else

struct Arguments {
  std::uint64_t seeds = 0;
  std::uint64_t first = 1;
  std::optional<std::uint64_t> seed;
  std::optional<std::uint32_t> replicas;
  std::uint64_t blocks = 110;
  unsigned jobs = 1;
  bool small = false;
  bool trace = false;
  bool real = false;
  bool twice = false;
  bool coverage = true;
  std::string canary;
};

struct CanaryCase {
  const char* name;
  Canary canary;
  const char* invariant;
};
constexpr CanaryCase kCanaries[] = {
    {"early_persisted", Canary::early_persisted, "I3"},
    {"other_payload", Canary::other_payload, "I1"},
    {"second_vote", Canary::second_vote, "I2"},
    {"minted_money", Canary::minted_money, "I4"},
    {"unasked", Canary::unasked, "I4"},
    {"forged_seal", Canary::forged_seal, "I5"},
    {"hoarder", Canary::hoarder, "I8"},
    {"other_replay", Canary::other_replay, "I7"},
    {"forgotten_votes", Canary::forgotten_votes, "I10"},
    {"deaf_replica", Canary::deaf_replica, "heal"},
};

// The seeds that the threads are at, for the handler of SIGABRT: an assertion must name its seed.
thread_local char current_run[160];

extern "C" void on_abort(int) {
  const char intro[] = "\nassertion failed in ";
  static_cast<void>(!write(STDERR_FILENO, intro, sizeof(intro) - 1));
  static_cast<void>(!write(STDERR_FILENO, current_run, std::strlen(current_run)));
  static_cast<void>(!write(STDERR_FILENO, "\n", 1));
}

Options options_of(std::uint64_t seed, const Arguments& arguments) {
  Options out = arguments.small ? usual_small_options(seed) : usual_options(seed);
  out.replicas = arguments.replicas.value_or(out.replicas);
  out.blocks = arguments.blocks;
  out.real_signatures = out.real_signatures || arguments.real;
  out.trace = arguments.trace;
  return out;
}

std::string command_of(const Options& options) {
  std::string out = "build/tests/sim_seeds --seed " + std::to_string(options.seed) + " --n " +
                    std::to_string(options.replicas);
  out += options.small_scope ? " --small" : " --blocks " + std::to_string(options.blocks);
  if (options.real_signatures && options.seed % 100 != 50) out += " --real";
  return out + " --trace";
}

Outcome run_named(const Options& options) {
  std::snprintf(current_run, sizeof(current_run), "seed %llu, n %u; see it again: %s",
                static_cast<unsigned long long>(options.seed), options.replicas,
                command_of(options).c_str());
  return run(options);
}

void print_failure(const Options& options, const Violation& violation) {
  std::printf("FAILED seed %llu, n %u: %s: %s\n  see it again: %s\n",
              static_cast<unsigned long long>(options.seed), options.replicas,
              violation.invariant.c_str(), violation.detail.c_str(), command_of(options).c_str());
}

int run_one(const Arguments& arguments) {
  const Options options = options_of(*arguments.seed, arguments);
  const Outcome outcome = run_named(options);
  std::printf(
      "seed %llu, n %u: %llu blocks, %llu transactions, %llu events, %.3f s virtual, trace "
      "%016llx\n",
      static_cast<unsigned long long>(options.seed), options.replicas,
      static_cast<unsigned long long>(outcome.blocks),
      static_cast<unsigned long long>(outcome.transactions),
      static_cast<unsigned long long>(outcome.events),
      static_cast<double>(outcome.virtual_time.count()) / 1e9,
      static_cast<unsigned long long>(outcome.trace_hash));
  std::printf("  at most %zu bytes in one replica, the bound is %zu\n", outcome.memory_max,
              outcome.memory_bound);
  if (!outcome.violation) return 0;
  print_failure(options, *outcome.violation);
  return 1;
}

class ManySeeds {
 public:
  explicit ManySeeds(const Arguments& arguments) : arguments_(arguments) {}

  int run_all() {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < arguments_.jobs; ++i) threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    return report();
  }

 private:
  void work() {
    while (failures_ == 0 || arguments_.seeds < 20) {
      const std::uint64_t index = next_++;
      if (index >= arguments_.seeds) return;
      const Options options = options_of(arguments_.first + index, arguments_);
      const Outcome outcome = run_named(options);
      // A tenth of the seeds runs again: the same trace to the last byte, or it is no replay.
      const bool again = arguments_.twice || options.seed % 10 == 3;
      const bool same = !again || run_named(options).trace_hash == outcome.trace_hash;
      add(options, outcome, same);
    }
  }

  void add(const Options& options, const Outcome& outcome, bool same) {
    const std::lock_guard<std::mutex> lock(mutex_);
    coverage_.add(outcome.coverage);
    blocks_ += outcome.blocks;
    transactions_ += outcome.transactions;
    events_ += outcome.events;
    ++done_;
    if (outcome.violation) {
      ++failures_;
      print_failure(options, *outcome.violation);
    } else if (!options.small_scope && outcome.blocks < options.blocks) {
      ++failures_;
      print_failure(options, {"blocks", "too few"});
    } else if (!same) {
      ++failures_;
      print_failure(options, {"replay", "a second run took another course"});
    }
    if (done_ % 100 == 0) {
      std::printf("%llu of %llu seeds\n", static_cast<unsigned long long>(done_),
                  static_cast<unsigned long long>(arguments_.seeds));
      std::fflush(stdout);
    }
  }

  int report() {
    std::printf("%llu seeds, %llu blocks, %llu transactions, %llu events\n",
                static_cast<unsigned long long>(done_), static_cast<unsigned long long>(blocks_),
                static_cast<unsigned long long>(transactions_),
                static_cast<unsigned long long>(events_));
    bool all_fired = true;
    for (std::size_t i = 0; i < kHappenedCount; ++i) {
      const auto what = static_cast<Happened>(i);
      std::printf("  %-24s %llu\n", std::string(to_string(what)).c_str(),
                  static_cast<unsigned long long>(coverage_[what]));
      all_fired = all_fired && coverage_[what] != 0;
    }
    if (failures_ != 0) {
      std::printf("%llu seeds FAILED\n", static_cast<unsigned long long>(failures_.load()));
      return 1;
    }
    if (!all_fired && arguments_.coverage) {
      std::printf("FAILED: what is counted 0 above never happened, so nothing was tested by it\n");
      return 1;
    }
    return 0;
  }

  const Arguments& arguments_;
  std::atomic<std::uint64_t> next_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::mutex mutex_;
  std::uint64_t done_ = 0, blocks_ = 0, transactions_ = 0, events_ = 0;
  Coverage coverage_;
};

// A canary must be caught by its own invariant, in one of a few seeds at the latest.
int run_canary(const Arguments& arguments) {
  for (const CanaryCase& candidate : kCanaries) {
    if (arguments.canary != candidate.name) continue;
    for (std::uint64_t seed = arguments.first; seed < arguments.first + 10; ++seed) {
      Options options = options_of(seed, arguments);
      options.canary = candidate.canary;
      const Outcome outcome = run_named(options);
      if (!outcome.violation) continue;
      std::printf("canary %s, seed %llu: %s: %s\n", candidate.name,
                  static_cast<unsigned long long>(seed), outcome.violation->invariant.c_str(),
                  outcome.violation->detail.c_str());
      return outcome.violation->invariant == candidate.invariant ? 0 : 1;
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
      "sim_seeds --seeds COUNT [--first SEED] [--jobs COUNT] [--blocks COUNT] [--n REPLICAS] "
      "[--twice] [--no-coverage]\n"
      "sim_seeds --seed SEED [--n REPLICAS] [--blocks COUNT] [--real] [--trace]\n"
      "sim_seeds --canary NAME\n");
  return 2;
}

std::optional<std::uint64_t> number(const char* text) {
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text, &end, 10);
  if (end == text || *end != 0) return std::nullopt;
  return value;
}

bool parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--no-coverage") {
      out.coverage = false;
      continue;
    }
    if (name == "--small") {
      out.small = true;
      continue;
    }
    if (name == "--trace" || name == "--real" || name == "--twice") {
      (name == "--trace" ? out.trace : name == "--real" ? out.real : out.twice) = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const char* value = argv[++i];
    if (name == "--canary") {
      out.canary = value;
      continue;
    }
    const auto parsed = number(value);
    if (!parsed) return false;
    if (name == "--seeds")
      out.seeds = *parsed;
    else if (name == "--first")
      out.first = *parsed;
    else if (name == "--seed")
      out.seed = *parsed;
    else if (name == "--blocks")
      out.blocks = *parsed;
    else if (name == "--jobs")
      out.jobs = static_cast<unsigned>(*parsed);
    else if (name == "--n")
      out.replicas = static_cast<std::uint32_t>(*parsed);
    else
      return false;
  }
  const bool size_fits = !out.replicas || (*out.replicas >= 4 && *out.replicas <= 100);
  return size_fits && out.jobs > 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) return usage();
  std::signal(SIGABRT, on_abort);
  if (!arguments.canary.empty()) return run_canary(arguments);
  if (arguments.seed) return run_one(arguments);
  if (arguments.seeds > 0) return ManySeeds(arguments).run_all();
  return usage();
}
