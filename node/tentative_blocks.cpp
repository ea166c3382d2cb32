#include "node/tentative_blocks.hpp"

namespace quorate::node {
namespace {

constexpr std::size_t kTentativeBytes = 160;  // of one transaction, in both places

}  // namespace

void TentativeBlocks::put(Height height, const Digest& id, Bytes certificate,
                          const std::vector<ledger::TransactionPtr>* transactions) {
  if (const auto other = blocks_.find(height);
      other != blocks_.end() && other->second.named.id != id) {
    erase(other);
  }
  Block& block = blocks_[height];
  block.named.id = id;
  if (!certificate.empty()) block.named.certificate = std::move(certificate);
  if (transactions == nullptr || !block.transactions.empty()) return;
  block.transactions.reserve(transactions->size());
  for (const ledger::TransactionPtr& transaction : *transactions) {
    block.transactions.push_back(transaction->id);
    by_transaction_.insert({transaction->id, height});
  }
}

void TentativeBlocks::erase(std::map<Height, Block>::iterator block) {
  for (const Digest& id : block->second.transactions) by_transaction_.erase({id, block->first});
  blocks_.erase(block);
}

void TentativeBlocks::drop_above(Height height) {
  while (!blocks_.empty() && blocks_.rbegin()->first > height) erase(std::prev(blocks_.end()));
}

void TentativeBlocks::executed(Height height) {
  while (!blocks_.empty() && blocks_.begin()->first <= height) erase(blocks_.begin());
}

std::optional<Height> TentativeBlocks::find(const Digest& transaction_id) const {
  const auto found = by_transaction_.lower_bound({transaction_id, Height(0)});
  if (found == by_transaction_.end() || found->first != transaction_id) return std::nullopt;
  return found->second;
}

TentativeBranch TentativeBlocks::branch() const {
  TentativeBranch out;
  for (const auto& [height, block] : blocks_) out.emplace(height, block.named);
  return out;
}

std::size_t TentativeBlocks::memory_bytes() const {
  std::size_t total = by_transaction_.size() * kTentativeBytes;
  for (const auto& [height, block] : blocks_)
    total += sizeof(Block) + block.named.certificate.size();
  return total;
}

}  // namespace quorate::node
