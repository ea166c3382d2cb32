#include "node/runtime/log_writer.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "tests/unit/node/net_fixture.hpp"
#include "tests/unit/node/vote_log_fixture.hpp"

namespace quorate::node {
namespace {

namespace fs = std::filesystem;

using test::text;
using test::vote;
using Disk = test::VoteDisk;

TEST_CASE("The log writer answers in order, and what it answered for is on the disk") {
  Disk disk;
  test::MemoryLog log;
  test::Watched<std::vector<std::uint64_t>> answers;
  {
    LogWriter writer(
        disk.open().store,
        [&](consensus::PersistToken token) {
          answers.update([&](auto& all) { all.push_back(token.value()); });
        },
        log);
    for (std::uint64_t i = 1; i <= 500; ++i) {
      writer.append(consensus::PersistToken(i), text("vote " + std::to_string(i)), i == 250);
    }
    REQUIRE(answers.wait([](const auto& all) { return !all.empty() && all.back() == 500; }));
    const auto statistics = writer.statistics();
    CHECK(statistics.records == 500);
    CHECK(statistics.sync.count <= 500);
  }
  const auto answered = answers.get();
  CHECK(std::is_sorted(answered.begin(), answered.end()));
  const auto opened = disk.open();
  REQUIRE(opened.records.size() >= 251);
  CHECK(opened.records.front() == text("vote 250"));
  CHECK(opened.records.back() == text("vote 500"));
  CHECK(read_validator_state(disk.paths.validator_state_file).value()->last_index ==
        opened.store->last_index());
}

TEST_CASE("An observer's log answers and leaves the files alone") {
  test::MemoryLog log;
  test::Watched<std::vector<std::uint64_t>> answers;
  LogWriter writer(
      nullptr,
      [&](consensus::PersistToken token) {
        answers.update([&](auto& all) { all.push_back(token.value()); });
      },
      log);
  writer.append(consensus::PersistToken(1), text("x"), false);
  CHECK(answers.wait([](const auto& all) { return all.size() == 1; }));
}

// Whether a child that runs `work` ends with status 74. It may not return.
bool ends_with_74(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    std::_Exit(2);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 74;
}

// A disk that takes no more: the child may write 4 KiB to a file and not one byte beyond.
TEST_CASE("A failed write ends the process with status 74 and answers nothing") {
  Disk disk;
  disk.append({{vote("a")}});
  CHECK(ends_with_74([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    test::MemoryLog log;
    auto opened = VoteLogStore::open(disk.paths, disk.chain, disk.key);
    LogWriter writer(
        std::move(opened->store), [](consensus::PersistToken) { std::_Exit(1); }, log);
    writer.append(consensus::PersistToken(1), Bytes(10'000, 1), false);
    writer.stop();
  }));
  // What the failed write left is a torn end.
  CHECK(disk.open().records == std::vector<Bytes>{text("a")});
}

TEST_CASE("A sync that fails once ends the process, although the next would succeed") {
  Disk disk;
  disk.append({{vote("a")}});
  const bool snapshot = GENERATE(false, true);
  CHECK(ends_with_74([&] {
    bool armed = false;
    disk.paths.files.fault = [&armed](FileStep step) {
      return step == FileStep::sync && std::exchange(armed, false) ? EIO : 0;
    };
    test::MemoryLog log;
    auto opened = VoteLogStore::open(disk.paths, disk.chain, disk.key);
    armed = true;
    LogWriter writer(
        std::move(opened->store), [](consensus::PersistToken) { std::_Exit(1); }, log);
    writer.append(consensus::PersistToken(1), text("b"), snapshot);
    writer.stop();
  }));
}

TEST_CASE("A validator state that cannot be written ends the process too") {
  Disk disk;
  disk.append({{vote("a")}});
  CHECK(ends_with_74([&] {
    test::MemoryLog log;
    auto opened = VoteLogStore::open(disk.paths, disk.chain, disk.key);
    LogWriter writer(
        std::move(opened->store), [](consensus::PersistToken) {}, log);
    // Its folder is gone, which no permission can keep the superuser from noticing.
    fs::remove(disk.paths.validator_state_file);
    fs::create_directory(disk.paths.validator_state_file);
    writer.append(consensus::PersistToken(1), text("b"), true);
    writer.stop();
  }));
}

}  // namespace
}  // namespace quorate::node
