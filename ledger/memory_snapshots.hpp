// Snapshots in memory, for the simulator and the tests: copies of what a rewind reads, the accounts
// and the markers. They survive whatever the store they copy goes through, as files on a disk do.
#pragma once

#include <map>

#include "ledger/memory_store.hpp"
#include "ledger/snapshots.hpp"

namespace quorate::ledger {

class MemorySnapshots final : public Snapshots {
 public:
  // `store` must outlive this, or until follow() names another one.
  explicit MemorySnapshots(const MemoryStore& store) : store_(&store) {}
  // The snapshots stay; later ones are taken of this store.
  void follow(const MemoryStore& store) { store_ = &store; }

  Result<std::vector<Height>> list() const override;
  Result<void> take(Height height) override;
  Result<std::unique_ptr<KvStore>> open(Height height) const override;
  Result<void> remove(Height height) override;

 private:
  const MemoryStore* store_;
  std::map<Height, WriteBatch> snapshots_;
};

}  // namespace quorate::ledger
