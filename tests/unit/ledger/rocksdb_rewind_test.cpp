#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include <sys/wait.h>
#include <unistd.h>

#include "ledger/rocksdb/rocksdb_snapshots.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/ledger/branches.hpp"

namespace quorate::ledger {
namespace {

using namespace test;
namespace fs = std::filesystem;

constexpr int kReportFd = 3;
constexpr const char* kFolderVariable = "QUORATE_TEST_FOLDER";

// A chain in FOLDER/db with its snapshots in FOLDER/snapshots.
struct OnDisk {
  explicit OnDisk(const fs::path& folder) {
    auto opened = RocksdbStore::open(folder / "db");
    INFO((opened ? "" : opened.error().detail));
    REQUIRE(opened.has_value());
    store = std::move(*opened);
    snapshots = std::make_unique<RocksdbSnapshots>(*store, folder / "snapshots");
    auto chained = Chain::open(*store, genesis, {.snapshots = snapshots.get()});
    INFO((chained ? "" : chained.error().detail));
    REQUIRE(chained.has_value());
    chain = std::move(*chained);
  }
  Genesis genesis = small_genesis();
  std::unique_ptr<RocksdbStore> store;
  std::unique_ptr<RocksdbSnapshots> snapshots;
  std::unique_ptr<Chain> chain;
};

// The payloads that a chain holds.
std::vector<OrderedBlock> stored_branch(const Chain& chain) {
  std::vector<OrderedBlock> out;
  for (Height height(1); height <= chain.head().height; height = height.next()) {
    const StoredBlock stored = *chain.block(height);
    out.push_back(ordered(height, *decode_committed_payload(chain.chain_id(), stored.payload)));
    REQUIRE(out.back().payload_id == stored.header.payload_id);
  }
  return out;
}

std::uint64_t file_links(const fs::path& folder) {
  std::uint64_t shared = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".sst") shared += fs::hard_link_count(entry) > 1 ? 1U : 0U;
  }
  return shared;
}

}  // namespace

TEST_CASE("RocksDB snapshots are whole databases made of hard links, and keep their state") {
  TemporaryFolder folder;
  OnDisk disk(folder.path());
  std::mt19937_64 random(3);
  std::vector<OrderedBlock> branch;
  grow(*disk.chain, branch, 64, random);
  const Digest root = disk.chain->state()->root();
  REQUIRE(disk.snapshots->list().value() == std::vector<Height>{Height(64)});
  CHECK(file_links(folder.path() / "snapshots" / "64") > 0);
  grow(*disk.chain, branch, 20, random);
  auto opened = disk.snapshots->open(Height(64));
  INFO((opened ? "" : opened.error().detail));
  REQUIRE(opened.has_value());
  const auto chain = Chain::open(**opened, disk.genesis);
  REQUIRE(chain.has_value());
  CHECK((*chain)->head().height == Height(64));
  CHECK((*chain)->state()->root() == root);
  // It is for reading.
  WriteBatch batch;
  batch.put(Family::index, {1}, {1});
  CHECK_FALSE((*opened)->write(batch, true).has_value());
}

TEST_CASE("a chain in RocksDB goes back to any height, also after it was closed") {
  TemporaryFolder folder;
  std::mt19937_64 random(4);
  std::vector<OrderedBlock> branch;
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> heights_and_sources = {
      {326, 320}, {300, 256}, {256, 256}, {200, 128}, {10, 0}};
  {
    OnDisk disk(folder.path());
    grow(*disk.chain, branch, 330, random);
  }
  for (const auto& [height, source] : heights_and_sources) {
    OnDisk disk(folder.path());
    const auto rewound = disk.chain->rewind(Height(height));
    INFO((rewound ? "" : rewound.error().detail));
    REQUIRE(rewound.has_value());
    CHECK(rewound->executed_from == Height(source));
    CHECK(rewound->withdrawn.size() == branch.size() - height);
    branch.resize(height);
    check_is_replay(*disk.chain, *disk.store, branch);
    const std::vector<Height> left = disk.snapshots->list().value();
    CHECK((left.empty() || left.back() <= Height(height)));
  }
  OnDisk disk(folder.path());
  grow(*disk.chain, branch, 130, random);
  check_is_replay(*disk.chain, *disk.store, branch);
  CHECK(disk.snapshots->list().value() == std::vector<Height>{Height(64), Height(128)});
}

TEST_CASE("a damaged snapshot on the disk costs time, not the chain") {
  TemporaryFolder folder;
  std::mt19937_64 random(5);
  std::vector<OrderedBlock> branch;
  {
    OnDisk disk(folder.path());
    grow(*disk.chain, branch, 140, random);
  }
  const fs::path newest = folder.path() / "snapshots" / "128";
  const std::string damage = GENERATE("a table is missing", "no CURRENT", "a file instead");
  INFO(damage);
  if (damage == "a table is missing") {
    for (const auto& entry : fs::directory_iterator(newest)) {
      if (entry.path().extension() == ".sst") fs::remove(entry.path());
    }
  } else if (damage == "no CURRENT") {
    fs::remove(newest / "CURRENT");
  } else {
    fs::remove_all(newest);
    std::ofstream(newest) << "not a database";
  }
  OnDisk disk(folder.path());
  const auto rewound = disk.chain->rewind(Height(130));
  REQUIRE(rewound.has_value());
  CHECK(rewound->executed_from == Height(64));
  branch.resize(130);
  check_is_replay(*disk.chain, *disk.store, branch);
}

TEST_CASE("what a crash left of a snapshot is cleaned up with the next one") {
  TemporaryFolder folder;
  const fs::path snapshots = folder.path() / "snapshots";
  fs::create_directories(snapshots / "64.tmp");
  fs::create_directories(snapshots / "9.removed" / "deeper");
  std::ofstream(snapshots / "64.tmp" / "000007.sst") << "half";
  OnDisk disk(folder.path());
  CHECK(disk.snapshots->list()->empty());
  std::mt19937_64 random(6);
  std::vector<OrderedBlock> branch;
  grow(*disk.chain, branch, 64, random);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(snapshots)) {
    names.push_back(entry.path().filename().string());
  }
  CHECK(names == std::vector<std::string>{"64"});
}

// Not a test of its own: the child of the next one. Grows, goes back and grows again, and reports
// each step before and after it, until it is killed.
TEST_CASE("child that goes back and forth until killed", "[.]") {
  const char* folder = std::getenv(kFolderVariable);
  REQUIRE(folder != nullptr);
  OnDisk disk(folder);
  std::mt19937_64 random(static_cast<std::uint64_t>(getpid()));
  const auto report = [](char step, std::uint64_t height) {
    const std::array<std::uint64_t, 2> message = {static_cast<std::uint64_t>(step), height};
    REQUIRE(write(kReportFd, message.data(), sizeof(message)) == sizeof(message));
  };
  for (std::vector<OrderedBlock> branch;;) {
    const std::uint64_t head = disk.chain->head().height.value();
    if (random() % 3 != 0 || head < 20) {
      grow(*disk.chain, branch, 1 + random() % 30, random);
      report('g', disk.chain->head().height.value());
    } else {
      const std::uint64_t to = head - random() % std::min<std::uint64_t>(head, 90);
      report('<', to);
      REQUIRE(disk.chain->rewind(Height(to)));
      report('>', to);
    }
  }
}

TEST_CASE("a chain that goes back opens whole after kill -9 at any point") {
  TemporaryFolder folder;
  std::size_t killed_in_rewind = 0;
  for (int round = 0; round < 8; ++round) {
    int pipe_ends[2];
    REQUIRE(pipe(pipe_ends) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      dup2(pipe_ends[1], kReportFd);
      setenv(kFolderVariable, folder.path().c_str(), 1);
      execl("/proc/self/exe", "child", "child that goes back and forth until killed", nullptr);
      _exit(127);
    }
    close(pipe_ends[1]);
    std::array<std::uint64_t, 2> message{};
    std::uint64_t stood_at = 0;  // before the step that was reported last
    const auto next = [&] {
      if (message[0] != '<') stood_at = message[1];
      return read(pipe_ends[0], message.data(), sizeof(message)) == sizeof(message);
    };
    // Every second one dies in the middle of a rewind, the others anywhere.
    for (int steps = 0; steps < 8 + round; ++steps) REQUIRE(next());
    while (round % 2 == 0 && message[0] != '<') REQUIRE(next());
    usleep(static_cast<useconds_t>(400 * round));
    REQUIRE(kill(child, SIGKILL) == 0);
    while (next()) {
    }
    close(pipe_ends[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    killed_in_rewind += message[0] == '<' ? 1U : 0U;

    OnDisk disk(folder.path());
    const std::uint64_t head = disk.chain->head().height.value();
    // What was reported as durable stays; a rewind under way has happened or has not.
    if (message[0] == '<') {
      CHECK((head == message[1] || head == stood_at));
    } else {
      CHECK(head >= message[1]);
    }
    check_is_replay(*disk.chain, *disk.store, stored_branch(*disk.chain));
  }
  CHECK(killed_in_rewind >= 1);
}

}  // namespace quorate::ledger
