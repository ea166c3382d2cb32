// Taking blocks back. Nothing of the store changes before the one batch that moves the head; what
// it leaves above the head is erased afterwards.
#include "crypto/base/assert.hpp"
#include "ledger/chain_impl.hpp"
#include "ledger/storage_layout.hpp"

namespace quorate::ledger {
namespace {

void put_certified(WriteBatch& batch, Height height) {
  Bytes key = layout::meta_key(layout::kCertifiedKey);
  // There are no seals of genesis, and so no marker that leads there.
  if (height == Height(0)) return batch.erase(Family::meta, std::move(key));
  batch.put(Family::meta, std::move(key), layout::encode_height(height));
}

}  // namespace

Result<Rewound> Chain::rewind(Height height) {
  const Height top = head().height;
  if (height > top) {
    return fail(Errc::invalid_argument, "the ledger cannot go back to height " +
                                            std::to_string(height.value()) +
                                            ": it stands at height " + std::to_string(top.value()));
  }
  Rewound out;
  out.taken_from = top;
  out.executed_from = height;
  if (height < top) {
    QUORATE_CHECK(impl_->read_withdrawn(out, height));
    QUORATE_TRY(Impl::Restored target, impl_->restore(height));
    out.executed_from = target.executed_from;
    WriteBatch batch = impl_->batch_back_to(target);
    WithdrawnTransactions taken_back = impl_->taken_back;
    for (const WithdrawnBlock& block : out.withdrawn) taken_back.add(block);
    batch.put(Family::meta, layout::meta_key(layout::kWithdrawnKey), taken_back.encode());
    {
      const std::unique_lock lock(impl_->whole);
      QUORATE_CHECK(impl_->store.write(batch, true));
      impl_->publish_rewound(std::move(target), std::move(taken_back));
    }
    QUORATE_CHECK(impl_->drop_snapshots_above(height));
    QUORATE_CHECK(erase_above(impl_->store, height, top, impl_->options.rewind.batch_entries));
  }
  out.head = head();
  out.state = state();
  return out;
}

Result<void> Chain::Impl::read_withdrawn(Rewound& out, Height height) const {
  const RewindLimits& limits = options.rewind;
  std::size_t payload_bytes = 0;
  bool within = true;
  for (Height above = height.next(); above <= head.height; above = above.next()) {
    QUORATE_TRY(const Header known, header(above));
    out.transactions += known.transaction_count;
    within = within && out.transactions <= limits.transactions;
    if (!within) continue;
    QUORATE_TRY(WithdrawnBlock block, withdrawn_block(above));
    for (const TransactionPtr& each : block.transactions) payload_bytes += each->encoded.size();
    within = payload_bytes <= limits.payload_bytes;
    if (within) out.withdrawn.push_back(std::move(block));
  }
  return {};
}

Result<WithdrawnBlock> Chain::Impl::withdrawn_block(Height height) const {
  QUORATE_TRY(StoredBlock stored, block(height));
  WithdrawnBlock out;
  out.block_hash = block_hash(stored.header);
  out.payload_id = stored.header.payload_id;
  out.header = std::move(stored.header);
  QUORATE_TRY(out.transactions, decode_committed_payload(machine.chain_id(), stored.payload));
  QUORATE_TRY(out.receipts, receipts(height));
  return out;
}

// ---- the accounts as they were ----

Result<Chain::Impl::Restored> Chain::Impl::restore(Height height) const {
  QUORATE_TRY(Restored out, newest_at_or_below(height));
  out.executed_from = out.header.height;
  while (out.header.height < height) {
    QUORATE_CHECK(execute_again(out, out.header.height.next()));
  }
  return out;
}

Result<Chain::Impl::Restored> Chain::Impl::newest_at_or_below(Height height) const {
  if (const auto view = recent_at(height)) {
    QUORATE_TRY(Header known, header(height));
    return Restored{std::move(known), (*view)->tree(), height};
  }
  std::vector<Height> heights;
  if (options.snapshots != nullptr) {
    QUORATE_TRY(heights, options.snapshots->list());
  }
  for (auto it = heights.rbegin(); it != heights.rend(); ++it) {
    if (*it > height) continue;
    if (auto restored = read_snapshot(*it)) return std::move(*restored);
  }
  BlockOutcome genesis_block = machine.genesis_block();
  return Restored{std::move(genesis_block.header), std::move(genesis_block.state), Height(0)};
}

// None where the snapshot is damaged or not of this chain: an older one does as well.
std::optional<Chain::Impl::Restored> Chain::Impl::read_snapshot(Height height) const {
  auto known = header(height);
  const auto snapshot = options.snapshots->open(height);
  if (!known || !snapshot) return std::nullopt;
  auto restored = layout::read_state(**snapshot);
  if (!restored || restored->root() != known->state_root) return std::nullopt;
  return Restored{std::move(*known), std::move(*restored), height};
}

// The certificates and receipts of these blocks stay as they are; that execution gives the same
// block again shows that the accounts are right.
Result<void> Chain::Impl::execute_again(Restored& on, Height height) const {
  QUORATE_TRY(const StoredBlock stored, block(height));
  QUORATE_TRY(const auto transactions,
              decode_committed_payload(machine.chain_id(), stored.payload));
  const Header& known = stored.header;
  const BlockInput input{height, known.payload_id, known.time, known.proposer, transactions};
  BlockOutcome outcome = machine.execute(on.header, on.tree, input);
  if (outcome.block_hash != block_hash(known)) {
    return fail(Errc::corrupt, "executing the stored payload again gives another " +
                                   at("block", height) + ", " + to_0x(outcome.block_hash) +
                                   " instead of " + to_0x(block_hash(known)) +
                                   "; move the database folder aside and sync the chain again");
  }
  on.header = std::move(outcome.header);
  on.tree = std::move(outcome.state);
  return {};
}

// ---- the switch ----

WriteBatch Chain::Impl::batch_back_to(const Restored& target) const {
  const Height height = target.header.height;
  WriteBatch batch;
  for (const StateChange& change : target.tree.changes_from(tree)) {
    if (change.leaf) {
      batch.put(Family::state, to_bytes(change.key), layout::encode_state(*change.leaf));
    } else {
      batch.erase(Family::state, to_bytes(change.key));
    }
  }
  if (certified > height && options.seals) put_certified(batch, certified_at_or_below(height));
  const Head back{height, block_hash(target.header), target.header.payload_id};
  batch.put(Family::meta, layout::meta_key(layout::kHeadKey), layout::encode_head(back));
  return batch;
}

void Chain::Impl::publish_rewound(Restored target, WithdrawnTransactions now_taken_back) {
  const Height height = target.header.height;
  std::deque<TreeViewPtr> old;  // freed without the mutex
  {
    const std::scoped_lock lock(mutex);
    head = {height, block_hash(target.header), target.header.payload_id};
    while (!recent.empty() && recent.back()->height() > height) {
      old.push_back(std::move(recent.back()));
      recent.pop_back();
    }
    if (recent.empty()) recent.push_back(std::make_shared<TreeView>(height, target.tree));
    certified = certified_at_or_below(std::min(certified, height));
    taken_back = std::move(now_taken_back);
  }
  head_header = std::move(target.header);
  tree = std::move(target.tree);
  ++rewinds;
}

}  // namespace quorate::ledger
