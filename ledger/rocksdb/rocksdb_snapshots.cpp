#include "ledger/rocksdb/rocksdb_snapshots.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "crypto/base/disk_error.hpp"

namespace quorate::ledger {
namespace {

namespace fs = std::filesystem;

std::optional<Height> height_of(const std::string& name) {
  std::uint64_t value = 0;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || std::to_string(value) != name) {
    return std::nullopt;
  }
  return Height(value);
}

tl::unexpected<Error> failed(const std::string& doing, const std::error_code& error) {
  return fail(Errc::io, doing + ": " + error.message() + disk_advice(error.value()));
}

Result<void> erase(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) return failed("cannot delete the snapshot " + folder.string(), error);
  return {};
}

}  // namespace

fs::path RocksdbSnapshots::folder_of(Height height) const {
  return folder_ / std::to_string(height.value());
}

Result<RocksdbSnapshots::Contents> RocksdbSnapshots::contents() const {
  Contents out;
  std::error_code error;
  if (!fs::exists(folder_, error)) return out;
  fs::directory_iterator entry(folder_, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (const auto height = height_of(entry->path().filename().string())) {
      out.heights.push_back(*height);
    } else {
      out.leftovers.push_back(entry->path());
    }
  }
  if (error) return failed("cannot list the snapshots in " + folder_.string(), error);
  std::sort(out.heights.begin(), out.heights.end());
  return out;
}

Result<std::vector<Height>> RocksdbSnapshots::list() const {
  QUORATE_TRY(Contents found, contents());
  return std::move(found.heights);
}

Result<void> RocksdbSnapshots::take(Height height) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return failed("cannot use the folder " + folder_.string(), error);
  QUORATE_TRY(const Contents found, contents());
  for (const fs::path& leftover : found.leftovers) QUORATE_CHECK(erase(leftover));
  QUORATE_CHECK(remove(height));
  return store_.checkpoint(folder_of(height));
}

Result<std::unique_ptr<KvStore>> RocksdbSnapshots::open(Height height) const {
  return RocksdbStore::open(folder_of(height), RocksdbStore::Missing::read_only);
}

// Renamed first: what is half deleted must not pass for a snapshot.
Result<void> RocksdbSnapshots::remove(Height height) {
  const fs::path folder = folder_of(height);
  std::error_code error;
  if (!fs::exists(folder, error)) return {};
  fs::path doomed = folder;
  doomed += ".removed";
  QUORATE_CHECK(erase(doomed));
  fs::rename(folder, doomed, error);
  if (error) return failed("cannot delete the snapshot " + folder.string(), error);
  return erase(doomed);
}

}  // namespace quorate::ledger
