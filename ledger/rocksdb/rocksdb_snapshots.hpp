// Snapshots as RocksDB checkpoints: FOLDER/HEIGHT is a database of its own, made of hard links. A
// name that is no height is what was left of taking or removing one when the machine stopped; it is
// deleted when the next one is taken.
//
// Threads: as Snapshots.
#pragma once

#include "ledger/rocksdb/rocksdb_store.hpp"
#include "ledger/snapshots.hpp"

namespace quorate::ledger {

class RocksdbSnapshots final : public Snapshots {
 public:
  // `store` must outlive this. The folder is made when it is needed; it belongs to this alone, and
  // should be on the file system of the store.
  RocksdbSnapshots(RocksdbStore& store, std::filesystem::path folder)
      : store_(store), folder_(std::move(folder)) {}

  Result<std::vector<Height>> list() const override;
  Result<void> take(Height height) override;
  Result<std::unique_ptr<KvStore>> open(Height height) const override;
  Result<void> remove(Height height) override;

 private:
  std::filesystem::path folder_of(Height height) const;
  // The entries of the folder: snapshots by height, and the names that are none.
  struct Contents {
    std::vector<Height> heights;
    std::vector<std::filesystem::path> leftovers;
  };
  Result<Contents> contents() const;

  RocksdbStore& store_;
  std::filesystem::path folder_;
};

}  // namespace quorate::ledger
