#include "tests/sim/campaign.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

#include <unistd.h>

namespace quorate::sim {
namespace {

using WallClock = std::chrono::steady_clock;

// In a soak one run in so many is a long one: about half of the time.
constexpr std::uint64_t kLongOneIn = 80;
// Of the long runs of a soak every tenth is this long.
constexpr std::uint64_t kSoakBlocks = 2'000;
constexpr std::uint64_t kFailuresMax = 20;

thread_local char current_run[160];

double seconds_of_this_thread() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::string command_of(const Options& options) {
  std::string out = "build/tests/sim_seeds --seed " + std::to_string(options.seed) + " --n " +
                    std::to_string(options.replicas);
  out += options.small_scope ? " --small" : " --blocks " + std::to_string(options.blocks);
  if (options.pow) out += " --pow";
  if (options.real_signatures && options.seed % 100 != 50) out += " --real";
  return out + " --trace";
}

// What long runs of proof of work are about.
bool expected_of_work(Happened what) {
  if (what >= Happened::mined) return true;
  switch (what) {
    case Happened::delay:
    case Happened::loss:
    case Happened::duplication:
    case Happened::reorder:
    case Happened::partition:
    case Happened::slow_disk:
    case Happened::crash:
    case Happened::blackout:
    case Happened::crash_before_sync:
    case Happened::crash_after_sync:
    case Happened::crash_in_broadcast:
    case Happened::crash_in_execution:
    case Happened::crash_after_execution:
    case Happened::restart:
    case Happened::unsynced_votes_lost:
    case Happened::bad_transaction:
    case Happened::real_signatures:
    case Happened::asymmetric_cut:
    case Happened::clock_wrong:
    case Happened::torn_tail: return true;
    default: return false;
  }
}

// What small-scope scenarios are about.
bool expected(Happened what, const Campaign& campaign) {
  if (campaign.pow) return expected_of_work(what);
  if (what >= Happened::mined) return false;
  if (!campaign.small) return true;
  switch (what) {
    case Happened::crash:
    case Happened::restart:
    case Happened::catch_up:
    case Happened::checkpoint:
    case Happened::view_change:
    case Happened::view_kept_proposals:
    case Happened::heights_in_flight:
    case Happened::real_signatures:
    case Happened::twins:
    case Happened::evidence:
    case Happened::refused_frame:
    case Happened::equivocation:
    case Happened::withheld:
    case Happened::forged_view_change:
    case Happened::forged_new_view:
    case Happened::checkpoint_lie:
    case Happened::mutation: return true;
    default: return false;
  }
}

unsigned long long print(std::uint64_t value) { return value; }

// Of one kind of run.
struct Tally {
  std::uint64_t runs = 0, blocks = 0, transactions = 0, events = 0, views = 0;
  double seconds = 0;  // of computing
  Coverage coverage;

  void add(const Outcome& outcome, double took) {
    ++runs;
    blocks += outcome.blocks;
    transactions += outcome.transactions;
    events += outcome.events;
    views += outcome.view;
    seconds += took;
    coverage.add(outcome.coverage);
  }
  void report(const char* kind) const {
    if (runs == 0) return;
    std::printf(
        "%llu %s, %llu blocks, %llu transactions, %llu events, %llu views, %llu crashes, %llu "
        "Byzantine actions\n  %.1f s of computing, %.0f of them per core-hour\n",
        print(runs), kind, print(blocks), print(transactions), print(events), print(views),
        print(coverage[Happened::crash]), print(coverage[Happened::byzantine_action]), seconds,
        static_cast<double>(runs) * 3600 / std::max(seconds, 1e-3));
  }
};

class Runner {
 public:
  explicit Runner(const Campaign& campaign)
      : campaign_(campaign), until_(WallClock::now() + std::chrono::minutes(campaign.minutes)) {}

  int run() {
    if (soak()) {
      std::printf("soak from seed %llu on for %llu minutes\n", print(campaign_.first),
                  print(campaign_.minutes));
    }
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < campaign_.jobs; ++i) threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    return report();
  }

 private:
  bool soak() const { return campaign_.minutes > 0; }
  bool over(std::uint64_t index) const {
    if (failures_ >= (soak() ? kFailuresMax : 1)) return true;
    return soak() ? WallClock::now() >= until_ : index >= campaign_.seeds;
  }

  // The run with this number. A soak mixes both kinds.
  Options options(std::uint64_t index) const {
    if (!soak()) return options_of(campaign_.first + index, campaign_);
    Campaign one = campaign_;
    one.small = index % kLongOneIn != 0;
    const std::uint64_t seed = campaign_.first + (one.small ? index : index / kLongOneIn);
    if (!one.small && seed % 10 == 9) one.blocks = kSoakBlocks;
    return options_of(seed, one);
  }

  void work() {
    for (std::uint64_t index = next_++; !over(index); index = next_++) {
      const Options one = options(index);
      const double began = seconds_of_this_thread();
      const Outcome outcome = run_named(one);
      const double took = seconds_of_this_thread() - began;
      // A tenth of the seeds runs again: the same trace to the last byte, or it is no replay.
      const bool again = campaign_.twice || one.seed % 10 == 3;
      const bool same = !again || run_named(one).trace_hash == outcome.trace_hash;
      add(one, outcome, took, same);
    }
  }

  void add(const Options& one, const Outcome& outcome, double took, bool same) {
    const std::lock_guard<std::mutex> lock(mutex_);
    (one.small_scope ? small_ : long_).add(outcome, took);
    if (outcome.violation) {
      fail(one, *outcome.violation);
    } else if (!one.small_scope && outcome.blocks < one.blocks) {
      fail(one, {"blocks", "too few"});
    } else if (!same) {
      fail(one, {"replay", "a second run took another course"});
    }
    const std::uint64_t done = small_.runs + long_.runs;
    const std::uint64_t step = campaign_.small || soak() ? 5'000 : 100;
    if (done % step != 0) return;
    if (soak()) {
      std::printf("%llu scenarios, %llu seeds\n", print(small_.runs), print(long_.runs));
    } else {
      std::printf("%llu of %llu\n", print(done), print(campaign_.seeds));
    }
    std::fflush(stdout);
  }

  void fail(const Options& one, const Violation& violation) {
    ++failures_;
    print_failure(one, violation);
    std::fflush(stdout);
  }

  int report() {
    long_.report("seeds");
    small_.report("small-scope scenarios");
    Coverage all = long_.coverage;
    all.add(small_.coverage);
    bool all_fired = true;
    for (std::size_t i = 0; i < kHappenedCount; ++i) {
      const auto what = static_cast<Happened>(i);
      std::printf("  %-24s %llu\n", std::string(to_string(what)).c_str(), print(all[what]));
      all_fired = all_fired && (!expected(what, campaign_) || all[what] != 0);
    }
    if (failures_ != 0) {
      std::printf("%llu runs FAILED\n", print(failures_));
      return 1;
    }
    if (!all_fired && campaign_.coverage && !soak()) {
      std::printf("FAILED: what is counted 0 above never happened, so nothing was tested by it\n");
      return 1;
    }
    return 0;
  }

  const Campaign& campaign_;
  const WallClock::time_point until_;
  std::atomic<std::uint64_t> next_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::mutex mutex_;
  Tally long_;
  Tally small_;
};

}  // namespace

extern "C" void name_the_run(int) {
  const char intro[] = "\nassertion failed in ";
  static_cast<void>(!write(STDERR_FILENO, intro, sizeof(intro) - 1));
  static_cast<void>(!write(STDERR_FILENO, current_run, std::strlen(current_run)));
  static_cast<void>(!write(STDERR_FILENO, "\n", 1));
}

Options options_of(std::uint64_t seed, const Campaign& campaign) {
  Options out = campaign.pow     ? usual_pow_options(seed)
                : campaign.small ? usual_small_options(seed)
                                 : usual_options(seed);
  out.replicas = campaign.replicas.value_or(out.replicas);
  out.blocks = campaign.blocks;
  out.real_signatures = out.real_signatures || campaign.real;
  out.trace = campaign.trace;
  return out;
}

Outcome run_named(const Options& options) {
  std::snprintf(current_run, sizeof(current_run), "seed %llu, n %u; see it again: %s",
                print(options.seed), options.replicas, command_of(options).c_str());
  return sim::run(options);
}

void print_failure(const Options& options, const Violation& violation) {
  std::printf("FAILED seed %llu, n %u: %s: %s\n  see it again: %s\n", print(options.seed),
              options.replicas, violation.invariant.c_str(), violation.detail.c_str(),
              command_of(options).c_str());
}

void print_culprits(const Outcome& outcome) {
  if (outcome.culprits.empty()) return;
  std::printf(
      "  by their signatures on the wire guilty of equivocation or of hiding a vote: replica");
  for (const std::uint32_t replica : outcome.culprits) std::printf(" %u", replica);
  std::printf("\n");
}

int run_campaign(const Campaign& campaign) { return Runner(campaign).run(); }

}  // namespace quorate::sim
