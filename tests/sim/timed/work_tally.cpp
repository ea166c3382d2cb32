#include "tests/sim/timed/work_tally.hpp"

namespace quorate::sim::timed {

void WorkTally::mined(ReplicaId replica, const pow::MinedBlock& block) {
  by_id_.emplace(block.id, blocks_.size());
  blocks_.push_back({block.id, block.header.parent, block.header.height.value(),
                     block.when.since_origin, replica.value()});
}

const WorkTally::Block* WorkTally::find(const Digest& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &blocks_[found->second];
}

std::uint64_t WorkTally::height_of(const Digest& id) const {
  const Block* block = find(id);
  return block == nullptr ? 0 : block->height;
}

// Down from both ends until they meet.
std::uint64_t WorkTally::blocks_left(Digest from, Digest to) const {
  std::uint64_t out = 0;
  while (from != to) {
    if (height_of(to) > height_of(from)) {
      to = find(to)->parent;
      continue;
    }
    const Block* block = find(from);
    if (block == nullptr) break;
    from = block->parent;
    ++out;
  }
  return out;
}

const WorkTally::Preference& WorkTally::prefers(Instant when, ReplicaId replica, const Digest& tip,
                                                Height height) {
  Digest& known = tips_.at(replica.value());
  const Digest before = std::exchange(known, tip);
  preferences_.push_back({when.since_origin, replica.value(), tip, height.value(),
                          before == Digest{} ? 0 : blocks_left(before, tip)});
  return preferences_.back();
}

const WorkTally::Withdrawal& WorkTally::withdrawn(Instant when, ReplicaId replica,
                                                  const node::Notice& notice) {
  Withdrawal out{when.since_origin, replica.value(), notice.height.value(),
                 notice.withdrawn->size(), 0};
  for (const ledger::WithdrawnBlock& block : *notice.withdrawn) {
    out.transactions += block.transactions.size();
  }
  withdrawals_.push_back(out);
  return withdrawals_.back();
}

std::map<std::uint64_t, std::uint64_t> WorkTally::switches() const {
  std::map<std::uint64_t, std::uint64_t> out;
  for (const Preference& preference : preferences_) {
    if (preference.left > 0) ++out[preference.left];
  }
  return out;
}

}  // namespace quorate::sim::timed
