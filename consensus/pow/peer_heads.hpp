// The block of most work that each peer has shown here: it has that block and all below it, so it
// is the one to ask for them. A peer may show what it does not have; then it does not answer, and
// another is asked. Owned by the engine's thread.
#pragma once

#include <map>

#include "consensus/pow/block_tree.hpp"

namespace quorate::consensus::pow {

class PeerHeads {
 public:
  // A full tree may have given the block up for what stood on it as an orphan: then it is no head.
  void note(ReplicaId peer, const BlockTree& tree, const Digest& id) {
    const Block* block = tree.find(id);
    if (block == nullptr) return;
    const auto [known, first] = heads_.try_emplace(peer, Head{block->id, block->total_work()});
    if (!first && known->second.work < block->total_work()) {
      known->second = {block->id, block->total_work()};
    }
  }
  // None: it has shown none, or one that the tree has forgotten.
  const Block* of(ReplicaId peer, const BlockTree& tree) const {
    const auto known = heads_.find(peer);
    return known == heads_.end() ? nullptr : tree.find(known->second.id);
  }
  void forget(ReplicaId peer) { heads_.erase(peer); }

 private:
  struct Head {
    Digest id;
    work::Uint256 work;
  };
  std::map<ReplicaId, Head> heads_;
};

}  // namespace quorate::consensus::pow
