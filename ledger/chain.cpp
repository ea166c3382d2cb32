#include "ledger/chain.hpp"

#include <map>

#include "crypto/base/assert.hpp"
#include "ledger/chain_impl.hpp"
#include "ledger/storage_layout.hpp"

namespace quorate::ledger {
namespace {

constexpr std::size_t kStatesKept = 256;  // below the head
// Below the certified height: a reader may have asked for it just before it moved on.
constexpr std::uint64_t kStatesKeptBelowCertified = 64;

void put_block(WriteBatch& batch, const BlockOutcome& block, Bytes payload) {
  const Height height = block.header.height;
  batch.put(Family::blocks, layout::header_key(height), encode(block.header));
  batch.put(Family::blocks, layout::payload_key(height), std::move(payload));
  batch.put(Family::blocks, layout::receipts_key(height), layout::encode_receipts(block.receipts));
  batch.put(Family::index, layout::block_hash_key(block.block_hash), layout::encode_height(height));
}

void put_commit(WriteBatch& batch, const BlockOutcome& block, Bytes commit_certificate) {
  const Height height = block.header.height;
  batch.put(Family::blocks, layout::commit_certificate_key(height), std::move(commit_certificate));
  batch.put(Family::index, layout::payload_id_key(block.header.payload_id),
            layout::encode_height(height));
}

// In order of id: sorted keys are cheaper to insert. Skipped transactions are not located.
void put_locations(WriteBatch& batch, const BlockOutcome& block) {
  std::vector<std::pair<Digest, std::uint32_t>> located;
  located.reserve(block.receipts.size());
  for (std::uint32_t i = 0; i < block.receipts.size(); ++i) {
    const Receipt& receipt = block.receipts[i];
    if (receipt.outcome != Outcome::skipped) located.emplace_back(receipt.transaction_id, i);
  }
  std::sort(located.begin(), located.end());
  for (const auto& [id, index] : located) {
    batch.put(Family::index, layout::transaction_key(id),
              layout::encode_position({block.header.height, index}));
  }
}

void put_state(WriteBatch& batch, const std::vector<StateEntry>& changes) {
  for (const StateEntry& entry : changes) {
    batch.put(Family::state, to_bytes(entry.key), layout::encode_state(entry.leaf));
  }
}

// The last value of each account that several blocks changed, by key.
std::vector<StateEntry> last_changes(const std::vector<BlockOutcome>& blocks) {
  if (blocks.size() == 1) return blocks.front().changes;
  std::map<Digest, const StateEntry*> last;
  for (const BlockOutcome& block : blocks) {
    for (const StateEntry& entry : block.changes) last[entry.key] = &entry;
  }
  std::vector<StateEntry> out;
  out.reserve(last.size());
  for (const auto& [key, entry] : last) out.push_back(*entry);
  return out;
}

Head head_of(const BlockOutcome& block) {
  return {block.header.height, block.block_hash, block.header.payload_id};
}

}  // namespace

std::string at(std::string_view what, Height height) {
  return std::string(what) + " at height " + std::to_string(height.value());
}

Result<void> Chain::Impl::write_genesis() {
  BlockOutcome block = machine.genesis_block();
  WriteBatch batch;
  batch.put(Family::meta, layout::meta_key(layout::kVersionKey),
            layout::encode_version(layout::kStorageVersion));
  batch.put(Family::meta, layout::meta_key(layout::kChainIdKey), to_bytes(machine.chain_id()));
  batch.put(Family::meta, layout::meta_key(layout::kHeadKey), layout::encode_head(head_of(block)));
  put_block(batch, block, {});
  put_state(batch, block.changes);
  return store.write(batch, true);
}

Result<void> Chain::Impl::load() {
  QUORATE_TRY(const Bytes head_bytes,
              layout::read(store, Family::meta, layout::meta_key(layout::kHeadKey), "head"));
  QUORATE_TRY(head, layout::decode_head(head_bytes));
  QUORATE_TRY(const Bytes header_bytes,
              layout::read(store, Family::blocks, layout::header_key(head.height), "head header"));
  QUORATE_TRY(head_header, layout::decode_stored_header(header_bytes, head.height));
  if (block_hash(head_header) != head.block_hash) {
    return fail(Errc::corrupt, "the database's head marker names block " + to_0x(head.block_hash) +
                                   ", but the " + at("header", head.height) + " is that of " +
                                   to_0x(block_hash(head_header)));
  }
  QUORATE_TRY(tree, layout::read_state(store));
  if (tree.root() != head_header.state_root) {
    return fail(Errc::corrupt, "the stored accounts lead to state root " + to_0x(tree.root()) +
                                   ", but the " + at("header", head.height) + " has " +
                                   to_0x(head_header.state_root) +
                                   "; restore the data folder or sync it again");
  }
  recent = {std::make_shared<TreeView>(head.height, tree)};
  QUORATE_CHECK(load_withdrawn());
  return load_certified();
}

Result<void> Chain::Impl::load_withdrawn() {
  const auto stored = store.get(Family::meta, layout::meta_key(layout::kWithdrawnKey));
  if (!stored && stored.error().code == Errc::not_found) return {};
  QUORATE_TRY(const Bytes encoded, stored);
  QUORATE_TRY(taken_back, WithdrawnTransactions::decode(encoded));
  return {};
}

// The marker is written in one batch with the seals it speaks of, but neither is synced: what a
// crash leaves is an older marker with its seals.
Result<void> Chain::Impl::load_certified() {
  if (!options.seals) {
    certified = head.height;
    return {};
  }
  auto marker = store.get(Family::meta, layout::meta_key(layout::kCertifiedKey));
  if (!marker) {
    if (marker.error().code == Errc::not_found) return {};
    return tl::unexpected(marker.error());
  }
  QUORATE_TRY(certified, layout::decode_height(*marker, "certified marker"));
  certified = certified_at_or_below(std::min(certified, head.height));
  return {};
}

Height Chain::Impl::certified_at_or_below(Height height) const {
  if (!options.seals) return height;
  while (height != Height(0) && !has_seal_quorum(height)) height = height.previous();
  return height;
}

bool Chain::Impl::has_seal_quorum(Height height) const {
  const auto value = store.get(Family::blocks, layout::seals_key(height));
  if (!value) return false;
  const auto seals = layout::decode_seals(*value, height);
  return seals && seals->size() >= quorum;
}

void Chain::Impl::publish(Head new_head, TreeViewPtr view) {
  std::vector<TreeViewPtr> old;
  const std::scoped_lock lock(mutex);
  head = new_head;
  if (!options.seals) certified = head.height;
  recent.push_back(std::move(view));
  old = take_old_states();
}

std::vector<TreeViewPtr> Chain::Impl::take_old_states() {
  const Height oldest = certified.saturating_sub(kStatesKeptBelowCertified);
  std::vector<TreeViewPtr> out;
  while (recent.size() > kStatesKept + 1 || recent.front()->height() < oldest) {
    out.push_back(std::move(recent.front()));
    recent.pop_front();
  }
  return out;
}

// Also where the one that was due is missing: this looks at the newest that is there.
Result<void> Chain::Impl::snapshot_if_due() {
  const Height height = head.height;
  if (options.snapshots == nullptr) return {};
  if (snapshot_number(height) <= snapshot_number(newest_snapshot)) return {};
  QUORATE_CHECK(options.snapshots->take(height));
  newest_snapshot = height;
  QUORATE_TRY(const std::vector<Height> heights, options.snapshots->list());
  for (const Height each : heights) {
    if (!keeps_snapshot(each, height)) QUORATE_CHECK(options.snapshots->remove(each));
  }
  return {};
}

// They are of blocks that were withdrawn, or of a store that was moved away.
Result<void> Chain::Impl::drop_snapshots_above(Height height) {
  newest_snapshot = Height(0);
  if (options.snapshots == nullptr) return {};
  QUORATE_TRY(const std::vector<Height> heights, options.snapshots->list());
  for (const Height each : heights) {
    if (each > height) {
      QUORATE_CHECK(options.snapshots->remove(each));
    } else {
      newest_snapshot = std::max(newest_snapshot, each);
    }
  }
  return {};
}

Chain::Chain(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Chain::~Chain() = default;

Result<std::unique_ptr<Chain>> Chain::open(KvStore& store, const Genesis& genesis,
                                           ChainOptions options) {
  auto impl = std::make_unique<Impl>(store, genesis, options);
  const auto version = store.get(Family::meta, layout::meta_key(layout::kVersionKey));
  if (!version && version.error().code == Errc::not_found) {
    QUORATE_CHECK(impl->write_genesis());
  } else if (!version) {
    return tl::unexpected(version.error());
  }
  auto opened = layout::check_identity(store, impl->machine.chain_id())
                    .and_then([&] { return finish_rewind(store, options.rewind.batch_entries); })
                    .and_then([&impl](std::uint64_t) { return impl->load(); });
  // What the genesis batch wrote cannot be missing later.
  if (!opened && opened.error().code == Errc::not_found) opened.error().code = Errc::corrupt;
  QUORATE_CHECK(std::move(opened));
  QUORATE_CHECK(impl->drop_snapshots_above(impl->head.height));
  return std::unique_ptr<Chain>(new Chain(std::move(impl)));
}

Result<std::vector<ExecutedBlock>> Chain::execute(std::vector<OrderedBlock> blocks) {
  std::vector<BlockOutcome> outcomes;
  outcomes.reserve(blocks.size());
  WriteBatch batch;
  const Header* parent = &impl_->head_header;
  const StateTree* tree = &impl_->tree;
  for (OrderedBlock& block : blocks) {
    const BlockInput input{block.height, block.payload_id, block.proposed_time, block.proposer,
                           block.transactions};
    outcomes.push_back(impl_->machine.execute(*parent, *tree, input));
    const BlockOutcome& outcome = outcomes.back();
    put_block(batch, outcome, std::move(block.payload));
    put_commit(batch, outcome, std::move(block.commit_certificate));
    put_locations(batch, outcome);
    parent = &outcome.header;
    tree = &outcome.state;
  }
  std::vector<ExecutedBlock> out;
  if (outcomes.empty()) return out;
  put_state(batch, last_changes(outcomes));
  batch.put(Family::meta, layout::meta_key(layout::kHeadKey),
            layout::encode_head(head_of(outcomes.back())));
  QUORATE_CHECK(impl_->store.write(batch, true));

  impl_->head_header = outcomes.back().header;
  impl_->tree = outcomes.back().state;
  out.reserve(outcomes.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    BlockOutcome& outcome = outcomes[i];
    const Head head = head_of(outcome);
    auto view = std::make_shared<TreeView>(head.height, std::move(outcome.state));
    impl_->publish(head, view);
    out.push_back({outcome.header, outcome.block_hash, ledger::checkpoint_digest(outcome.header),
                   outcome.header.payload_id, std::move(blocks[i].transactions),
                   std::move(outcome.receipts), std::move(view)});
  }
  QUORATE_CHECK(impl_->snapshot_if_due());
  return out;
}

Result<void> Chain::store_seals(Height height, const std::vector<crypto::ReplicaSignature>& seals) {
  const Height top = head().height;
  if (height == Height(0) || height > top) {
    return fail(Errc::invalid_argument, "these are " + at("seals", height) +
                                            ", but this node has executed heights 1 to " +
                                            std::to_string(top.value()));
  }
  if (seals.size() < impl_->quorum) {
    return fail(Errc::invalid_argument, std::to_string(seals.size()) + " seals are no quorum of " +
                                            std::to_string(impl_->quorum));
  }
  const bool newest = height > certified_height();
  WriteBatch batch;
  batch.put(Family::blocks, layout::seals_key(height), layout::encode_seals(seals));
  if (newest) {
    batch.put(Family::meta, layout::meta_key(layout::kCertifiedKey), layout::encode_height(height));
  }
  QUORATE_CHECK(impl_->store.write(batch, false));
  if (newest) {
    std::vector<TreeViewPtr> old;
    const std::scoped_lock lock(impl_->mutex);
    impl_->certified = height;
    old = impl_->take_old_states();
  }
  return {};
}

}  // namespace quorate::ledger
