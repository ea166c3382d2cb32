#include "ledger/block_state.hpp"

#include <algorithm>

namespace quorate::ledger {

BlockState::Slot& BlockState::slot(const crypto::Address& address) {
  const auto found = slots_.lower_bound(address);
  if (found != slots_.end() && found->first == address) return found->second;
  const Digest key = state_key(address);
  const std::optional<Account> before = base_.find(key);
  return slots_.emplace_hint(found, address, Slot{key, before, before})->second;
}

const Account* BlockState::find(const crypto::Address& address) {
  const Slot& found = slot(address);
  return found.now ? &*found.now : nullptr;
}

Account& BlockState::change(const crypto::Address& address) {
  Slot& found = slot(address);
  undo_.push_back({&found, found.now});
  if (!found.now) found.now = Account{};
  return *found.now;
}

void BlockState::undo() {
  for (auto last = undo_.rbegin(); last != undo_.rend(); ++last) last->slot->now = last->value;
  undo_.clear();
}

std::vector<StateEntry> BlockState::changes() const {
  std::vector<StateEntry> out;
  out.reserve(slots_.size());
  for (const auto& [address, slot] : slots_) {
    if (slot.now && slot.now != slot.before) out.push_back({slot.key, {address, *slot.now}});
  }
  std::sort(out.begin(), out.end(),
            [](const StateEntry& a, const StateEntry& b) { return a.key < b.key; });
  return out;
}

}  // namespace quorate::ledger
