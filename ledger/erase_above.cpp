#include "ledger/erase_above.hpp"

#include "ledger/storage_layout.hpp"

namespace quorate::ledger {
namespace {

Result<void> erase_block(WriteBatch& batch, const KvStore& store, Height height) {
  QUORATE_TRY(const Bytes stored,
              layout::read(store, Family::blocks, layout::header_key(height), "withdrawn block"));
  QUORATE_TRY(const Header header, layout::decode_stored_header(stored, height));
  QUORATE_TRY(const Bytes value, layout::read(store, Family::blocks, layout::receipts_key(height),
                                              "list of a withdrawn block's receipts"));
  QUORATE_TRY(const std::vector<Receipt> receipts, layout::decode_receipts(value, height));
  batch.erase(Family::blocks, layout::header_key(height));
  batch.erase(Family::blocks, layout::payload_key(height));
  batch.erase(Family::blocks, layout::commit_certificate_key(height));
  batch.erase(Family::blocks, layout::receipts_key(height));
  batch.erase(Family::blocks, layout::seals_key(height));
  batch.erase(Family::index, layout::block_hash_key(block_hash(header)));
  batch.erase(Family::index, layout::payload_id_key(header.payload_id));
  // A used nonce keeps a transaction from being executed twice on one branch, so the entry is of
  // this block and of no other.
  for (const Receipt& receipt : receipts) {
    if (receipt.outcome == Outcome::skipped) continue;
    batch.erase(Family::index, layout::transaction_key(receipt.transaction_id));
  }
  return {};
}

}  // namespace

Result<void> erase_above(KvStore& store, Height head, Height top, std::size_t batch_entries) {
  WriteBatch batch;
  for (Height height = top; height > head; height = height.previous()) {
    QUORATE_CHECK(erase_block(batch, store, height));
    const bool last = height.previous() == head;
    if (!last && batch.puts.size() < batch_entries) continue;
    QUORATE_CHECK(store.write(batch, false));
    batch.puts.clear();
  }
  return {};
}

Result<std::uint64_t> finish_rewind(KvStore& store, std::size_t batch_entries) {
  QUORATE_TRY(const Bytes head_bytes,
              layout::read(store, Family::meta, layout::meta_key(layout::kHeadKey), "head"));
  QUORATE_TRY(const Head head, layout::decode_head(head_bytes));
  Height top = head.height;
  for (;;) {
    const auto above = store.get(Family::blocks, layout::header_key(top.next()));
    if (!above && above.error().code != Errc::not_found) return tl::unexpected(above.error());
    if (!above) break;
    top = top.next();
  }
  QUORATE_CHECK(erase_above(store, head.height, top, batch_entries));
  return top.saturating_sub(head.height.value()).value();
}

}  // namespace quorate::ledger
