#include "testnet/process.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "tests/support/temporary_folder.hpp"

namespace quorate::testnet {

TEST_CASE("a program name with blanks and brackets does not shift the fields of stat") {
  const auto sample = parse_stat(
      "42 (a) R (b c) T 1 42 42 0 -1 4194304 90 0 0 0 17 5 0 0 20 0 1 0 777 2703360 200 1");
  REQUIRE(sample.has_value());
  CHECK(sample->state == RunState::paused);
  CHECK(sample->cpu_ticks == 22);
  CHECK(sample->start_time == 777);
  CHECK_FALSE(parse_stat("42 (short) R 1 2").has_value());
  CHECK_FALSE(parse_stat("").has_value());
}

TEST_CASE("a zombie counts as dead") {
  const auto sample =
      parse_stat("42 (x) Z 1 42 42 0 -1 4194304 90 0 0 0 17 5 0 0 20 0 1 0 777 2703360 200 1");
  REQUIRE(sample.has_value());
  CHECK(sample->state == RunState::dead);
}

TEST_CASE("a detached process is found by its pid file, paused, and killed") {
  const TemporaryFolder folder;
  const auto pid_file = folder.path() / "node.pid";
  const auto started = spawn_detached({"/bin/sleep", "60"}, folder.path() / "node.log", pid_file);
  REQUIRE(started.has_value());
  CHECK(find_process(pid_file) == *started);
  CHECK(state_of(*started) == RunState::alive);
  CHECK_FALSE(reap(*started).has_value());

  REQUIRE(send_signal(*started, SIGKILL).value_or(false));
  CHECK(wait_for_end(*started, std::chrono::seconds(10)).value_or(false));
  CHECK(reap(*started).value_or("") == "signal 9 (Killed)");
  CHECK_FALSE(find_process(pid_file).has_value());
}

TEST_CASE("a pid that belongs to another process by now is never signalled") {
  const TemporaryFolder folder;
  const auto started =
      spawn_detached({"/bin/sleep", "60"}, folder.path() / "node.log", folder.path() / "node.pid");
  REQUIRE(started.has_value());
  // The same pid with another start time: what a pid file of an earlier process would hold.
  const ProcessId stale{started->pid, started->start_time + 1};
  std::ofstream(folder.path() / "stale.pid") << stale.pid << ' ' << stale.start_time << '\n';
  CHECK_FALSE(find_process(folder.path() / "stale.pid").has_value());
  CHECK_FALSE(send_signal(stale, SIGKILL).value_or(true));
  CHECK(state_of(*started) == RunState::alive);

  REQUIRE(send_signal(*started, SIGKILL).value_or(false));
  CHECK(wait_for_end(*started, std::chrono::seconds(10)).value_or(false));
  CHECK(reap(*started).has_value());
}

TEST_CASE("a program that cannot be executed is an error, not a process") {
  const TemporaryFolder folder;
  const auto started = spawn_detached({"/nonexistent/program"}, folder.path() / "node.log",
                                      folder.path() / "node.pid");
  REQUIRE_FALSE(started.has_value());
  CHECK(started.error().code == Errc::io);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "node.pid"));
}

TEST_CASE("how a process ended is told by its exit status, and its output is in the log") {
  const TemporaryFolder folder;
  const auto log = folder.path() / "node.log";
  const auto started =
      spawn_detached({"/bin/sh", "-c", "echo cannot go on; exit 74"}, log, folder.path() / "pid");
  REQUIRE(started.has_value());
  CHECK(wait_for_end(*started, std::chrono::seconds(10)).value_or(false));
  CHECK(reap(*started).value_or("") == "exit status 74");
  std::ifstream in(log);
  std::string line;
  std::getline(in, line);
  CHECK(line == "cannot go on");
}

}  // namespace quorate::testnet
