// The payloads that the engine holds: of blocks above the ledger's head, and of a few below for
// peers that ask. Owned by the engine's thread.
#pragma once

#include <map>
#include <set>

#include "consensus/engine.hpp"
#include "consensus/pow/messages.hpp"

namespace quorate::consensus::pow {

// Of payloads, all branches together. Above the first bound those are given up whose block is valid
// and whose turn is far: they are fetched again when it is near. Above the second nothing is asked
// for, above the third nothing is taken in.
inline constexpr std::size_t kPayloadBytesKept = 128U << 20U;
inline constexpr std::size_t kPayloadBytesAsked = 192U << 20U;
inline constexpr std::size_t kPayloadBytesMax = 256U << 20U;

struct StoredBody {
  Payload payload;
  Height height;
  ReplicaId from;           // who brought it
  bool checked = false;     // it is valid
  bool shown = false;       // the host knows it by its block's id
  bool logged = false;      // its record was handed to the log
  PersistToken token = {};  // of that record; zero: from an earlier life
};

class BodyStore {
 public:
  StoredBody* find(const Digest& id) {
    const auto it = bodies_.find(id);
    return it == bodies_.end() ? nullptr : &it->second;
  }
  const StoredBody* find(const Digest& id) const {
    const auto it = bodies_.find(id);
    return it == bodies_.end() ? nullptr : &it->second;
  }
  StoredBody& put(const Digest& id, StoredBody body) {
    bytes_ += body.payload->size();
    by_height_.emplace(body.height, id);
    return bodies_.emplace(id, std::move(body)).first->second;
  }
  void erase(const Digest& id) {
    const auto it = bodies_.find(id);
    if (it == bodies_.end()) return;
    bytes_ -= it->second.payload->size();
    by_height_.erase({it->second.height, id});
    bodies_.erase(it);
  }
  const std::map<Digest, StoredBody>& all() const { return bodies_; }
  // The lowest first.
  const std::set<std::pair<Height, Digest>>& by_height() const { return by_height_; }
  // Their payloads stay as they are.
  std::map<Digest, StoredBody>& all() { return bodies_; }
  std::size_t payload_bytes() const { return bytes_; }
  std::size_t memory_bytes() const { return bytes_ + bodies_.size() * 288; }

 private:
  std::map<Digest, StoredBody> bodies_;
  std::set<std::pair<Height, Digest>> by_height_;
  std::size_t bytes_ = 0;
};

}  // namespace quorate::consensus::pow
