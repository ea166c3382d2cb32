// Snapshots of the ledger's store: what a rewind starts from, so that it need not execute the whole
// chain again. Only chains whose engine can withdraw commits take them.
//
// A snapshot only saves time: it is used only if its accounts lead to the state root that the chain
// has at its height, so one that is missing, damaged or of a withdrawn branch does no harm.
//
// Threads: one at a time, the one that writes to the store.
#pragma once

#include <bit>
#include <memory>
#include <vector>

#include "crypto/base/strong_int.hpp"
#include "ledger/kv_store.hpp"

namespace quorate::ledger {

class Snapshots {
 public:
  virtual ~Snapshots() = default;
  // Their heights, lowest first. Error io.
  virtual Result<std::vector<Height>> list() const = 0;
  // The store as it is now, whose head has this height. There as a whole or not at all, also when
  // the machine stops meanwhile. Takes the place of an earlier one of this height. Error io.
  virtual Result<void> take(Height height) = 0;
  // To be read only, and only as long as the snapshot is there. What the blocks of the chain hold
  // may be left out. Errors: not_found, io, corrupt.
  virtual Result<std::unique_ptr<KvStore>> open(Height height) const = 0;
  // Nothing happens where there is none. Error io.
  virtual Result<void> remove(Height height) = 0;
};

// A snapshot is taken after the first block of every so many heights. Executing that many blocks
// again takes seconds at most, with full ones; at an interval of 2 s a snapshot, which costs some
// tens of milliseconds, comes every two minutes.
inline constexpr std::uint64_t kSnapshotInterval = 64;
// Of the snapshots whose number is a multiple of 2^level the newest two stay, up to this level. So
// whatever height a rewind goes back to within the newest 32768, which is as deep as an engine goes,
// it executes at most three times as many blocks again as it takes back (or two intervals), and
// eleven snapshots are enough. What goes back further may start from genesis: that takes time, but
// no more memory.
inline constexpr unsigned kSnapshotLevelMax = 9;

inline std::uint64_t snapshot_number(Height height) { return height.value() / kSnapshotInterval; }

// Whether the snapshot of `height` is worth keeping when `newest` is the newest one.
inline bool keeps_snapshot(Height height, Height newest) {
  const std::uint64_t number = snapshot_number(height);
  const auto zeros = static_cast<unsigned>(std::countr_zero(number));
  const unsigned level = zeros < kSnapshotLevelMax ? zeros : kSnapshotLevelMax;
  return (snapshot_number(newest) >> level) - (number >> level) <= 1;
}

}  // namespace quorate::ledger
