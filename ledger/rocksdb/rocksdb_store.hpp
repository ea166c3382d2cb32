// KvStore on RocksDB, one column family per Family; the only place that includes RocksDB. A folder
// belongs to one process at a time. After the first failed write every later one fails too: what
// reached the disk is then unknown, and only opening the folder again can tell.
//
// Threads: as KvStore.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "ledger/kv_store.hpp"

namespace quorate::ledger {

class RocksdbStore final : public KvStore {
 public:
  // `read_only`: several processes may read the same folder, and nothing in it changes.
  enum class Missing { create, refuse, read_only };

  // Errors: not_found (no database there, and none is to be created), unavailable (another process
  // has it open), corrupt, io.
  static Result<std::unique_ptr<RocksdbStore>> open(const std::filesystem::path& folder,
                                                    Missing missing = Missing::create);
  ~RocksdbStore() override;

  Result<Bytes> get(Family family, ByteView key) const override;
  Result<void> scan(Family family, ByteView prefix, ByteView from,
                    const std::function<bool(ByteView key, ByteView value)>& visit) const override;
  Result<void> write(const WriteBatch& batch, bool sync) override;

  // A database of its own in `folder`, which must not exist: this one as it is now. There as a
  // whole or not at all, also when the machine stops meanwhile. Tables are hard links where the
  // file system allows, so it takes disk space only as this database moves on. For the writing
  // thread.
  Result<void> checkpoint(const std::filesystem::path& folder);

  // What tables and logs take on the disk, approximately. For metrics.
  std::uint64_t size_bytes() const;
  // "7.8.3"
  static std::string library_version();

 private:
  struct Impl;
  explicit RocksdbStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::ledger
