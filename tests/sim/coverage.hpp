// What happened in a run: which faults fired and which parts of the protocol they met. A run of
// many seeds fails if any of these never happened, since a fault that never fires tests nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace quorate::sim {

enum class Happened : std::uint8_t {
  delay,  // a frame took several times the usual time
  loss,
  duplication,
  reorder,  // a frame overtook an earlier one of its link
  partition,
  slow_disk,
  crash,
  primary_crash,
  blackout,               // every replica loses power at once
  crash_before_sync,      // votes appended, not durable
  crash_after_sync,       // votes durable, their messages not sent
  crash_in_broadcast,     // some peers got the message
  crash_in_execution,     // blocks being executed
  crash_after_execution,  // blocks durable, the replica not told
  restart,
  unsynced_votes_lost,
  unsynced_seals_lost,     // ledger writes without sync
  catch_up,                // a round of block catch-up
  catch_up_beyond_window,  // from below the others' low watermark
  checkpoint,              // became stable
  view_change,             // a replica entered a view
  view_kept_proposals,     // whose NEW-VIEW proposes something again
  healed_without_primary,  // the heal phase began with a dead primary
  heights_in_flight,       // three or more proposals at once
  bad_transaction,         // refused or skipped
  real_signatures,         // a whole seed with Ed25519
  asymmetric_cut,          // one direction of one link
  clock_wrong,             // a wall clock skewed or jumped by up to an hour
  clock_frozen,
  torn_tail,         // a piece of an unsynced record is on the disk
  bit_flip,          // in the vote log
  old_copy,          // a disk restored from an earlier copy
  wiped,             // a disk emptied
  twins,             // a second machine with the same key
  observer,          // a replica does not vote, and says why
  evidence,          // somebody was caught
  refused_frame,     // of a faulty replica
  byzantine_action,  // any of the following
  equivocation,
  withheld,
  replayed,
  forged_view_change,
  forged_new_view,
  checkpoint_lie,
  flood,
  huge_view,
  mutation,
  slow_primary,
  // Of proof of work alone.
  mined,
  branch_switch,          // a replica left blocks for a branch of more work
  rewind,                 // blocks that were executed
  withdrawn_waits_again,  // a transaction of theirs that is still valid
  split,                  // the network in two
  mined_in_private,       // heard by nobody for some time
  hash_rate_change,
  count_
};
inline constexpr std::size_t kHappenedCount = static_cast<std::size_t>(Happened::count_);
std::string_view to_string(Happened what);

struct Coverage {
  std::array<std::uint64_t, kHappenedCount> counts{};

  void add(Happened what) { ++counts.at(static_cast<std::size_t>(what)); }
  std::uint64_t operator[](Happened what) const {
    return counts.at(static_cast<std::size_t>(what));
  }
  void add(const Coverage& other) {
    for (std::size_t i = 0; i < kHappenedCount; ++i) counts.at(i) += other.counts.at(i);
  }
};

}  // namespace quorate::sim
