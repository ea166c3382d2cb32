#include "tests/sim/view_check.hpp"

#include <algorithm>

namespace quorate::sim {

namespace pbft = consensus::pbft;

namespace {

std::string text(View view) { return std::to_string(view.value()); }
std::string text(Height height) { return std::to_string(height.value()); }

}  // namespace

// ---- what happened ----

void ViewCheck::on_commit(ReplicaId sender, const pbft::Ballot& ballot) {
  View& view = committed_in_[sender][ballot.height];
  view = std::max(view, ballot.view);
}

void ViewCheck::on_core(const pbft::Core& core) {
  const pbft::Ballot& ballot = core.ballot;
  const auto [known, added] = proposed_[ballot.view].emplace(ballot.height, ballot.id);
  if (!added && known->second != ballot.id) equivocated_.insert(ballot.view);
}

void ViewCheck::on_proposal(ReplicaId sender, const pbft::Ballot& ballot) {
  const auto opened = begins_above_.find(ballot.view);
  if (opened == begins_above_.end() || ballot.height > opened->second) return;
  world_.violate("I6", "replica " + std::to_string(sender.value()) + " proposes height " +
                           text(ballot.height) + " in view " + text(ballot.view) +
                           ", which begins above " + text(opened->second));
}

bool ViewCheck::equivocated(View view) const { return equivocated_.contains(view); }

// ---- VIEW-CHANGE ----

void ViewCheck::on_view_change(ReplicaId sender, const pbft::ViewChange& message) {
  const auto [known, added] = asked_for_.try_emplace(sender, message.view);
  if (!added && message.view <= known->second) return;  // sent again
  demand_reason(sender, message.view);
  demand_certificates(sender, message);
  asked_for_[sender] = message.view;
}

void ViewCheck::demand_certificates(ReplicaId sender, const pbft::ViewChange& message) {
  std::map<Height, View> certified;
  for (const pbft::PreparedCertificate& certificate : message.prepared) {
    certified.emplace(certificate.core.ballot.height, certificate.core.ballot.view);
  }
  const auto& commits = committed_in_[sender];
  for (auto it = commits.upper_bound(message.low_watermark()); it != commits.end(); ++it) {
    const auto found = certified.find(it->first);
    if (found != certified.end() && found->second >= it->second) continue;
    world_.violate("I6", "the VIEW-CHANGE of replica " + std::to_string(sender.value()) +
                             " for view " + text(message.view) +
                             " has no certificate for its COMMIT at height " + text(it->first) +
                             " in view " + text(it->second));
  }
}

void ViewCheck::on_valid_view_change(const pbft::ViewChange& message) {
  const std::string fault = fault_of(message);
  if (fault.empty()) return;
  world_.violate("I6", "a VIEW-CHANGE for view " + text(message.view) + " passes that " + fault);
}

// Written from the protocol's text, like the rules for a NEW-VIEW below.
std::string ViewCheck::fault_of(const pbft::ViewChange& message) const {
  const std::size_t quorum = world_.membership.quorum();
  std::set<ReplicaId> vouching;
  if (message.stable) {
    for (const auto& vote : message.stable->votes) vouching.insert(vote.replica);
    if (vouching.size() < quorum) return "proves its checkpoint with too few signatures";
  }
  Height last = message.low_watermark();
  const Height top = last.saturating_add(2 * world_.genesis.consensus.checkpoint_interval);
  for (const pbft::PreparedCertificate& certificate : message.prepared) {
    const pbft::Ballot& ballot = certificate.core.ballot;
    if (ballot.view >= message.view) return "holds a certificate of view " + text(ballot.view);
    if (ballot.height <= last || ballot.height > top) {
      return "holds a certificate for height " + text(ballot.height) + " behind " + text(last);
    }
    last = ballot.height;
    std::set<ReplicaId> prepared{
        ReplicaId(static_cast<std::uint32_t>(ballot.view.value() % world_.membership.size()))};
    for (const auto& prepare : certificate.prepares) prepared.insert(prepare.replica);
    if (prepared.size() < quorum) return "holds a certificate of too few replicas";
  }
  return {};
}

std::set<ReplicaId> ViewCheck::wanting(ReplicaId sender, View view) const {
  std::set<ReplicaId> out;
  for (std::uint32_t i = 0; i < world_.membership.size(); ++i) {
    const ReplicaId other(i);
    const auto asked = asked_for_.find(other);
    const bool wants = asked != asked_for_.end() && asked->second >= view;
    if (other != sender && (wants || !world_.correct(other))) out.insert(other);
  }
  return out;
}

void ViewCheck::demand_reason(ReplicaId sender, View view) {
  const View before = view.saturating_sub(1);
  std::set<ReplicaId> against = wanting(sender, view);
  const auto suspected = suspected_.find(before);
  if (suspected != suspected_.end()) {
    against.insert(suspected->second.begin(), suspected->second.end());
  }
  against.insert(sender);
  if (against.size() >= world_.membership.weak_quorum() || equivocated(before)) return;
  if (wanting(sender, before).size() + 1 >= world_.membership.quorum()) return;
  world_.violate("I11", "replica " + std::to_string(sender.value()) + " asks for view " +
                            text(view) + " while " + std::to_string(against.size()) +
                            " replicas are against view " + text(before));
}

// ---- NEW-VIEW ----

void ViewCheck::on_new_view(const pbft::NewView& message) {
  for (const pbft::Core& core : message.proposals) on_core(core);
  for (const pbft::ViewChangePtr& entry : message.view_changes) {
    Height& low = begins_above_[message.view];
    low = std::max(low, entry->low_watermark());
  }
  const std::string fault = fault_of(message);
  if (!fault.empty()) {
    world_.violate("I6", "the NEW-VIEW of view " + text(message.view) + " " + fault);
  }
}

// Written from the protocol's text, not from the code under test.
std::string ViewCheck::fault_of(const pbft::NewView& message) const {
  if (message.view_changes.size() != world_.membership.quorum()) {
    return "holds " + std::to_string(message.view_changes.size()) + " VIEW-CHANGEs";
  }
  std::set<ReplicaId> senders;
  Height low(0);
  for (const pbft::ViewChangePtr& entry : message.view_changes) {
    if (entry->view != message.view) return "holds a VIEW-CHANGE for view " + text(entry->view);
    if (!senders.insert(entry->replica).second) return "counts a replica twice";
    low = std::max(low, entry->low_watermark());
  }
  std::map<Height, std::map<View, Digest>> prepared;
  for (const pbft::ViewChangePtr& entry : message.view_changes) {
    for (const pbft::PreparedCertificate& certificate : entry->prepared) {
      const pbft::Ballot& ballot = certificate.core.ballot;
      if (ballot.height > low) prepared[ballot.height].emplace(ballot.view, ballot.id);
    }
  }
  const Height top = prepared.empty() ? low : prepared.rbegin()->first;
  if (message.proposals.size() != top.value() - low.value()) {
    return "proposes " + std::to_string(message.proposals.size()) + " heights above " + text(low) +
           ", and its VIEW-CHANGEs reach up to " + text(top);
  }
  Height height = low;
  for (const pbft::Core& core : message.proposals) {
    height = height.next();
    const auto found = prepared.find(height);
    const Digest due = found == prepared.end() ? pbft::null_id(world_.membership, height)
                                               : found->second.rbegin()->second;
    if (core.ballot != pbft::Ballot{message.view, height, due}) {
      return "proposes something else at height " + text(height) + " than was prepared last";
    }
  }
  return {};
}

}  // namespace quorate::sim
