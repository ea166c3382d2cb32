// The program `sim_scenarios`: the acceptance scenarios by id, over the real replica in the
// simulator.
//   sim_scenarios                          all of them, at every size
//   sim_scenarios --theme recovery         those of one theme
//   sim_scenarios --id S08 --n 7           one; --case 12 repeats one case of it, --trace shows
//   events sim_scenarios --full                   at the length that the acceptance matrix asks for
//   sim_scenarios --soak 60                for an hour: all at full length, then new random cases
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>

#include <unistd.h>

#include "tests/scenarios/scenario.hpp"

namespace {

using namespace quorate::scenarios;  // the program is about nothing else
using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string id;
  std::string theme;
  std::optional<std::uint64_t> replicas;
  std::optional<std::uint64_t> number;
  std::uint64_t jobs = 1;
  std::uint64_t soak_minutes = 0;
  bool full = false;
  bool trace = false;
  bool list = false;
};

// One scenario at one size.
struct Task {
  const Scenario* scenario;
  std::uint32_t replicas;
  std::uint64_t first = 0;
  std::uint64_t end = 0;  // of its cases
};

struct Result {
  std::uint64_t cases = 0;
  std::uint64_t blocks = 0;
  std::uint64_t views = 0;
  std::string failure;
};

// What the thread is at, for the handler of SIGABRT: an assertion must name its case.
thread_local char current_case[160];

extern "C" void on_abort(int) {
  const char intro[] = "\nassertion failed in ";
  static_cast<void>(!write(STDERR_FILENO, intro, sizeof(intro) - 1));
  static_cast<void>(!write(STDERR_FILENO, current_case, std::strlen(current_case)));
  static_cast<void>(!write(STDERR_FILENO, "\n", 1));
}

std::string command_of(const Task& task, std::uint64_t number, bool full) {
  std::string out = std::string("build/tests/sim_scenarios --id ") + task.scenario->id + " --n " +
                    std::to_string(task.replicas);
  if (task.scenario->cases > 1) out += " --case " + std::to_string(number);
  return out + (full ? " --full" : "") + " --trace";
}

// True while there are more cases and nothing failed.
bool play_case(const Task& task, std::uint64_t number, const Arguments& arguments, Result& result) {
  const std::string command = command_of(task, number, arguments.full);
  std::snprintf(current_case, sizeof(current_case), "%s", command.c_str());
  Stage stage(
      {task.replicas, task.scenario->seed(number), number, arguments.full, arguments.trace});
  task.scenario->play(stage);
  if (stage.violation()) {
    result.failure = stage.violation()->invariant + ": " + stage.violation()->detail +
                     "\n  see it again: " + command;
    return false;
  }
  if (stage.exhausted()) return false;
  ++result.cases;
  result.blocks += stage.height().value();
  result.views += stage.entered().size();
  return true;
}

class Program {
 public:
  explicit Program(const Arguments& arguments)
      : arguments_(arguments), themes_(themes()), begun_(Clock::now()) {}

  int run() {
    collect();
    if (tasks_.empty()) {
      std::printf("no such scenario; sim_scenarios --list shows all\n");
      return 2;
    }
    if (arguments_.list) return list();
    work_off();
    if (arguments_.soak_minutes > 0) soak();
    std::printf("%llu scenarios passed, %llu failed: %llu cases, %llu blocks, %llu views entered\n",
                static_cast<unsigned long long>(passed_), static_cast<unsigned long long>(failed_),
                static_cast<unsigned long long>(cases_), static_cast<unsigned long long>(blocks_),
                static_cast<unsigned long long>(views_));
    return failed_ == 0 ? 0 : 1;
  }

 private:
  void collect() {
    for (const Theme& theme : themes_) {
      if (!arguments_.theme.empty() && arguments_.theme != theme.name) continue;
      for (const Scenario& scenario : theme.scenarios) {
        if (!arguments_.id.empty() && arguments_.id != scenario.id) continue;
        add_tasks(scenario);
      }
    }
  }

  void add_tasks(const Scenario& scenario) {
    std::vector<std::uint32_t> sizes = scenario.sizes;
    if (arguments_.replicas) sizes = {static_cast<std::uint32_t>(*arguments_.replicas)};
    for (const std::uint32_t size : sizes) {
      Task task{&scenario, size, 0, scenario.cases};
      if (arguments_.number) task = {&scenario, size, *arguments_.number, *arguments_.number + 1};
      tasks_.push_back(task);
    }
  }

  int list() const {
    const Scenario* last = nullptr;
    for (const Task& task : tasks_) {
      if (task.scenario == last) continue;
      last = task.scenario;
      std::printf("%s  n =", last->id);
      for (const std::uint32_t size : last->sizes) std::printf(" %u", size);
      std::printf("  %s\n", last->title);
    }
    return 0;
  }

  void work_off() {
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < arguments_.jobs; ++i) {
      threads.emplace_back([this] {
        for (std::size_t next = next_++; next < tasks_.size(); next = next_++) {
          perform(tasks_[next]);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  // New random cases of the scenarios that never run out of them, a few at a time, in turn.
  void soak() {
    std::vector<Task> endless;
    for (Task& task : tasks_) {
      if (task.scenario->endless) endless.push_back(task);
    }
    const auto end = begun_ + std::chrono::minutes(arguments_.soak_minutes);
    while (!endless.empty() && failed_ == 0 && Clock::now() < end) {
      for (Task& task : endless) {
        task.first = task.end;
        task.end += task.scenario->cases;
      }
      tasks_ = endless;
      next_ = 0;
      work_off();
    }
  }

  void perform(const Task& task) {
    const auto begun = Clock::now();
    Result result;
    for (std::uint64_t number = task.first; number < task.end; ++number) {
      if (!play_case(task, number, arguments_, result)) break;
    }
    if (result.cases == 0 && result.failure.empty()) result.failure = "there is no such case";
    const double took = std::chrono::duration<double>(Clock::now() - begun).count();
    const std::lock_guard<std::mutex> lock(mutex_);
    cases_ += result.cases;
    blocks_ += result.blocks;
    views_ += result.views;
    ++(result.failure.empty() ? passed_ : failed_);
    std::printf("%s  n=%-2u  %s  %llu case%s, %llu blocks, %llu views, %.2f s  %s\n",
                task.scenario->id, task.replicas, result.failure.empty() ? "passed" : "FAILED",
                static_cast<unsigned long long>(result.cases), result.cases == 1 ? "" : "s",
                static_cast<unsigned long long>(result.blocks),
                static_cast<unsigned long long>(result.views), took, task.scenario->title);
    if (!result.failure.empty()) std::printf("  %s\n", result.failure.c_str());
    std::fflush(stdout);
  }

  const Arguments& arguments_;
  const std::vector<Theme> themes_;
  const Clock::time_point begun_;
  std::vector<Task> tasks_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::uint64_t passed_ = 0, failed_ = 0, cases_ = 0, blocks_ = 0, views_ = 0;
};

int usage() {
  std::printf(
      "sim_scenarios [--theme NAME | --id ID [--n REPLICAS] [--case NUMBER] [--trace]] [--full] "
      "[--jobs COUNT]\n"
      "sim_scenarios --list\n"
      "sim_scenarios --soak MINUTES [--jobs COUNT]\n");
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
    if (name == "--full" || name == "--trace" || name == "--list") {
      (name == "--full" ? out.full : name == "--trace" ? out.trace : out.list) = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const char* value = argv[++i];
    if (name == "--id" || name == "--theme") {
      (name == "--id" ? out.id : out.theme) = value;
      continue;
    }
    const auto parsed = number(value);
    if (!parsed) return false;
    if (name == "--n")
      out.replicas = *parsed;
    else if (name == "--case")
      out.number = *parsed;
    else if (name == "--jobs")
      out.jobs = *parsed;
    else if (name == "--soak")
      out.soak_minutes = *parsed;
    else
      return false;
  }
  if (out.soak_minutes > 0) out.full = true;
  const bool size_fits = !out.replicas || (*out.replicas >= 4 && *out.replicas <= 100);
  return size_fits && out.jobs > 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) return usage();
  std::signal(SIGABRT, on_abort);
  return Program(arguments).run();
}
