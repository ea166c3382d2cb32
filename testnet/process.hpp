// Node processes that outlive this program: started in their own session, found again by pid and
// start time, so that a pid that the system has given to somebody else is never signalled.
// Not thread-safe (fork); signals race with nobody because they go through a pidfd.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.hpp"

namespace quorate::testnet {

struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  // field 22 of /proc/<pid>/stat, in ticks since boot
  bool operator==(const ProcessId&) const = default;
};

enum class RunState : std::uint8_t { dead, alive, paused };

struct ProcessSample {
  RunState state = RunState::dead;
  std::uint64_t start_time = 0;
  std::uint64_t cpu_ticks = 0;  // user and system time of all its threads
};

// What /proc says about a pid; nothing when there is no such process. A zombie counts as dead.
std::optional<ProcessSample> sample_process(pid_t pid);
// The same from the text of /proc/<pid>/stat. The program's name in it may hold blanks and
// brackets.
std::optional<ProcessSample> parse_stat(const std::string& text);

// Starts `command` detached, with its output appended to `log`, and writes `pid_file`.
// Error io, also when the program cannot be executed.
Result<ProcessId> spawn_detached(const std::vector<std::string>& command,
                                 const std::filesystem::path& log,
                                 const std::filesystem::path& pid_file);

// What a pid file says, whether that process still runs or not.
std::optional<ProcessId> read_pid_file(const std::filesystem::path& pid_file);
// The process that a pid file names, if it still runs (or is paused).
std::optional<ProcessId> find_process(const std::filesystem::path& pid_file);
RunState state_of(const std::optional<ProcessId>& process);

// Sends `signal` if the process is still the same one. False when it has gone.
Result<bool> send_signal(const ProcessId& process, int signal);
// True when the process ended within `timeout`, with all its threads: what it held is free again.
Result<bool> wait_for_end(const ProcessId& process, std::chrono::milliseconds timeout);
// "exit status 74" or "signal 9 (Killed)" of a process that this program started and that has
// ended; nothing while it runs or when it is not our child.
std::optional<std::string> reap(const ProcessId& process);

}  // namespace quorate::testnet
