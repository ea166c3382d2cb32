#include "consensus/pbft/message_log.hpp"

namespace quorate::consensus::pbft {

Slot* MessageLog::find(SlotKey key) {
  const auto found = slots_.find(key);
  return found == slots_.end() ? nullptr : &found->second;
}

const Slot* MessageLog::find(SlotKey key) const {
  const auto found = slots_.find(key);
  return found == slots_.end() ? nullptr : &found->second;
}

StoredBody& MessageLog::store(const Digest& id, const Body& body) {
  const auto [stored, added] = bodies_.try_emplace(id, StoredBody{body, Validity::unknown});
  if (added) ++body_changes_;
  return stored->second;
}

StoredBody* MessageLog::body(const Digest& id) {
  const auto found = bodies_.find(id);
  return found == bodies_.end() ? nullptr : &found->second;
}

const StoredBody* MessageLog::body(const Digest& id) const {
  const auto found = bodies_.find(id);
  return found == bodies_.end() ? nullptr : &found->second;
}

void MessageLog::collect_garbage(Height low) {
  slots_.erase(slots_.begin(), slots_.upper_bound(SlotKey{low, View::max()}));
}

void MessageLog::release_bodies(Height height) {
  ++body_changes_;
  std::erase_if(bodies_,
                [height](const auto& entry) { return entry.second.body.header.height <= height; });
}

void MessageLog::forget_slots_below(View view) {
  std::erase_if(slots_, [view](const auto& entry) { return entry.first.view < view; });
}

void MessageLog::enter_view(View view, const std::set<Digest>& kept) {
  forget_slots_below(view);
  ++body_changes_;
  std::erase_if(bodies_, [&kept](const auto& entry) { return kept.count(entry.first) == 0; });
}

void MessageLog::keep_views(View active, View promised) {
  std::erase_if(slots_, [active, promised](const auto& entry) {
    const View view = entry.first.view;
    return view > active.saturating_add(1) && view != promised;
  });
}

std::size_t MessageLog::memory_bytes() const {
  constexpr std::size_t kNode = 48;  // of an ordered map
  std::size_t bytes = 0;
  for (const auto& [key, slot] : slots_) {
    bytes += sizeof(Slot) + kNode +
             (slot.prepares.size() + slot.commits.size()) * (sizeof(Slot::Signed) + kNode);
  }
  for (const auto& [id, stored] : bodies_) {
    bytes += sizeof(StoredBody) + kNode + stored.body.payload->size();
  }
  return bytes;
}

}  // namespace quorate::consensus::pbft
