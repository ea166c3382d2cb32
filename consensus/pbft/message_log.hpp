// The slots above the low watermark and the bodies of proposals that are not executed yet, within
// bounds: one message per (replica, type, height, view) up to h + 2L for the active view, the one
// after it and the promised one; bodies up to twice the proposals in flight above the executed
// height, per height those of the active view and the one before, what P names, what is decided,
// and in a replica that opens a view one for each VIEW-CHANGE. Owned by the engine's thread.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "consensus/pbft/durable_state.hpp"
#include "consensus/pbft/slot.hpp"

namespace quorate::consensus::pbft {

enum class Validity : std::uint8_t { unknown, asked, valid, invalid };

struct StoredBody {
  Body body;
  Validity validity = Validity::unknown;
};

class MessageLog {
 public:
  Slot& slot(SlotKey key) { return slots_[key]; }
  Slot* find(SlotKey key);
  const Slot* find(SlotKey key) const;
  const std::map<SlotKey, Slot>& slots() const { return slots_; }
  std::map<SlotKey, Slot>& slots() { return slots_; }

  // Keeps the body if it is new.
  StoredBody& store(const Digest& id, const Body& body);
  StoredBody* body(const Digest& id);
  const StoredBody* body(const Digest& id) const;

  void drop_body(const Digest& id) {
    bodies_.erase(id);
    ++body_changes_;
  }
  // Counts what came and went: while it stays, so do the bodies.
  std::uint64_t body_changes() const { return body_changes_; }
  std::size_t bodies() const { return bodies_.size(); }

  // Slots at or below `low` are over.
  void collect_garbage(Height low);
  // Bodies at or below `height` are in the ledger.
  void release_bodies(Height height);
  void forget_slots_below(View view);
  // A new view begins: slots of earlier ones are over, and so are the bodies that are not `kept`.
  void enter_view(View view, const std::set<Digest>& kept);
  // Of the views above the active one only these two are buffered.
  void keep_views(View active, View promised);
  std::size_t memory_bytes() const;

 private:
  std::map<SlotKey, Slot> slots_;
  std::map<Digest, StoredBody> bodies_;
  std::uint64_t body_changes_ = 0;
};

}  // namespace quorate::consensus::pbft
