// The accounts that one block touches, over the state before it. Operations read and change them
// here; a transaction whose operation fails is undone as a whole. Owned by one execution, one
// thread.
#pragma once

#include <map>
#include <vector>

#include "ledger/state_tree.hpp"

namespace quorate::ledger {

class BlockState {
 public:
  explicit BlockState(const StateTree& base) : base_(base) {}

  // The account, or null where none exists. Valid until undo().
  const Account* find(const crypto::Address& address);
  // The account to change, created empty where none exists. Valid until undo().
  Account& change(const crypto::Address& address);

  // Changes so far stay, whatever is undone later.
  void keep() { undo_.clear(); }
  // Takes back every change and creation since keep().
  void undo();

  // All accounts whose value differs from the state before the block, by increasing key.
  std::vector<StateEntry> changes() const;

 private:
  struct Slot {
    Digest key;
    std::optional<Account> before;  // in the state before the block
    std::optional<Account> now;
  };
  struct Undo {
    Slot* slot;
    std::optional<Account> value;
  };
  Slot& slot(const crypto::Address& address);

  const StateTree& base_;
  // Ordered, since addresses are chosen by clients: nobody can pick ones that collide.
  std::map<crypto::Address, Slot> slots_;
  std::vector<Undo> undo_;
};

}  // namespace quorate::ledger
