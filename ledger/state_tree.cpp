#include "ledger/state_tree.hpp"

#include <algorithm>

#include "crypto/base/assert.hpp"

namespace quorate::ledger {

struct StateTree::Node {
  bool is_leaf;
  Digest digest;
};

namespace {

using Node = StateTree::Node;
using NodePtr = StateTree::NodePtr;

struct Leaf : Node {
  explicit Leaf(const StateEntry& from)
      : Node{true, state_leaf_hash(from.key, from.leaf)}, entry(from) {}
  StateEntry entry;
};

Digest digest_of(const NodePtr& node) { return node ? node->digest : Digest{}; }

struct Inner : Node {
  Inner(NodePtr l, NodePtr r)
      : Node{false, state_inner_hash(digest_of(l), digest_of(r))},
        left(std::move(l)),
        right(std::move(r)) {}
  NodePtr left;
  NodePtr right;
};

const Leaf& as_leaf(const Node& node) { return static_cast<const Leaf&>(node); }
const Inner& as_inner(const Node& node) { return static_cast<const Inner&>(node); }

// The entries whose key turns right at `depth`; they share all bits before it, so they follow those
// that turn left.
std::size_t split_point(std::span<const StateEntry> entries, std::size_t depth) {
  const auto right = std::partition_point(
      entries.begin(), entries.end(),
      [depth](const StateEntry& entry) { return !state_key_bit(entry.key, depth); });
  return static_cast<std::size_t>(right - entries.begin());
}

NodePtr build(std::span<const StateEntry> entries, std::size_t depth) {
  if (entries.empty()) return nullptr;
  if (entries.size() == 1) return std::make_shared<Leaf>(entries.front());
  QUORATE_ASSERT(depth < kStateDepthMax);
  const std::size_t right = split_point(entries, depth);
  return std::make_shared<Inner>(build(entries.first(right), depth + 1),
                                 build(entries.subspan(right), depth + 1));
}

NodePtr build_beside(const StateEntry& old, std::span<const StateEntry> entries,
                     std::size_t depth) {
  const auto at =
      std::lower_bound(entries.begin(), entries.end(), old.key,
                       [](const StateEntry& entry, const Digest& key) { return entry.key < key; });
  if (at != entries.end() && at->key == old.key) return build(entries, depth);
  std::vector<StateEntry> merged(entries.begin(), at);
  merged.push_back(old);
  merged.insert(merged.end(), at, entries.end());
  return build(merged, depth);
}

NodePtr update(const NodePtr& node, std::span<const StateEntry> entries, std::size_t depth) {
  if (entries.empty()) return node;
  if (!node) return build(entries, depth);
  if (node->is_leaf) return build_beside(as_leaf(*node).entry, entries, depth);
  const Inner& inner = as_inner(*node);
  const std::size_t right = split_point(entries, depth);
  return std::make_shared<Inner>(update(inner.left, entries.first(right), depth + 1),
                                 update(inner.right, entries.subspan(right), depth + 1));
}

}  // namespace

Digest StateTree::root() const { return digest_of(root_); }

std::optional<Account> StateTree::find(const Digest& key) const {
  const Node* node = root_.get();
  for (std::size_t depth = 0; node != nullptr && !node->is_leaf; ++depth) {
    const Inner& inner = as_inner(*node);
    node = (state_key_bit(key, depth) ? inner.right : inner.left).get();
  }
  if (node == nullptr || as_leaf(*node).entry.key != key) return std::nullopt;
  return as_leaf(*node).entry.leaf.account;
}

StateProof StateTree::prove(const crypto::Address& address) const {
  const Digest key = state_key(address);
  StateProof proof;
  const Node* node = root_.get();
  for (std::size_t depth = 0; node != nullptr && !node->is_leaf; ++depth) {
    const Inner& inner = as_inner(*node);
    const bool right = state_key_bit(key, depth);
    proof.siblings.push_back(digest_of(right ? inner.left : inner.right));
    node = (right ? inner.right : inner.left).get();
  }
  if (node != nullptr) proof.leaf = as_leaf(*node).entry.leaf;
  return proof;
}

StateTree StateTree::with(std::span<const StateEntry> entries) const {
  for (std::size_t i = 1; i < entries.size(); ++i) {
    QUORATE_ASSERT(entries[i - 1].key < entries[i].key);
  }
  return StateTree(update(root_, entries, 0));
}

}  // namespace quorate::ledger
