#include "ledger/rocksdb/rocksdb_store.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice.h>
#include <rocksdb/status.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <vector>

#include "crypto/base/disk_error.hpp"

namespace quorate::ledger {
namespace {

// In order of Family; the first must be RocksDB's own default family.
constexpr std::array<const char*, kFamilyCount> kFamilyNames = {"default", "blocks", "state",
                                                                "index"};

// RocksDB compares and copies from the pointer of an empty slice too, so it must not be null.
rocksdb::Slice slice(ByteView bytes) {
  if (bytes.empty()) return {"", 0};
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ByteView view(const rocksdb::Slice& slice) {
  return {reinterpret_cast<const std::uint8_t*>(slice.data()), slice.size()};
}

bool is_lock_conflict(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return status.IsIOError() && (text.find("lock file") != std::string::npos ||
                                text.find("lock hold by current process") != std::string::npos);
}

// RocksDB gives the operating system's reason as text only.
std::string advice(const rocksdb::Status& status) {
  if (status.IsNoSpace()) return disk_advice(ENOSPC);
  const std::string text = status.ToString();
  for (const int error : {ENOSPC, EDQUOT, EFBIG, EIO, EROFS, EACCES, EMFILE}) {
    if (text.find(std::generic_category().message(error)) != std::string::npos) {
      return disk_advice(error);
    }
  }
  return "";
}

tl::unexpected<Error> translate(const rocksdb::Status& status, const std::string& doing) {
  const Errc code = status.IsNotFound()     ? Errc::not_found
                    : status.IsCorruption() ? Errc::corrupt
                                            : Errc::io;
  return fail(code, doing + ": " + status.ToString() + advice(status));
}

rocksdb::CompressionType compression() {
  for (const rocksdb::CompressionType type : rocksdb::GetSupportedCompressions()) {
    if (type == rocksdb::kLZ4Compression) return type;
  }
  return rocksdb::kNoCompression;
}

// RocksDB's own log says nothing that the status of a call does not, and when the disk is full the
// library aborts in it (7.8 with assertions, as Debian builds it) before the call can fail.
class NoChatter final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::DBOptions database_options(bool create) {
  rocksdb::DBOptions options;
  options.create_if_missing = create;
  options.create_missing_column_families = create;
  // A write-ahead log that is missing or too short is an error, never a silent loss; only the torn
  // end of the newest log, which no sync covered, is normal after a crash.
  options.track_and_verify_wals_in_manifest = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // After a background error the outcome of writes is unknown: stay failed.
  options.max_bgerror_resume_count = 0;
  options.paranoid_checks = true;
  // One writer, and four nodes on two cores in every developer's test.
  options.max_background_jobs = 2;
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  options.max_total_wal_size = 64U << 20U;
  options.bytes_per_sync = 1U << 20U;
  options.max_open_files = 512;
  // Opening reads nothing it does not need, and the database keeps no chatter of its own.
  options.info_log = std::make_shared<NoChatter>();
  options.skip_stats_update_on_db_open = true;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions family_options(Family family,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.format_version = 5;
  // Blocks are read by height, which always exists; the others are asked for absent keys too.
  if (family != Family::blocks) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compression = compression();
  options.write_buffer_size = family == Family::meta ? 1U << 20U : 16U << 20U;
  options.max_write_buffer_number = 3;
  options.level_compaction_dynamic_level_bytes = true;
  return options;
}

}  // namespace

struct RocksdbStore::Impl {
  ~Impl() {
    if (!db) return;
    for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
    // Closing flushes nothing that was promised: synced writes are in the log already.
    db->Close().PermitUncheckedError();
  }
  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles.at(static_cast<std::size_t>(family));
  }

  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  std::optional<Error> failed;  // the first write error; written by the writing thread alone
};

RocksdbStore::RocksdbStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksdbStore::~RocksdbStore() = default;

Result<std::unique_ptr<RocksdbStore>> RocksdbStore::open(const std::filesystem::path& folder,
                                                         Missing missing) {
  std::error_code error;
  if (missing != Missing::create && !std::filesystem::exists(folder / "CURRENT", error)) {
    return fail(Errc::not_found, "there is no database in " + folder.string());
  }
  if (missing == Missing::create) std::filesystem::create_directories(folder, error);
  if (error) {
    return fail(Errc::io, "cannot use the folder " + folder.string() + ": " + error.message());
  }
  const auto cache = rocksdb::NewLRUCache(32U << 20U);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    families.emplace_back(kFamilyNames.at(i), family_options(static_cast<Family>(i), cache));
  }
  auto impl = std::make_unique<Impl>();
  rocksdb::DB* db = nullptr;
  const rocksdb::DBOptions options = database_options(missing == Missing::create);
  const rocksdb::Status status =
      missing == Missing::read_only
          ? rocksdb::DB::OpenForReadOnly(options, folder.string(), families, &impl->handles, &db)
          : rocksdb::DB::Open(options, folder.string(), families, &impl->handles, &db);
  impl->db.reset(db);
  if (is_lock_conflict(status)) {
    return fail(Errc::unavailable,
                "the database in " + folder.string() +
                    " is in use by another process; stop that node or choose another data folder");
  }
  if (!status.ok()) {
    auto failure = translate(status, "cannot open the database in " + folder.string());
    if (status.IsCorruption()) {
      failure.value().detail +=
          "; move this folder aside, and nothing else: a node that keeps its "
          "votes fetches the chain again from its peers";
    }
    return failure;
  }
  return std::unique_ptr<RocksdbStore>(new RocksdbStore(std::move(impl)));
}

Result<Bytes> RocksdbStore::get(Family family, ByteView key) const {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      impl_->db->Get(rocksdb::ReadOptions(), impl_->handle(family), slice(key), &value);
  if (!status.ok()) return translate(status, "cannot read key " + to_0x(key));
  return to_bytes(view(value));
}

Result<void> RocksdbStore::scan(
    Family family, ByteView prefix, ByteView from,
    const std::function<bool(ByteView key, ByteView value)>& visit) const {
  const std::unique_ptr<rocksdb::Iterator> at(
      impl_->db->NewIterator(rocksdb::ReadOptions(), impl_->handle(family)));
  const bool before =
      std::lexicographical_compare(from.begin(), from.end(), prefix.begin(), prefix.end());
  for (at->Seek(slice(before ? prefix : from)); at->Valid(); at->Next()) {
    if (!at->key().starts_with(slice(prefix)) || !visit(view(at->key()), view(at->value()))) break;
  }
  if (!at->status().ok()) return translate(at->status(), "cannot scan the database");
  return {};
}

Result<void> RocksdbStore::write(const WriteBatch& batch, bool sync) {
  if (impl_->failed) return tl::unexpected(*impl_->failed);
  rocksdb::WriteBatch out;
  rocksdb::Status status;
  for (const WriteBatch::Put& put : batch.puts) {
    rocksdb::ColumnFamilyHandle* handle = impl_->handle(put.family);
    status = put.value ? out.Put(handle, slice(put.key), slice(*put.value))
                       : out.Delete(handle, slice(put.key));
    if (!status.ok()) break;
  }
  rocksdb::WriteOptions options;
  options.sync = sync;
  if (status.ok()) status = impl_->db->Write(options, &out);
  if (status.ok()) return {};
  impl_->failed = translate(status, "cannot write to the database").value();
  return tl::unexpected(*impl_->failed);
}

Result<void> RocksdbStore::checkpoint(const std::filesystem::path& folder) {
  if (impl_->failed) return tl::unexpected(*impl_->failed);
  rocksdb::Checkpoint* created = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(impl_->db.get(), &created);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(created);
  if (status.ok()) status = checkpoint->CreateCheckpoint(folder.string());
  if (status.ok()) return {};
  return translate(status, "cannot write a snapshot of the database to " + folder.string());
}

std::uint64_t RocksdbStore::size_bytes() const {
  std::uint64_t tables = 0;
  std::uint64_t memory = 0;
  impl_->db->GetAggregatedIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &tables);
  impl_->db->GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &memory);
  return tables + memory;
}

std::string RocksdbStore::library_version() {
  return std::to_string(ROCKSDB_MAJOR) + "." + std::to_string(ROCKSDB_MINOR) + "." +
         std::to_string(ROCKSDB_PATCH);
}

}  // namespace quorate::ledger
