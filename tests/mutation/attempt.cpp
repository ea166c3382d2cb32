#include "tests/mutation/attempt.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/base/assert.hpp"

namespace quorate::mutation {
namespace {

constexpr int kPassed = 0;
constexpr int kViolated = 1;
constexpr int kBoundless = 2;
constexpr rlim_t kSecondsMax = 60;  // of computing, not of waiting for a processor
constexpr rlim_t kBytesMax = rlim_t{2} << 30U;

// In the child. Everything it has to say goes to the pipe, what the runtime prints while aborting
// included.
[[noreturn]] void live(Mutant mutant, const Trial& trial, bool trace, int out) {
  const rlimit processor{kSecondsMax, kSecondsMax + 1};
  const rlimit core{0, 0};
  setrlimit(RLIMIT_CPU, &processor);
  setrlimit(RLIMIT_CORE, &core);
#ifndef __SANITIZE_ADDRESS__  // which reserves terabytes of addresses
  const rlimit memory{kBytesMax, kBytesMax};
  setrlimit(RLIMIT_AS, &memory);
#endif
  std::set_new_handler([] { _exit(kBoundless); });
  dup2(out, STDERR_FILENO);
  selected = mutant;
  const auto violation = perform(trial, trace);
  std::fflush(stdout);
  if (!violation) _exit(kPassed);
  const std::string text = violation->invariant + "\n" + violation->detail;
  const bool written = write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  _exit(written ? kViolated : kBoundless + 1);
}

std::string read_all(int in) {
  std::string out;
  char buffer[4096];
  for (ssize_t count = 0; (count = read(in, buffer, sizeof(buffer))) != 0;) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    out.append(buffer, static_cast<std::size_t>(count));
  }
  return out;
}

struct Child {
  pid_t process;
  int said;
};

// One at a time, or a child of another thread would keep this one's pipe open.
Child start(Mutant mutant, const Trial& trial, bool trace) {
  static std::mutex one_at_a_time;
  const std::lock_guard<std::mutex> lock(one_at_a_time);
  int ends[2];
  QUORATE_ASSERT(pipe(ends) == 0);
  std::fflush(stdout);  // or the child would print it again
  const pid_t process = fork();
  QUORATE_ASSERT(process >= 0);
  if (process == 0) live(mutant, trial, trace, ends[1]);
  close(ends[1]);
  return {process, ends[0]};
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

std::optional<sim::Violation> attempt(Mutant mutant, const Trial& trial, bool trace) {
  const Child child = start(mutant, trial, trace);
  const std::string said = read_all(child.said);
  close(child.said);
  int status = 0;
  while (waitpid(child.process, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kPassed) return std::nullopt;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kViolated) {
    const std::string invariant = first_line(said);
    return sim::Violation{invariant, said.substr(invariant.size() + 1)};
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == kBoundless) {
    return sim::Violation{"I8", "a run of two gigabytes has no bound"};
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
    return sim::Violation{"assertion", first_line(said)};
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
    return sim::Violation{"endless", "no end after a minute of computing"};
  }
  return sim::Violation{"crash", "wait status " + std::to_string(status) + ": " + first_line(said)};
}

}  // namespace quorate::mutation
