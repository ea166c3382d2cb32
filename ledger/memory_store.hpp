// KvStore in memory, with a model of durability: writes without sync are lost when the machine
// loses power, from the newest backwards, and a batch is lost whole or not at all, as with a
// write-ahead log. The simulator and the tests crash it; nothing here is ever on a disk.
//
// Threads: as KvStore. drop_unsynced and fail_after belong to the writing thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <shared_mutex>

#include "ledger/kv_store.hpp"

namespace quorate::ledger {

class MemoryStore final : public KvStore {
 public:
  Result<Bytes> get(Family family, ByteView key) const override;
  // `visit` must not write to this store.
  Result<void> scan(Family family, ByteView prefix, ByteView from,
                    const std::function<bool(ByteView key, ByteView value)>& visit) const override;
  Result<void> write(const WriteBatch& batch, bool sync) override;

  // A crash: takes back the batches written since the last sync, except the oldest `survivors` of
  // them. What is left counts as synced.
  void drop_unsynced(std::size_t survivors = 0);
  std::size_t unsynced_batches() const;

  // The next `writes` batches succeed and every later one fails with io, changing nothing, until
  // this is called again. Models a disk that is full or dying.
  void fail_after(std::size_t writes);
  void heal() { fail_after(kNever); }

  // A copy of what a crash right now would leave, or of everything with `unsynced_too`.
  std::unique_ptr<MemoryStore> copy(bool unsynced_too) const;
  // Bytes of keys and values.
  std::size_t size_bytes() const;

 private:
  static constexpr std::size_t kNever = static_cast<std::size_t>(-1);
  struct Less {
    using is_transparent = void;
    bool operator()(ByteView a, ByteView b) const {
      return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
    }
  };
  using Map = std::map<Bytes, Bytes, Less>;

  Map& map(Family family) { return families_.at(static_cast<std::size_t>(family)); }
  const Map& map(Family family) const { return families_.at(static_cast<std::size_t>(family)); }
  void set(Family family, const Bytes& key, const std::optional<Bytes>& value);

  mutable std::shared_mutex mutex_;
  std::array<Map, kFamilyCount> families_;
  // For each batch since the last sync, oldest first: the values it replaced, in order.
  std::vector<std::vector<WriteBatch::Put>> undo_;
  std::size_t writes_left_ = kNever;
  std::size_t size_bytes_ = 0;
};

}  // namespace quorate::ledger
