// The storage the ledger needs: ordered keys in a few families, and atomic batches. RocksDB
// implements it for the node, memory_store.hpp for the simulator and the sanitizers.
// Reads are safe on any thread; write is called by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"

namespace quorate::ledger {

enum class Family : std::uint8_t { meta, blocks, state, index };
inline constexpr std::size_t kFamilyCount = 4;

struct WriteBatch {
  struct Put {
    Family family;
    Bytes key;
    std::optional<Bytes> value;  // none = delete
  };
  std::vector<Put> puts;
  void put(Family family, Bytes key, Bytes value) {
    puts.push_back({family, std::move(key), std::move(value)});
  }
  void erase(Family family, Bytes key) { puts.push_back({family, std::move(key), std::nullopt}); }
};

class KvStore {
 public:
  virtual ~KvStore() = default;
  // Error not_found, io, corrupt.
  virtual Result<Bytes> get(Family family, ByteView key) const = 0;
  // Calls `visit` for every key from `from` on that starts with `prefix`, in byte order, until it
  // returns false, over one consistent view.
  virtual Result<void> scan(
      Family family, ByteView prefix, ByteView from,
      const std::function<bool(ByteView key, ByteView value)>& visit) const = 0;
  // Atomic. With `sync` it is durable when this returns. An io error is final: the caller ends the
  // process.
  virtual Result<void> write(const WriteBatch& batch, bool sync) = 0;
};

}  // namespace quorate::ledger
