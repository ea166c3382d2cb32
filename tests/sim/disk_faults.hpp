// What can happen to the disk of a machine that is down, so that votes which were durable are gone
// or old. Whoever it happens to is amnesiac from then on: the replica may know it and follow
// without voting, or may not, so it counts as faulty.
#pragma once

#include "tests/sim/simulation.hpp"

namespace quorate::sim {

enum class DiskFault : std::uint8_t {
  flipped_bit,  // somewhere in the synced part of the vote log
  cut_off,      // synced records are missing at the end
  old_copy,     // everything restored from a copy made earlier
  old_votes,    // only the vote log and its index are old
  wiped,        // empty
  wiped_votes,  // the ledger is there, the votes are not
  count_
};
inline constexpr std::size_t kDiskFaults = static_cast<std::size_t>(DiskFault::count_);

// A copy of a disk, for old_copy and old_votes.
struct DiskCopy {
  Disk::Contents votes;
  std::shared_ptr<const ledger::MemoryStore> ledger;
};
DiskCopy copy_disk(const SimNode& node);

// The machine is down. `earlier` is needed for the old_ faults alone.
void strike(Simulation& simulation, SimNode& node, DiskFault fault, const DiskCopy& earlier,
            Prng& prng);

}  // namespace quorate::sim
