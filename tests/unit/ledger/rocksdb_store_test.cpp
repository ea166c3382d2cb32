#include "ledger/rocksdb/rocksdb_store.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger/audit.hpp"
#include "ledger/memory_store.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/ledger/fixture.hpp"

namespace quorate::ledger {
namespace {

using namespace test;
namespace fs = std::filesystem;

constexpr int kReportFd = 3;
constexpr const char* kFolderVariable = "QUORATE_TEST_FOLDER";
constexpr const char* kChildTest = "child that executes until killed";

std::unique_ptr<RocksdbStore> opened(const fs::path& folder) {
  auto store = RocksdbStore::open(folder);
  INFO((store ? "" : store.error().detail));
  REQUIRE(store.has_value());
  return std::move(*store);
}

// Block `height` of an endless chain in which anna pays ben and a new account each time.
OrderedBlock endless(const Digest& chain, std::uint64_t height) {
  return ordered(Height(height),
                 {transaction(chain, "anna", height,
                              {Transfer{address("ben"), 1},
                               Transfer{address("new " + std::to_string(height % 50)), 1}}),
                  transfer(chain, "ben", height, "anna", 1)});
}

}  // namespace

TEST_CASE("RocksDB keeps what was written and gives it back in order") {
  TemporaryFolder folder;
  {
    auto store = opened(folder.path());
    WriteBatch batch;
    for (const std::uint8_t second : Bytes{3, 1, 2}) {
      batch.put(Family::index, {7, second}, {second});
    }
    batch.put(Family::index, {8, 0}, {});
    batch.put(Family::state, {7, 9}, {1});
    REQUIRE(store->write(batch, true));
    WriteBatch erase;
    erase.puts.push_back({Family::index, {7, 2}, std::nullopt});
    REQUIRE(store->write(erase, false));
  }
  auto store = opened(folder.path());
  CHECK(*store->get(Family::index, Bytes{7, 3}) == Bytes{3});
  CHECK(store->get(Family::index, Bytes{8, 0})->empty());
  CHECK(store->get(Family::index, Bytes{7, 2}).error().code == Errc::not_found);
  CHECK(store->get(Family::blocks, Bytes{7, 9}).error().code == Errc::not_found);
  std::vector<Bytes> keys;
  const auto collect = [&keys](ByteView key, ByteView) {
    keys.push_back(to_bytes(key));
    return true;
  };
  REQUIRE(store->scan(Family::index, Bytes{7}, {}, collect));
  CHECK(keys == std::vector<Bytes>{{7, 1}, {7, 3}});
  keys.clear();
  REQUIRE(store->scan(Family::index, {}, Bytes{7, 2}, collect));
  CHECK(keys == std::vector<Bytes>{{7, 3}, {8, 0}});
}

TEST_CASE("a folder in use is refused with what to do") {
  TemporaryFolder folder;
  const auto first = opened(folder.path());
  const auto second = RocksdbStore::open(folder.path());
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == Errc::unavailable);
  CHECK(second.error().detail.find("in use") != std::string::npos);
}

TEST_CASE("a missing database can be refused instead of created") {
  TemporaryFolder folder;
  const auto store = RocksdbStore::open(folder.path() / "db", RocksdbStore::Missing::refuse);
  REQUIRE_FALSE(store.has_value());
  CHECK(store.error().code == Errc::not_found);
  CHECK_FALSE(fs::exists(folder.path() / "db"));
  opened(folder.path() / "db");
  CHECK(RocksdbStore::open(folder.path() / "db", RocksdbStore::Missing::refuse).has_value());
}

TEST_CASE("a damaged database is corrupt, not silently shorter") {
  TemporaryFolder folder;
  const Genesis genesis = small_genesis();
  {
    auto store = opened(folder.path());
    auto chain = *Chain::open(*store, genesis);
    for (std::uint64_t height = 1; height <= 20; ++height) {
      REQUIRE(chain->execute({endless(chain->chain_id(), height)}));
    }
  }
  // The write-ahead log that holds the blocks, cut in the middle of its synced part by a bit flip.
  fs::path log;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    if (entry.path().extension() == ".log" && fs::file_size(entry.path()) > 0) log = entry.path();
  }
  REQUIRE_FALSE(log.empty());
  {
    std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(log) / 2));
    file.put('\x5a').put('\x5a').put('\x5a').put('\x5a');
  }
  const auto store = RocksdbStore::open(folder.path());
  REQUIRE_FALSE(store.has_value());
  CHECK(store.error().code == Errc::corrupt);
}

TEST_CASE("a chain in RocksDB has the same blocks as one in memory") {
  TemporaryFolder folder;
  const Genesis genesis = small_genesis();
  auto store = opened(folder.path());
  MemoryStore memory;
  auto on_disk = *Chain::open(*store, genesis);
  auto in_memory = *Chain::open(memory, genesis);
  for (std::uint64_t height = 1; height <= 60; ++height) {
    REQUIRE(on_disk->execute({endless(on_disk->chain_id(), height)}));
    REQUIRE(in_memory->execute({endless(on_disk->chain_id(), height)}));
  }
  CHECK(on_disk->head().block_hash == in_memory->head().block_hash);
  const crypto::Ed25519Verifier verifier;
  const auto disk_report = audit(*store, genesis, verifier, {trust_fixture, {}});
  REQUIRE(disk_report.has_value());
  CHECK(disk_report->state_root ==
        audit(memory, genesis, verifier, {trust_fixture, {}})->state_root);
  CHECK(disk_report->total_balance == 1500);
  on_disk.reset();
  store.reset();
  const auto again = opened(folder.path());
  CHECK((*Chain::open(*again, genesis))->state()->root() == in_memory->state()->root());
}

// Not a test of its own: the child of the next one. No file of this process may grow further.
TEST_CASE("child that opens a database on a full disk", "[.]") {
  const char* folder = std::getenv(kFolderVariable);
  REQUIRE(folder != nullptr);
  REQUIRE(std::signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
  const rlimit none{64, 64};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &none) == 0);
  const auto store = RocksdbStore::open(folder);
  REQUIRE_FALSE(store.has_value());
  CHECK(store.error().code == Errc::io);
}

TEST_CASE("opening a database on a full disk is an error, not the end of the process") {
  TemporaryFolder folder;
  {
    const auto store = opened(folder.path());
    REQUIRE((*Chain::open(*store, small_genesis()))->execute({}).has_value());
  }
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    setenv(kFolderVariable, folder.path().c_str(), 1);
    execl("/proc/self/exe", "child", "child that opens a database on a full disk", nullptr);
    _exit(127);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(opened(folder.path()) != nullptr);
}

// Not a test of its own: the child of the next one. Executes blocks, one or three in a batch, and
// reports each height once it is durable, until it is killed.
TEST_CASE("child that executes until killed", "[.]") {
  const char* folder = std::getenv(kFolderVariable);
  REQUIRE(folder != nullptr);
  const Genesis genesis = small_genesis();
  const auto store = opened(folder);
  const auto chain = Chain::open(*store, genesis);
  REQUIRE(chain.has_value());
  for (;;) {
    const std::uint64_t head = (*chain)->head().height.value();
    std::vector<OrderedBlock> blocks;
    for (std::uint64_t i = 1; i <= (head % 2 == 0 ? 1U : 3U); ++i) {
      blocks.push_back(endless((*chain)->chain_id(), head + i));
    }
    REQUIRE((*chain)->execute(std::move(blocks)));
    const std::uint64_t done = (*chain)->head().height.value();
    REQUIRE(write(kReportFd, &done, sizeof(done)) == sizeof(done));
    const Header header = *(*chain)->header(Height(done));
    REQUIRE((*chain)->store_seals(Height(done), seals_of(genesis, header, {0, 1, 3})));
  }
}

TEST_CASE("a chain opens and audits after kill -9 at any point") {
  TemporaryFolder folder;
  const Genesis genesis = small_genesis();
  const crypto::Ed25519Verifier verifier;
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < 6; ++round) {
    int pipe_ends[2];
    REQUIRE(pipe(pipe_ends) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      // A fresh program image: RocksDB's threads do not survive a fork.
      dup2(pipe_ends[1], kReportFd);
      setenv(kFolderVariable, folder.path().c_str(), 1);
      execl("/proc/self/exe", "child", kChildTest, nullptr);
      _exit(127);
    }
    close(pipe_ends[1]);
    std::uint64_t done = 0;
    for (int i = 0; i < 5 + round * 7; ++i) {
      REQUIRE(read(pipe_ends[0], &done, sizeof(done)) == sizeof(done));
      acknowledged = done;
    }
    REQUIRE(kill(child, SIGKILL) == 0);
    while (read(pipe_ends[0], &done, sizeof(done)) == sizeof(done)) acknowledged = done;
    close(pipe_ends[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    const auto store = opened(folder.path());
    const auto chain = Chain::open(*store, genesis);
    REQUIRE(chain.has_value());
    CHECK((*chain)->head().height.value() >= acknowledged);
    const auto report = audit(*store, genesis, verifier, {trust_fixture, {}});
    INFO((report ? "" : report.error().detail));
    REQUIRE(report.has_value());
    CHECK(report->total_balance == 1500);
    CHECK(report->head == (*chain)->head().height);
  }
}

}  // namespace quorate::ledger
