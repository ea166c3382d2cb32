// What view changes must carry and why they may happen, judged from the messages on the wire with
// rules written down a second time:
//   I6   a VIEW-CHANGE carries a certificate for every height that its sender sent a COMMIT for and
//        that lies above its stable checkpoint, of that view or a later one; whoever sent it, none
//        of its certificates lies outside its window or belongs to a view to come; a NEW-VIEW holds
//        q VIEW-CHANGEs and proposes exactly what they demand, and its primary nothing at or below
//        their highest checkpoint
//   I11  a correct replica leaves a view only with f others, or passes over an unopened one only
//        with a quorum; whoever is faulty may have asked for anything
#pragma once

#include <map>
#include <set>

#include "consensus/pbft/messages.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

class ViewCheck {
 public:
  explicit ViewCheck(World& world) : world_(world) {}

  // Of correct senders, at every sending.
  void on_commit(ReplicaId sender, const consensus::pbft::Ballot& ballot);
  void on_suspect(ReplicaId sender, View view) { suspected_[view].insert(sender); }
  void on_view_change(ReplicaId sender, const consensus::pbft::ViewChange& message);
  // One that a correct replica took for valid, alone or in a NEW-VIEW.
  void on_valid_view_change(const consensus::pbft::ViewChange& message);
  // A PRE-PREPARE of its own.
  void on_proposal(ReplicaId sender, const consensus::pbft::Ballot& ballot);
  // A signed proposal that a correct replica took for valid.
  void on_core(const consensus::pbft::Core& core);
  // The primary of this view was caught otherwise: by two NEW-VIEWs.
  void on_equivocation(View view) { equivocated_.insert(view); }
  // A NEW-VIEW that a correct replica sent or took for valid.
  void on_new_view(const consensus::pbft::NewView& message);

 private:
  void demand_certificates(ReplicaId sender, const consensus::pbft::ViewChange& message);
  void demand_reason(ReplicaId sender, View view);
  // Correct replicas other than `sender` that asked for `view` or a later one, and all faulty ones.
  std::set<ReplicaId> wanting(ReplicaId sender, View view) const;
  bool equivocated(View view) const;
  std::string fault_of(const consensus::pbft::ViewChange& message) const;
  std::string fault_of(const consensus::pbft::NewView& message) const;

  World& world_;
  std::map<ReplicaId, std::map<Height, View>> committed_in_;  // the highest view per height
  std::map<View, std::set<ReplicaId>> suspected_;
  std::map<View, Height> begins_above_;                // by NEW-VIEW: its checkpoint
  std::map<ReplicaId, View> asked_for_;                // by VIEW-CHANGE: the highest
  std::map<View, std::map<Height, Digest>> proposed_;  // the first proposal of each slot
  std::set<View> equivocated_;                         // views with two for one
};

}  // namespace quorate::sim
