#include <catch2/catch.hpp>

#include "crypto/hash.hpp"
#include "tests/unit/node/vote_log_fixture.hpp"

namespace quorate::node {
namespace {

namespace fs = std::filesystem;
using test::text;
using test::vote;
using Disk = test::VoteDisk;

VoteLogEntry snapshot(std::string_view words) { return {text(words), true}; }
constexpr std::size_t kMarkSize = 25 + 64;  // a record without a body

TEST_CASE("What was appended comes back in order, and nothing else") {
  Disk disk;
  CHECK(disk.open().records.empty());
  disk.append({{vote("a"), vote("b")}, {vote("")}});
  disk.append({{vote("d")}});
  const auto opened = disk.open();
  CHECK(opened.records == std::vector<Bytes>{text("a"), text("b"), text(""), text("d")});
  CHECK(opened.torn_bytes == 0);
  CHECK(opened.observer_reason.empty());
}

TEST_CASE("A snapshot replaces everything before it") {
  Disk disk;
  disk.append({{vote("a")}, {vote("b"), snapshot("S"), vote("c")}, {vote("d")}});
  CHECK(disk.open().records == std::vector<Bytes>{text("S"), text("c"), text("d")});
  disk.append({{snapshot("T")}});
  CHECK(disk.open().records == std::vector<Bytes>{text("T")});
  disk.file();  // one file is left
}

TEST_CASE("A leftover of an unfinished snapshot is ignored and removed") {
  Disk disk;
  disk.append({{vote("a")}});
  disk.write(disk.paths.votes_dir / "votes-000000000002.log.tmp", text("half a fi"));
  CHECK(disk.open().records == std::vector<Bytes>{text("a")});
  disk.file();
}

// What a crash can leave: the last group, which no sync has covered, up to any byte.
TEST_CASE("A torn last group is cut off at every byte, and the log goes on") {
  Disk disk;
  disk.append({{vote("a")}});
  const Bytes before = disk.read(disk.file());
  disk.append({{vote("bb"), vote("ccc")}});
  const Bytes after = disk.read(disk.file());
  const Bytes state = disk.read(disk.paths.validator_state_file);
  for (std::size_t size = before.size(); size < after.size() - kMarkSize; ++size) {
    disk.write(disk.file(), ByteView(after).first(size));
    disk.write(disk.paths.validator_state_file, state);
    {
      const auto opened = disk.open();
      REQUIRE(opened.store);
      REQUIRE(opened.records.front() == text("a"));
      REQUIRE(opened.records.size() <= 2);
      if (size % 5 != 0) continue;
      REQUIRE(opened.store->append_group({vote("again")}).has_value());
    }
    const auto reopened = disk.open();
    REQUIRE(reopened.records.back() == text("again"));
    REQUIRE(reopened.torn_bytes == 0);
  }
}

// A client's memo and signature can spell out a record; only the salt of the file is out of reach.
TEST_CASE(
    "A record forged within a torn body is no amnesia, the file's own salt would make it one") {
  Disk disk;
  disk.append({{vote("a")}});
  const Bytes before = disk.read(disk.file());
  const VoteLogHeader header = decode_vote_log_header(before).value();
  CHECK(header.salt != VoteLogSalt());
  const auto open_with = [&](const VoteLogSalt& salt) {
    Digest running;
    Bytes forged;
    append_vote_record(forged, salt, VoteRecordKind::vote, (std::uint64_t{1} << 60U) + 1,
                       std::uint64_t{1} << 60U, {}, running);
    Bytes body = text("transaction ");
    body.insert(body.end(), forged.begin(), forged.end());
    body.insert(body.end(), 100, 7);
    Bytes torn = before;
    Digest chained = scan_vote_log(before).value().running;
    append_vote_record(torn, header.salt, VoteRecordKind::vote, 4, 3, body, chained);
    torn.resize(torn.size() - 80);
    disk.write(disk.file(), torn);
    return disk.open();
  };
  for (const VoteLogSalt& guess : {VoteLogSalt(), VoteLogSalt{{9}}}) {
    const auto opened = open_with(guess);
    REQUIRE(opened.store);
    CHECK(opened.records == std::vector<Bytes>{text("a")});
    CHECK(opened.torn_bytes > 0);
    CHECK(disk.read(disk.file()) == before);
  }
  CHECK(open_with(header.salt).observer_reason.find("is damaged") != std::string::npos);
}

TEST_CASE("Every file of the vote log has a salt of its own and keeps it over a restart") {
  Disk disk;
  const auto salt = [&] { return decode_vote_log_header(disk.read(disk.file())).value().salt; };
  disk.append({{vote("a")}});
  const VoteLogSalt first = salt();
  disk.append({{vote("b")}});
  CHECK(salt() == first);
  disk.append({{snapshot("S")}, {vote("c")}});
  CHECK(salt() != first);
  CHECK(disk.open().records == std::vector<Bytes>{text("S"), text("c")});
}

TEST_CASE("A flipped bit in a synced record makes an observer, wherever it is") {
  Disk disk;
  disk.append({{vote("first")}, {vote("second")}, {vote("third")}});
  disk.append({{vote("fourth")}});
  const Bytes whole = disk.read(disk.file());
  const Bytes state = disk.read(disk.paths.validator_state_file);
  // The header and all records, the last group included: the mark behind it says that it was
  // synced.
  for (std::size_t at = 0; at < whole.size() - kMarkSize; at += 3) {
    Bytes damaged = whole;
    damaged[at] ^= 0x10;
    disk.write(disk.file(), damaged);
    disk.write(disk.paths.validator_state_file, state);
    const auto opened = VoteLogStore::open(disk.paths, disk.chain, disk.key);
    REQUIRE(opened.has_value());
    REQUIRE(!opened->store);
    REQUIRE(opened->observer_reason.find("damaged") != std::string::npos);
    REQUIRE(disk.read(disk.file()) == damaged);  // evidence stays as it is
  }
}

TEST_CASE("A damaged or missing mark costs nothing: it is no vote") {
  Disk disk;
  disk.append({{vote("a")}});
  const Bytes whole = disk.read(disk.file());
  const Bytes state = disk.read(disk.paths.validator_state_file);
  for (std::size_t at = whole.size() - 64; at < whole.size(); at += 5) {
    Bytes damaged = whole;
    damaged[at] ^= 0x10;
    disk.write(disk.file(), damaged);
    disk.write(disk.paths.validator_state_file, state);
    const auto opened = disk.open();
    REQUIRE(opened.store);
    REQUIRE(opened.records == std::vector<Bytes>{text("a")});
    REQUIRE(opened.torn_bytes == kMarkSize);
  }
}

// Sectors reach the disk whole or not at all, in any order; what did not is still zero.
TEST_CASE("A group that lacks sectors is torn, one that lacks none was damaged") {
  Disk disk;
  disk.append({{vote("a")}});
  const Bytes before = disk.read(disk.file());
  const Bytes state = disk.read(disk.paths.validator_state_file);
  disk.append({{{Bytes(5'000, 3), false}, vote("b")}});
  Bytes whole = disk.read(disk.file());
  whole.resize(whole.size() - kMarkSize);  // the power failed before the mark was on the disk
  whole.resize((whole.size() / 512 + 1) * 512);
  const auto open_with = [&](const Bytes& bytes) {
    disk.write(disk.file(), bytes);
    disk.write(disk.paths.validator_state_file, state);
    return disk.open();
  };
  const std::size_t first = before.size() / 512;
  for (std::size_t lost = first; lost < whole.size() / 512; ++lost) {
    for (const std::size_t also : {lost, first + 2, first + 7}) {
      Bytes torn = whole;
      for (std::size_t at = std::max(before.size(), 512 * first); at < torn.size(); ++at) {
        if (at / 512 == lost || at / 512 == also) torn[at] = 0;
      }
      const auto opened = open_with(torn);
      REQUIRE(opened.store);
      REQUIRE(opened.records.front() == text("a"));
      REQUIRE(opened.records.size() <= 2);
      REQUIRE(disk.read(disk.file()).size() < torn.size());
    }
  }
  for (std::size_t at = before.size(); at < before.size() + 5'000; at += 211) {
    Bytes damaged = whole;
    damaged[at] ^= 0x10;
    const auto opened = open_with(damaged);
    REQUIRE(!opened.store);
    REQUIRE(opened.observer_reason.find("is damaged") != std::string::npos);
  }
}

TEST_CASE("A preallocated log ends where its records end, and grows by steps") {
  Disk disk;
  disk.paths.files.preallocate_bytes = 16'384;
  disk.append({{vote("a")}, {{Bytes(10'000, 1), false}}});
  CHECK(fs::file_size(disk.file()) == 16'384);
  disk.append({{{Bytes(10'000, 2), false}}, {vote("b")}});
  CHECK(fs::file_size(disk.file()) == 32'768);
  {
    const auto opened = disk.open();
    CHECK(opened.torn_bytes == 0);
    CHECK(opened.records ==
          std::vector<Bytes>{text("a"), Bytes(10'000, 1), Bytes(10'000, 2), text("b")});
  }
  disk.append({{snapshot("S")}});
  CHECK(fs::file_size(disk.file()) == 16'384);
  // A torn end gives its room back, and the next record stands where it was.
  Bytes bytes = disk.read(disk.file());
  const std::size_t end = scan_vote_log(bytes)->bytes_valid;
  bytes[end + 600] = 9;
  disk.write(disk.file(), bytes);
  {
    const auto opened = disk.open();
    REQUIRE(opened.store);
    CHECK(opened.torn_bytes == 601);
    CHECK(fs::file_size(disk.file()) == end);
    REQUIRE(opened.store->append_group({vote("c")}).has_value());
  }
  CHECK(disk.open().records == std::vector<Bytes>{text("S"), text("c")});
}

TEST_CASE("A log of another version is refused and says which release to run") {
  Disk disk;
  disk.append({{vote("a")}});
  Bytes bytes = disk.read(disk.file());
  const std::size_t size = vote_log_header_size();
  bytes[8] = 1;
  const Digest check =
      crypto::hash("quorate/vote-log-header/1", {ByteView(bytes).first(size - Digest::kSize)});
  std::copy(check.bytes.begin(), check.bytes.end(),
            bytes.begin() + static_cast<std::ptrdiff_t>(size - Digest::kSize));
  disk.write(disk.file(), bytes);
  const auto opened = VoteLogStore::open(disk.paths, disk.chain, disk.key);
  REQUIRE(!opened.has_value());
  CHECK(opened.error().code == Errc::conflict);
  CHECK(opened.error().detail.find("version 1, this program reads and writes version 2; run the "
                                   "release that wrote it") != std::string::npos);
}

TEST_CASE("Every step of writing can fail, and the error says what to do") {
  struct Case {
    FileStep step;
    int error;
    bool snapshot;
    const char* advice;
  };
  const Case failing = GENERATE(Case{FileStep::allocate, ENOSPC, false, "make room"},
                                Case{FileStep::write, ENOSPC, false, "make room"},
                                Case{FileStep::write, EIO, false, "replace the disk"},
                                Case{FileStep::sync, EIO, false, "replace the disk"},
                                Case{FileStep::create, EMFILE, true, "open files"},
                                Case{FileStep::allocate, ENOSPC, true, "make room"},
                                Case{FileStep::sync, EIO, true, "replace the disk"},
                                Case{FileStep::rename, EROFS, true, "read-only"},
                                Case{FileStep::sync_folder, EIO, true, "replace the disk"});
  Disk disk;
  disk.append({{vote("a")}});
  bool armed = false;
  disk.paths.files = {
      4'096, [&](FileStep step) { return armed && step == failing.step ? failing.error : 0; }};
  {
    const auto opened = disk.open();
    REQUIRE(opened.store);
    armed = true;
    const auto written = opened.store->append_group({{Bytes(5'000, 1), failing.snapshot}});
    REQUIRE(!written.has_value());
    CHECK(written.error().code == Errc::io);
    CHECK(written.error().detail.find(failing.advice) != std::string::npos);
    CHECK(written.error().detail.find(disk.paths.votes_dir.string()) != std::string::npos);
  }
  armed = false;
  // Whatever was done of it, the log opens again, and nothing synced is gone.
  const auto opened = disk.open();
  REQUIRE(opened.store);
  REQUIRE(!opened.records.empty());
  if (opened.records.front() != text("a")) CHECK(failing.snapshot);
}

TEST_CASE("The validator state tells a lost end from a torn one") {
  Disk disk;
  disk.append({{vote("a")}});
  const Bytes old_log = disk.read(disk.file());
  {
    const auto opened = disk.open();
    REQUIRE(opened.store->append_group({vote("b")}).has_value());
    REQUIRE(opened.store->settle().has_value());
  }
  // A copy of an hour ago is restored.
  disk.write(disk.file(), old_log);
  const auto opened = disk.open();
  CHECK(!opened.store);
  CHECK(opened.observer_reason.find("ends at record 3") != std::string::npos);
  CHECK(opened.observer_reason.find("record 5 was synced") != std::string::npos);
  // For good: the next start says the same.
  CHECK(!disk.open().store);
}

TEST_CASE("A wiped log, a lost state file or another key make an observer that says why") {
  Disk disk;
  disk.append({{vote("a")}});
  const Bytes state = disk.read(disk.paths.validator_state_file);
  SECTION("wiped") {
    fs::remove_all(disk.paths.votes_dir);
    const auto opened = disk.open();
    CHECK(!opened.store);
    CHECK(opened.observer_reason.find("are gone") != std::string::npos);
    CHECK(opened.observer_reason.find("must not vote again") != std::string::npos);
    CHECK(!disk.open().store);
  }
  SECTION("lost state") {
    fs::remove(disk.paths.validator_state_file);
    CHECK(disk.open().observer_reason.find("but no " + disk.paths.validator_state_file.string()) !=
          std::string::npos);
  }
  SECTION("damaged state") {
    disk.write(disk.paths.validator_state_file, ByteView(state).first(state.size() - 3));
    CHECK(disk.open().observer_reason.find("is damaged") != std::string::npos);
  }
  SECTION("another key") {
    disk.key.bytes[0] = 9;
    CHECK(disk.open().observer_reason.find(to_0x(disk.key)) != std::string::npos);
  }
  SECTION("the log of another disk") {
    Disk other;
    other.append({{vote("x")}});
    disk.write(disk.file(), other.read(other.file()));
    CHECK(disk.open().observer_reason.find("does not belong to") != std::string::npos);
  }
}

TEST_CASE("A log that binds nobody is discarded, whatever is left of it, and begun anew") {
  Disk disk;
  disk.append({{vote("a")}, {vote("b")}});
  SECTION("a lost state file") { std::filesystem::remove(disk.paths.validator_state_file); }
  SECTION("lost records") { std::filesystem::remove(disk.file()); }
  SECTION("another key") { disk.key = PublicKey{{3}}; }
  SECTION("a damaged state file") { disk.write(disk.paths.validator_state_file, text("?")); }
  const auto lost = disk.open();
  REQUIRE_FALSE(lost.store);
  REQUIRE_FALSE(lost.damage.empty());
  CHECK(lost.observer_reason.find(lost.damage) == 0);
  REQUIRE(VoteLogStore::discard(disk.paths).has_value());
  CHECK(disk.open().records.empty());
  disk.append({{vote("c")}});
  CHECK(disk.open().records == std::vector<Bytes>{text("c")});
}

TEST_CASE("A first start that crashed half way is finished by the next") {
  Disk disk;
  REQUIRE(write_validator_state(disk.paths.validator_state_file, {disk.key, DbUuid{{5}}, 0})
              .has_value());
  disk.append({{vote("a")}});
  CHECK(read_validator_state(disk.paths.validator_state_file).value()->db_uuid == DbUuid{{5}});
  CHECK(disk.open().records == std::vector<Bytes>{text("a")});
}

TEST_CASE("Another chain and a second process are refused naming both sides") {
  Disk disk;
  disk.append({{vote("a")}});
  Digest other = disk.chain;
  other.bytes[0] = 7;
  auto opened = VoteLogStore::open(disk.paths, other, disk.key);
  REQUIRE(!opened.has_value());
  CHECK(opened.error().code == Errc::conflict);
  CHECK(opened.error().detail.find(to_0x(other)) != std::string::npos);
  CHECK(opened.error().detail.find(to_0x(disk.chain)) != std::string::npos);

  const auto held = disk.open();
  opened = VoteLogStore::open(disk.paths, disk.chain, disk.key);
  REQUIRE(!opened.has_value());
  CHECK(opened.error().detail.find("another process") != std::string::npos);
}

TEST_CASE("The validator state has one form") {
  const ValidatorState state{PublicKey{{1, 2}}, DbUuid{{3}}, 77};
  const std::string written = to_text(state);
  CHECK(parse_validator_state(written).value() == state);
  for (const std::string& bad : {written + " ", written.substr(1), std::string(), std::string("{}"),
                                 written.substr(0, written.size() - 3) + "}\n}\n", " " + written}) {
    CHECK(parse_validator_state(bad).error().code == Errc::corrupt);
  }
}
}  // namespace
}  // namespace quorate::node
