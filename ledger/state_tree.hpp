// The Merkle tree over all accounts, as types/state_proof.hpp defines it: an immutable value whose
// versions share what did not change. A block makes a new version from the old one and the accounts
// it touched, hashing every changed node once.
//
// Invariants: a subtree with one account is that account's leaf, an empty subtree is no node, so
// equal sets of accounts have equal trees whatever the history. No block removes an account.
// Threads: a StateTree may be read and copied from any thread; nodes are never written again.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "ledger/types/state_proof.hpp"

namespace quorate::ledger {

// An account with the key it has in the tree.
struct StateEntry {
  Digest key;  // state_key(leaf.address)
  StateLeaf leaf;
};

// What an account becomes: its value, or none where it is no more.
struct StateChange {
  Digest key;
  std::optional<StateLeaf> leaf;
};

class StateTree {
 public:
  struct Node;
  // No node and the zero digest where it is empty.
  struct Subtree {
    std::shared_ptr<const Node> node;
    Digest digest;
  };

  StateTree() = default;

  // Zero for the empty tree.
  const Digest& root() const { return root_.digest; }
  std::optional<Account> find(const Digest& key) const;
  std::optional<Account> account(const crypto::Address& address) const {
    return find(state_key(address));
  }
  StateProof prove(const crypto::Address& address) const;

  // This tree with the given accounts added or replaced. Asserts that keys strictly increase.
  StateTree with(std::span<const StateEntry> entries) const;

  // What turns `from` into this tree, by increasing key. Only this takes accounts away, for a tree
  // of an earlier height. Looks only at what differs.
  std::vector<StateChange> changes_from(const StateTree& from) const;

 private:
  explicit StateTree(Subtree root) : root_(std::move(root)) {}
  Subtree root_;
};

}  // namespace quorate::ledger
