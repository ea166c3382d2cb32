#include "ledger/state_tree.hpp"

#include <algorithm>

#include "crypto/base/assert.hpp"

namespace quorate::ledger {

struct StateTree::Node {
  bool is_leaf;
};

namespace {

using Node = StateTree::Node;
using Subtree = StateTree::Subtree;

struct Leaf : Node {
  explicit Leaf(const StateEntry& from) : Node{true}, entry(from) {}
  StateEntry entry;
};

// The digests of the children stand here and not in the children: to hash a node again after one
// child has changed, the other child's memory need not be touched. The pointers come first, for a
// lookup needs nothing else.
struct Inner : Node {
  Inner(Subtree l, Subtree r)
      : Node{false},
        left(std::move(l.node)),
        right(std::move(r.node)),
        left_digest(l.digest),
        right_digest(r.digest) {}
  std::shared_ptr<const Node> left;
  std::shared_ptr<const Node> right;
  Digest left_digest;
  Digest right_digest;
};

const Leaf& as_leaf(const Node& node) { return static_cast<const Leaf&>(node); }
const Inner& as_inner(const Node& node) { return static_cast<const Inner&>(node); }

Subtree make_leaf(const StateEntry& entry) {
  return {std::make_shared<Leaf>(entry), state_leaf_hash(entry.key, entry.leaf)};
}

Subtree make_inner(Subtree left, Subtree right) {
  const Digest digest = state_inner_hash(left.digest, right.digest);
  return {std::make_shared<Inner>(std::move(left), std::move(right)), digest};
}

// The entries whose key turns right at `depth`; they share all bits before it, so they follow those
// that turn left.
std::size_t split_point(std::span<const StateEntry> entries, std::size_t depth) {
  const auto right = std::partition_point(
      entries.begin(), entries.end(),
      [depth](const StateEntry& entry) { return !state_key_bit(entry.key, depth); });
  return static_cast<std::size_t>(right - entries.begin());
}

Subtree build(std::span<const StateEntry> entries, std::size_t depth) {
  if (entries.empty()) return {};
  if (entries.size() == 1) return make_leaf(entries.front());
  QUORATE_ASSERT(depth < kStateDepthMax);
  const std::size_t right = split_point(entries, depth);
  return make_inner(build(entries.first(right), depth + 1),
                    build(entries.subspan(right), depth + 1));
}

Subtree build_beside(const StateEntry& old, std::span<const StateEntry> entries,
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

Subtree update(const std::shared_ptr<const Node>& node, const Digest& digest,
               std::span<const StateEntry> entries, std::size_t depth) {
  if (entries.empty()) return {node, digest};
  if (!node) return build(entries, depth);
  if (node->is_leaf) return build_beside(as_leaf(*node).entry, entries, depth);
  const Inner& inner = as_inner(*node);
  const std::size_t right = split_point(entries, depth);
  return make_inner(update(inner.left, inner.left_digest, entries.first(right), depth + 1),
                    update(inner.right, inner.right_digest, entries.subspan(right), depth + 1));
}

void collect(const Node* node, std::vector<StateEntry>& out) {
  if (node == nullptr) return;
  if (node->is_leaf) {
    out.push_back(as_leaf(*node).entry);
    return;
  }
  collect(as_inner(*node).left.get(), out);
  collect(as_inner(*node).right.get(), out);
}

void add_changes(const std::vector<StateEntry>& before, const std::vector<StateEntry>& after,
                 std::vector<StateChange>& out) {
  auto old = before.begin();
  for (const StateEntry& entry : after) {
    for (; old != before.end() && old->key < entry.key; ++old) out.push_back({old->key, {}});
    const bool existed = old != before.end() && old->key == entry.key;
    if (!existed || old->leaf != entry.leaf) out.push_back({entry.key, entry.leaf});
    if (existed) ++old;
  }
  for (; old != before.end(); ++old) out.push_back({old->key, {}});
}

void compare(const Node* before, const Digest& before_digest, const Node* after,
             const Digest& after_digest, std::vector<StateChange>& out) {
  if (before_digest == after_digest) return;
  if (before != nullptr && after != nullptr && !before->is_leaf && !after->is_leaf) {
    const Inner& old = as_inner(*before);
    const Inner& now = as_inner(*after);
    compare(old.left.get(), old.left_digest, now.left.get(), now.left_digest, out);
    return compare(old.right.get(), old.right_digest, now.right.get(), now.right_digest, out);
  }
  // One of them has an account at most, so nearly all of the other differs.
  std::vector<StateEntry> old;
  std::vector<StateEntry> now;
  collect(before, old);
  collect(after, now);
  add_changes(old, now, out);
}

}  // namespace

std::optional<Account> StateTree::find(const Digest& key) const {
  const Node* node = root_.node.get();
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
  const Node* node = root_.node.get();
  for (std::size_t depth = 0; node != nullptr && !node->is_leaf; ++depth) {
    const Inner& inner = as_inner(*node);
    const bool right = state_key_bit(key, depth);
    proof.siblings.push_back(right ? inner.left_digest : inner.right_digest);
    node = (right ? inner.right : inner.left).get();
  }
  if (node != nullptr) proof.leaf = as_leaf(*node).entry.leaf;
  return proof;
}

StateTree StateTree::with(std::span<const StateEntry> entries) const {
  for (std::size_t i = 1; i < entries.size(); ++i) {
    QUORATE_ASSERT(entries[i - 1].key < entries[i].key);
  }
  return StateTree(update(root_.node, root_.digest, entries, 0));
}

std::vector<StateChange> StateTree::changes_from(const StateTree& from) const {
  std::vector<StateChange> out;
  compare(from.root_.node.get(), from.root_.digest, root_.node.get(), root_.digest, out);
  return out;
}

}  // namespace quorate::ledger
