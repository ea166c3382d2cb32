#include "crypto/secure_file.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/temporary_folder.hpp"

namespace quorate::crypto {
namespace {

namespace fs = std::filesystem;

fs::perms mode_of(const fs::path& path) { return fs::status(path).permissions() & fs::perms::all; }

constexpr fs::perms kOwnerOnly = fs::perms::owner_read | fs::perms::owner_write;

}  // namespace

TEST_CASE("a private file is readable by its owner only and reads back") {
  const TemporaryFolder dir;
  const fs::path file = dir.path() / "key";
  const Bytes secret(100000, 42);
  REQUIRE(write_private_file(file, secret).has_value());
  CHECK(mode_of(file) == kOwnerOnly);
  CHECK(read_private_file(file).value() == secret);
  CHECK(dir.entries() == 1);  // no temporary file stays behind
}

TEST_CASE("a generous umask does not loosen a private file and a strict one does not break it") {
  const TemporaryFolder dir;
  for (const mode_t mask : {0000U, 0777U}) {
    const mode_t before = ::umask(static_cast<mode_t>(mask));
    const fs::path file = dir.path() / std::to_string(mask);
    const auto written = write_private_file(file, Bytes{1});
    ::umask(before);
    REQUIRE(written.has_value());
    CHECK(mode_of(file) == kOwnerOnly);
  }
}

TEST_CASE("a private file is never overwritten") {
  const TemporaryFolder dir;
  const fs::path file = dir.path() / "key";
  REQUIRE(write_private_file(file, Bytes{1}).has_value());
  const auto again = write_private_file(file, Bytes{2});
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == Errc::conflict);
  CHECK(again.error().detail.find("exists already and is never overwritten") != std::string::npos);
  CHECK(read_private_file(file).value() == Bytes{1});
  CHECK(dir.entries() == 1);
  // Not through a dangling link either.
  fs::create_symlink(dir.path() / "elsewhere", dir.path() / "link");
  CHECK(write_private_file(dir.path() / "link", Bytes{2}).error().code == Errc::conflict);
}

TEST_CASE("replacing takes the place of what was there") {
  const TemporaryFolder dir;
  const fs::path file = dir.path() / "state";
  REQUIRE(replace_private_file(file, Bytes{1}).has_value());
  REQUIRE(replace_private_file(file, Bytes{2}).has_value());
  CHECK(read_private_file(file).value() == Bytes{2});
  CHECK(mode_of(file) == kOwnerOnly);
  CHECK(dir.entries() == 1);
}

TEST_CASE("a file that others may access is refused with the command that repairs it") {
  const TemporaryFolder dir;
  const fs::path file = dir.path() / "key";
  REQUIRE(write_private_file(file, Bytes{1}).has_value());
  for (const fs::perms extra : {fs::perms::group_read, fs::perms::others_read,
                                fs::perms::group_write, fs::perms::others_exec}) {
    fs::permissions(file, kOwnerOnly | extra);
    const auto read = read_private_file(file);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == Errc::permission);
    CHECK(read.error().detail.find("run: chmod 600 " + file.string()) != std::string::npos);
  }
  fs::permissions(file, fs::perms::owner_read);
  CHECK(read_private_file(file).has_value());
}

TEST_CASE("what is missing or is not a key file is said") {
  const TemporaryFolder dir;
  CHECK(read_private_file(dir.path() / "none").error().code == Errc::not_found);
  CHECK(read_private_file(dir.path()).error().code == Errc::io);
  const auto written = write_private_file(dir.path() / "no" / "key", Bytes{1});
  REQUIRE_FALSE(written.has_value());
  CHECK(written.error().code == Errc::not_found);
  CHECK(written.error().detail.find("create it first") != std::string::npos);
  REQUIRE(write_private_file(dir.path() / "big", Bytes(kPrivateFileSizeMax + 1)).has_value());
  CHECK(read_private_file(dir.path() / "big").error().code == Errc::limit_exceeded);
  const fs::path pipe = dir.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(read_private_file(pipe).error().code == Errc::io);  // and does not wait for a writer
}

TEST_CASE("a private directory is made with its parents and may exist") {
  const TemporaryFolder dir;
  const fs::path inner = dir.path() / "a" / "b";
  REQUIRE(make_private_directory(inner).has_value());
  CHECK(mode_of(inner) == fs::perms::owner_all);
  CHECK(mode_of(dir.path() / "a") == fs::perms::owner_all);
  CHECK(make_private_directory(inner).has_value());
  REQUIRE(write_private_file(dir.path() / "file", Bytes{1}).has_value());
  CHECK(make_private_directory(dir.path() / "file").error().code == Errc::conflict);
}

}  // namespace quorate::crypto
