#include "tests/sim/pow/branch_ledger.hpp"

#include "crypto/base/assert.hpp"

namespace quorate::sim::pow {

BranchLedger::BranchLedger(const ledger::Genesis& genesis, std::uint32_t replicas)
    : fresh_(genesis), positions_(replicas) {}

std::optional<std::string> BranchLedger::begin(ReplicaId replica, const ledger::Head& head) {
  std::optional<Digest>& position = positions_.at(replica.value());
  if (head.height == Height(0)) {
    if (nodes_.empty()) {
      nodes_.emplace(head.block_hash,
                     Node{head.block_hash, Height(0), Digest{}, Digest{}, fresh_, {}, {}});
      by_payload_.emplace(Digest{}, head.block_hash);
    }
    if (nodes_.count(head.block_hash) == 0) return "begins with another genesis block";
  }
  if (position && *position != head.block_hash) return "begins elsewhere than where it ended";
  position = head.block_hash;
  return std::nullopt;
}

std::optional<std::string> BranchLedger::execute(ReplicaId replica,
                                                 const ledger::ExecutedBlock& block) {
  Digest& position = *positions_.at(replica.value());
  if (block.header.parent_hash != position) return "executed a block beside its own branch";
  const auto same = by_payload_.find(block.payload_id);
  if (same != by_payload_.end() && same->second != block.block_hash) {
    return "computed another block from the same order than others did";
  }
  if (same == by_payload_.end()) {
    const Node& parent = nodes_.at(position);
    Node node{position,
              parent.height.next(),
              block.payload_id,
              block.header.state_root,
              parent.model,
              block.transactions,
              {}};
    for (const ledger::Receipt& receipt : block.receipts) {
      node.effective.push_back(receipt.outcome != ledger::Outcome::skipped);
    }
    if (node.height != block.header.height) return "left a height out";
    if (auto wrong = node.model.apply(block)) return wrong;
    nodes_.emplace(block.block_hash, std::move(node));
    by_payload_.emplace(block.payload_id, block.block_hash);
  }
  position = block.block_hash;
  highest_ = std::max(highest_, block.header.height);
  return std::nullopt;
}

std::vector<const BranchLedger::Node*> BranchLedger::rewind(ReplicaId replica, Height height) {
  std::vector<const Node*> out;
  Digest& position = *positions_.at(replica.value());
  while (nodes_.at(position).height > height) {
    out.push_back(&nodes_.at(position));
    position = out.back()->parent;
  }
  return out;
}

const BranchLedger::Node& BranchLedger::position(ReplicaId replica) const {
  return nodes_.at(positions_.at(replica.value()).value());
}

const BranchLedger::Node& BranchLedger::furthest() const {
  const Node* out = nullptr;
  for (const auto& position : positions_) {
    if (!position) continue;
    const Node& node = nodes_.at(*position);
    if (out == nullptr || node.height > out->height) out = &node;
  }
  QUORATE_ASSERT(out != nullptr);
  return *out;
}

std::optional<Digest> BranchLedger::hash_at(ReplicaId replica, Height height) const {
  Digest at = positions_.at(replica.value()).value();
  while (nodes_.at(at).height > height) at = nodes_.at(at).parent;
  if (nodes_.at(at).height != height) return std::nullopt;
  return at;
}

std::optional<Digest> BranchLedger::hash_of(const Digest& payload_id) const {
  const auto found = by_payload_.find(payload_id);
  return found == by_payload_.end() ? std::nullopt : std::optional<Digest>(found->second);
}

// All copies share what was submitted.
void BranchLedger::submitted(const Digest& id) { fresh_.submitted(id); }

std::uint64_t BranchLedger::nonce(const crypto::Address& address) const {
  return furthest().model.nonce(address);
}

std::uint64_t BranchLedger::balance(const crypto::Address& address) const {
  return furthest().model.balance(address);
}

}  // namespace quorate::sim::pow
