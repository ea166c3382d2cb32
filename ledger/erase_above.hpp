// Erases the blocks above the head of a store, which a rewind has withdrawn: highest first, some at
// a time, with everything about them. So what is left always stands right above the head without a
// gap, and whoever is interrupted, by a crash too, just begins again. Until it is done nothing may
// be executed on top.
//
// Threads: the one that writes to the store.
#pragma once

#include "crypto/base/strong_int.hpp"
#include "ledger/kv_store.hpp"

namespace quorate::ledger {

// A batch is full with so many entries; those of one block more may be in it.
inline constexpr std::size_t kEraseBatchEntries = 50'000;

// The blocks (head, top]. Not synced: the next batch that is makes it durable, and what a crash
// brings back is erased again. Errors: io, corrupt.
Result<void> erase_above(KvStore& store, Height head, Height top, std::size_t batch_entries);

// In a store that has just been opened: erases what an interrupted rewind left above its head, and
// gives how many blocks that were. Errors: not_found where there is no head, io, corrupt.
Result<std::uint64_t> finish_rewind(KvStore& store, std::size_t batch_entries = kEraseBatchEntries);

}  // namespace quorate::ledger
