#include "consensus/pbft/new_view.hpp"

#include <map>

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

namespace {

// How many VIEW-CHANGEs certify the ballot. One is enough, so only a bug asks.
std::uint32_t reporters(const std::vector<ViewChangePtr>& view_changes, const Ballot& ballot) {
  std::uint32_t count = 0;
  for (const ViewChangePtr& message : view_changes) {
    for (const PreparedCertificate& certificate : message->prepared) {
      if (certificate.core.ballot == ballot) ++count;
    }
  }
  return count;
}

}  // namespace

Result<NewViewPlan> compute_new_view(const crypto::Membership& membership, View view,
                                     const std::vector<ViewChangePtr>& view_changes) {
  NewViewPlan plan;
  for (const ViewChangePtr& message : view_changes) {
    if (message->low_watermark() <= plan.low || QUORATE_MUTANT(new_view_low_is_zero)) continue;
    plan.low = message->low_watermark();
    plan.stable = &*message->stable;
  }
  std::map<Height, Ballot> best;
  for (const ViewChangePtr& message : view_changes) {
    for (const PreparedCertificate& certificate : message->prepared) {
      const Ballot& ballot = certificate.core.ballot;
      if (ballot.height <= plan.low) continue;
      if (QUORATE_MUTANT(new_view_wants_f_plus_1_reporters) &&
          reporters(view_changes, ballot) < membership.weak_quorum()) {
        continue;
      }
      const auto [known, added] = best.try_emplace(ballot.height, ballot);
      if (added) continue;
      if (QUORATE_MUTANT(new_view_keeps_lowest_view) ? ballot.view > known->second.view
                                                     : ballot.view < known->second.view) {
        continue;
      }
      if (ballot.view == known->second.view && ballot.id != known->second.id) {
        return fail(Errc::conflict, "two proposals were prepared at height " +
                                        std::to_string(ballot.height.value()) + " in view " +
                                        std::to_string(ballot.view.value()) +
                                        ": more replicas are faulty than the protocol tolerates");
      }
      known->second = ballot;
    }
  }
  if (best.empty()) return plan;
  for (Height height = plan.low.next(); height <= best.rbegin()->first; height = height.next()) {
    const auto found = best.find(height);
    if (QUORATE_MUTANT(new_view_stops_at_gap) && found == best.end()) break;
    if (QUORATE_MUTANT(new_view_without_nulls) && found == best.end()) continue;
    const Digest id = found == best.end() ? null_id(membership, height) : found->second.id;
    plan.ballots.push_back({view, height, id});
  }
  return plan;
}

}  // namespace quorate::consensus::pbft
