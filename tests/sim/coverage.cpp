#include "tests/sim/coverage.hpp"

namespace quorate::sim {

std::string_view to_string(Happened what) {
  switch (what) {
    case Happened::delay: return "delay";
    case Happened::loss: return "loss";
    case Happened::duplication: return "duplication";
    case Happened::reorder: return "reorder";
    case Happened::partition: return "partition";
    case Happened::slow_disk: return "slow_disk";
    case Happened::crash: return "crash";
    case Happened::primary_crash: return "primary_crash";
    case Happened::blackout: return "blackout";
    case Happened::crash_before_sync: return "crash_before_sync";
    case Happened::crash_after_sync: return "crash_after_sync";
    case Happened::crash_in_broadcast: return "crash_in_broadcast";
    case Happened::crash_in_execution: return "crash_in_execution";
    case Happened::crash_after_execution: return "crash_after_execution";
    case Happened::restart: return "restart";
    case Happened::unsynced_votes_lost: return "unsynced_votes_lost";
    case Happened::unsynced_seals_lost: return "unsynced_seals_lost";
    case Happened::catch_up: return "catch_up";
    case Happened::catch_up_beyond_window: return "catch_up_beyond_window";
    case Happened::checkpoint: return "checkpoint";
    case Happened::view_change: return "view_change";
    case Happened::view_kept_proposals: return "view_kept_proposals";
    case Happened::healed_without_primary: return "healed_without_primary";
    case Happened::heights_in_flight: return "heights_in_flight";
    case Happened::bad_transaction: return "bad_transaction";
    case Happened::real_signatures: return "real_signatures";
    case Happened::asymmetric_cut: return "asymmetric_cut";
    case Happened::clock_wrong: return "clock_wrong";
    case Happened::clock_frozen: return "clock_frozen";
    case Happened::torn_tail: return "torn_tail";
    case Happened::bit_flip: return "bit_flip";
    case Happened::old_copy: return "old_copy";
    case Happened::wiped: return "wiped";
    case Happened::twins: return "twins";
    case Happened::observer: return "observer";
    case Happened::evidence: return "evidence";
    case Happened::refused_frame: return "refused_frame";
    case Happened::byzantine_action: return "byzantine_action";
    case Happened::equivocation: return "equivocation";
    case Happened::withheld: return "withheld";
    case Happened::replayed: return "replayed";
    case Happened::forged_view_change: return "forged_view_change";
    case Happened::forged_new_view: return "forged_new_view";
    case Happened::checkpoint_lie: return "checkpoint_lie";
    case Happened::flood: return "flood";
    case Happened::huge_view: return "huge_view";
    case Happened::mutation: return "mutation";
    case Happened::slow_primary: return "slow_primary";
    case Happened::mined: return "mined";
    case Happened::branch_switch: return "branch_switch";
    case Happened::rewind: return "rewind";
    case Happened::withdrawn_waits_again: return "withdrawn_waits_again";
    case Happened::split: return "split";
    case Happened::mined_in_private: return "mined_in_private";
    case Happened::hash_rate_change: return "hash_rate_change";
    case Happened::count_: break;
  }
  return "?";
}

}  // namespace quorate::sim
