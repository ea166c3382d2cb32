#include "testnet/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

// Debian 12's header does not declare its functions as C functions.
extern "C" {
#include <sys/pidfd.h>
}

namespace quorate::testnet {

namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

Error system_error(const std::string& what) {
  return Error{Errc::io, what + ": " + std::strerror(errno)};
}

// A pidfd of exactly this process, or nothing when it has gone. After the descriptor is open the
// pid cannot be given to another process unnoticed, so the start time is compared then. A process
// whose first thread has ended counts as dead, although others may still hold its ports.
std::optional<int> open_process(const ProcessId& process, bool dead_too) {
  const int fd = ::pidfd_open(process.pid, 0);
  if (fd < 0) return std::nullopt;
  const auto sample = sample_process(process.pid);
  if (!sample || sample->start_time != process.start_time ||
      (sample->state == RunState::dead && !dead_too)) {
    ::close(fd);
    return std::nullopt;
  }
  return fd;
}

// In the child: own session, the log as output, and the program. Reports errno through `report`
// when the program cannot be executed; only async-signal-safe calls between fork and exec.
[[noreturn]] void become(const std::vector<char*>& arguments, int log, int null, int report) {
  ::setsid();
  ::dup2(null, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(arguments.front(), arguments.data());
  const int error = errno;
  if (::write(report, &error, sizeof(error)) < 0) ::_exit(126);
  ::_exit(127);
}

Result<void> write_pid_file(const std::filesystem::path& path, const ProcessId& process) {
  const auto temporary = path.string() + ".tmp";
  {
    std::ofstream out(temporary, std::ios::trunc);
    out << process.pid << ' ' << process.start_time << '\n';
    out.close();
    if (!out) return tl::unexpected(system_error("cannot write " + temporary));
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return tl::unexpected(system_error("cannot write " + path.string()));
  }
  return {};
}

}  // namespace

std::optional<ProcessSample> parse_stat(const std::string& text) {
  // pid (comm) state ppid ...; comm may hold anything, so the fields count from the last ')'.
  const auto close = text.rfind(')');
  if (close == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(close + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  constexpr std::size_t kState = 0, kUserTime = 11, kSystemTime = 12, kStartTime = 19;
  if (fields.size() <= kStartTime) return std::nullopt;
  ProcessSample sample;
  const char state = fields[kState].front();
  sample.state = state == 'Z' || state == 'X'   ? RunState::dead
                 : state == 'T' || state == 't' ? RunState::paused
                                                : RunState::alive;
  std::istringstream numbers(fields[kUserTime] + ' ' + fields[kSystemTime] + ' ' +
                             fields[kStartTime]);
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  if (!(numbers >> user >> system >> sample.start_time)) return std::nullopt;
  sample.cpu_ticks = user + system;
  return sample;
}

std::optional<ProcessSample> sample_process(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!in || !std::getline(in, text)) return std::nullopt;
  return parse_stat(text);
}

Result<ProcessId> spawn_detached(const std::vector<std::string>& command,
                                 const std::filesystem::path& log,
                                 const std::filesystem::path& pid_file) {
  const Fd output(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (output.get() < 0) return tl::unexpected(system_error("cannot open " + log.string()));
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  int ends[2];
  if (null.get() < 0 || ::pipe2(ends, O_CLOEXEC) != 0) {
    return tl::unexpected(system_error("cannot start a process"));
  }
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);

  std::vector<std::string> copy = command;
  std::vector<char*> arguments;
  for (auto& argument : copy) arguments.push_back(argument.data());
  arguments.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid < 0) return tl::unexpected(system_error("cannot start a process"));
  if (pid == 0) become(arguments, output.get(), null.get(), write_end.get());
  write_end.reset();
  int error = 0;
  if (::read(read_end.get(), &error, sizeof(error)) == sizeof(error)) {
    ::waitpid(pid, nullptr, 0);
    return fail(Errc::io, "cannot run " + command.front() + ": " + std::strerror(error));
  }
  // The pipe closed without a word: the program runs (or has already ended, which reap() tells).
  const auto sample = sample_process(pid);
  const ProcessId process{pid, sample ? sample->start_time : 0};
  QUORATE_CHECK(write_pid_file(pid_file, process));
  return process;
}

std::optional<ProcessId> read_pid_file(const std::filesystem::path& pid_file) {
  std::ifstream in(pid_file);
  ProcessId process;
  if (!(in >> process.pid >> process.start_time) || process.pid <= 0) return std::nullopt;
  return process;
}

std::optional<ProcessId> find_process(const std::filesystem::path& pid_file) {
  const auto process = read_pid_file(pid_file);
  return state_of(process) == RunState::dead ? std::nullopt : process;
}

RunState state_of(const std::optional<ProcessId>& process) {
  if (!process) return RunState::dead;
  const auto sample = sample_process(process->pid);
  if (!sample || sample->start_time != process->start_time) return RunState::dead;
  return sample->state;
}

Result<bool> send_signal(const ProcessId& process, int signal) {
  const auto opened = open_process(process, false);
  if (!opened) return false;
  const Fd fd(*opened);
  if (::pidfd_send_signal(fd.get(), signal, nullptr, 0) == 0) return true;
  if (errno == ESRCH) return false;
  if (errno == EPERM) {
    return fail(Errc::permission, "not allowed to signal process " + std::to_string(process.pid) +
                                      "; it was started by another user");
  }
  return tl::unexpected(system_error("cannot signal process " + std::to_string(process.pid)));
}

Result<bool> wait_for_end(const ProcessId& process, std::chrono::milliseconds timeout) {
  const auto opened = open_process(process, true);
  if (!opened) return true;
  const Fd fd(*opened);
  pollfd waiting{fd.get(), POLLIN, 0};
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) {
      return tl::unexpected(system_error("cannot wait for process " + std::to_string(process.pid)));
    }
  }
}

std::optional<std::string> reap(const ProcessId& process) {
  int status = 0;
  if (::waitpid(process.pid, &status, WNOHANG) != process.pid) return std::nullopt;
  if (WIFEXITED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

}  // namespace quorate::testnet
