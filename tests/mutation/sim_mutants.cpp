// Plants one bug at a time and demands that the simulator finds it:
//   sim_mutants                      every bug: the trial that is known to kill it, then others
//   sim_mutants --only NAME          one bug
//   sim_mutants --known              only bugs that have a known trial: what the tests run
//   sim_mutants --search             without the known trials, as if the bugs were new
//   sim_mutants --only NAME --trial "seed 17" --trace    one trial, every event
// Killed: a check of the simulator fails, and the same trial passes without the bug.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

#include "tests/mutation/attempt.hpp"

namespace {

using namespace quorate;  // the program is about nothing else
using namespace quorate::mutation;

struct Entry {
  Mutant mutant;
  const char* name;
  const char* trial;
  const char* source;
  const char* bug;
};

constexpr Entry kCatalogue[] = {
#define MUTANT(name, trial, source, bug) {Mutant::name, #name, trial, source, bug},
#include "tests/mutation/catalogue.inc"
#undef MUTANT
};

struct Arguments {
  std::set<std::string> only;
  std::optional<Trial> trial;
  std::uint64_t seeds = 60;
  unsigned jobs = 1;
  bool search = false;
  bool known = false;
  bool list = false;
  bool trace = false;
};

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Finding {
  const Entry* entry = nullptr;
  std::optional<Trial> trial;  // that killed it; none = it survived
  sim::Violation violation;
  std::optional<sim::Violation> without;  // what the same trial says without the bug
  std::uint64_t tried = 0;
  double seconds = 0;

  bool killed() const { return trial && !without; }
};

std::vector<Trial> trials_for(const Entry& entry, const Arguments& arguments) {
  if (arguments.trial) return {*arguments.trial};
  std::vector<Trial> out;
  // The catalogue is ours: the self-check at the start has parsed every trial in it.
  if (!arguments.search && *entry.trial != '\0') out.push_back(*parse_trial(entry.trial));
  for (const Trial& trial : usual_trials(arguments.seeds)) {
    if (std::find(out.begin(), out.end(), trial) == out.end()) out.push_back(trial);
  }
  return out;
}

Finding hunt(const Entry& entry, const Arguments& arguments) {
  Finding out;
  out.entry = &entry;
  const auto begin = Clock::now();
  for (const Trial& trial : trials_for(entry, arguments)) {
    ++out.tried;
    const auto violation = attempt(entry.mutant, trial, arguments.trace);
    if (!violation) continue;
    out.trial = trial;
    out.violation = *violation;
    break;
  }
  out.seconds = seconds_since(begin);
  if (out.trial) out.without = attempt(Mutant::none, *out.trial);
  return out;
}

void print(const Finding& finding) {
  const Entry& entry = *finding.entry;
  if (!finding.trial) {
    std::printf("SURVIVED  %-34s in %llu trials, %.1f s: %s\n", entry.name,
                static_cast<unsigned long long>(finding.tried), finding.seconds, entry.bug);
  } else if (finding.without) {
    std::printf("UNPROVED  %-34s %s fails without the bug too: %s: %s\n", entry.name,
                to_string(*finding.trial).c_str(), finding.without->invariant.c_str(),
                finding.without->detail.c_str());
  } else {
    std::printf("killed    %-34s %-9s %-12s %5.1f s %4llu tried  %s\n", entry.name,
                finding.violation.invariant.c_str(), to_string(*finding.trial).c_str(),
                finding.seconds, static_cast<unsigned long long>(finding.tried),
                finding.violation.detail.c_str());
  }
  std::fflush(stdout);
}

int report(std::vector<Finding> findings, double seconds) {
  std::sort(findings.begin(), findings.end(),
            [](const Finding& a, const Finding& b) { return a.seconds < b.seconds; });
  std::map<std::string, std::size_t> by_check;
  std::size_t killed = 0;
  for (const Finding& finding : findings) {
    if (!finding.killed()) continue;
    ++killed;
    ++by_check[finding.violation.invariant];
  }
  std::printf(
      "\nmutation score: %zu of %zu killed in %.0f s, each after %.1f s (median), %.1f s at most\n",
      killed, findings.size(), seconds, findings[findings.size() / 2].seconds,
      findings.back().seconds);
  std::printf("by check:");
  for (const auto& [check, count] : by_check) std::printf(" %s %zu", check.c_str(), count);
  std::printf("\n");
  for (const Finding& finding : findings) {
    if (!finding.killed()) print(finding);
  }
  return killed == findings.size() ? 0 : 1;
}

int hunt_all(const std::vector<const Entry*>& entries, const Arguments& arguments) {
  const auto begin = Clock::now();
  std::vector<Finding> findings(entries.size());
  std::atomic<std::size_t> next{0};
  std::mutex printing;
  const auto work = [&] {
    for (std::size_t i = next++; i < entries.size(); i = next++) {
      findings[i] = hunt(*entries[i], arguments);
      const std::lock_guard<std::mutex> lock(printing);
      print(findings[i]);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < arguments.jobs; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  return report(std::move(findings), seconds_since(begin));
}

int list() {
  for (const Entry& entry : kCatalogue) {
    std::printf("%-34s %-14s %s (%s)\n", entry.name, entry.trial, entry.bug, entry.source);
  }
  std::printf("%zu bugs\n", std::size(kCatalogue));
  return 0;
}

[[noreturn]] void usage(const std::string& problem) {
  std::fprintf(stderr,
               "%s\nusage: sim_mutants [--list] [--only NAME]... [--known] [--search] [--seeds N] "
               "[--jobs N] "
               "[--trial \"seed 17\"] [--trace]\n",
               problem.c_str());
  std::exit(2);
}

Trial trial_of(const std::string& text) {
  auto trial = parse_trial(text);
  if (!trial) usage(trial.error().detail);
  return *trial;
}

std::uint64_t number_of(const std::string& text) {
  char* end = nullptr;
  const std::uint64_t out = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || out == 0) usage("'" + text + "' is not a positive number");
  return out;
}

Arguments parse(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 == argc) usage(word + " needs a value");
      return argv[++i];
    };
    if (word == "--list")
      out.list = true;
    else if (word == "--known")
      out.known = true;
    else if (word == "--search")
      out.search = true;
    else if (word == "--trace")
      out.trace = true;
    else if (word == "--only")
      out.only.insert(value());
    else if (word == "--trial")
      out.trial = trial_of(value());
    else if (word == "--seeds")
      out.seeds = number_of(value());
    else if (word == "--jobs")
      out.jobs = static_cast<unsigned>(number_of(value()));
    else
      usage("unknown option " + word);
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments = parse(argc, argv);
  if (arguments.list) return list();
  std::vector<const Entry*> entries;
  const bool all = arguments.only.empty();
  for (const Entry& entry : kCatalogue) {
    const bool known = *entry.trial != '\0';
    if (known) trial_of(entry.trial);
    if (!known && arguments.known) {
      std::printf("open      %-34s no trial is known to kill it: %s\n", entry.name, entry.bug);
    } else if (all || arguments.only.erase(entry.name) != 0) {
      entries.push_back(&entry);
    }
  }
  if (!arguments.only.empty()) usage("no bug is called " + *arguments.only.begin());
  return hunt_all(entries, arguments);
}
