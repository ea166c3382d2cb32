#include "ledger/chain_impl.hpp"
#include "ledger/storage_layout.hpp"

namespace quorate::ledger {

// ---- with `whole` held ----

Result<void> Chain::Impl::must_stand(Height height, std::string_view what) const {
  const std::scoped_lock lock(mutex);
  if (height <= head.height) return {};
  return fail(Errc::not_found, "there is no " + std::string(what) + " here");
}

std::optional<TreeViewPtr> Chain::Impl::recent_at(Height height) const {
  const Height oldest = recent.front()->height();
  if (height < oldest || height > head.height) return std::nullopt;
  return recent[height.value() - oldest.value()];
}

Result<Header> Chain::Impl::header(Height height) const {
  QUORATE_CHECK(must_stand(height, at("block", height)));
  QUORATE_TRY(const Bytes value,
              layout::read(store, Family::blocks, layout::header_key(height), at("block", height)));
  return layout::decode_stored_header(value, height);
}

Result<StoredBlock> Chain::Impl::block(Height height) const {
  StoredBlock out;
  QUORATE_TRY(out.header, header(height));
  QUORATE_TRY(out.payload, layout::read(store, Family::blocks, layout::payload_key(height),
                                        at("payload", height)));
  if (height == Height(0)) return out;
  QUORATE_TRY(out.commit_certificate,
              layout::read(store, Family::blocks, layout::commit_certificate_key(height),
                           at("commit certificate", height)));
  return out;
}

Result<BlockCertificate> Chain::Impl::certificate(Height height) const {
  BlockCertificate out;
  QUORATE_TRY(out.header, header(height));
  if (height == Height(0)) return out;
  QUORATE_TRY(const Bytes value, layout::read(store, Family::blocks, layout::seals_key(height),
                                              at("block certificate", height)));
  QUORATE_TRY(out.seals, layout::decode_seals(value, height));
  return out;
}

Result<std::vector<Receipt>> Chain::Impl::receipts(Height height) const {
  QUORATE_CHECK(must_stand(height, at("block", height)));
  QUORATE_TRY(const Bytes value, layout::read(store, Family::blocks, layout::receipts_key(height),
                                              at("block", height)));
  return layout::decode_receipts(value, height);
}

Result<Height> Chain::Impl::indexed(const Bytes& key, const std::string& what) const {
  QUORATE_TRY(const Bytes value, layout::read(store, Family::index, key, what));
  QUORATE_TRY(const Height height, layout::decode_height(value, "index entry of " + what));
  QUORATE_CHECK(must_stand(height, what));
  return height;
}

Result<TransactionLocation> Chain::Impl::find(const Digest& transaction_id) const {
  const std::string what = "executed transaction " + to_0x(transaction_id);
  QUORATE_TRY(const Bytes value,
              layout::read(store, Family::index, layout::transaction_key(transaction_id), what));
  QUORATE_TRY(const layout::Position position, layout::decode_position(value));
  QUORATE_CHECK(must_stand(position.height, what));
  QUORATE_TRY(const std::vector<Receipt> all, receipts(position.height));
  if (position.index >= all.size() || all[position.index].transaction_id != transaction_id) {
    return fail(Errc::corrupt, "the transaction index leads to the wrong receipt " +
                                   at("for " + to_0x(transaction_id), position.height));
  }
  return TransactionLocation{position.height, position.index, all[position.index]};
}

// ---- what others ask ----

const Genesis& Chain::genesis() const { return impl_->genesis; }
const Digest& Chain::chain_id() const { return impl_->machine.chain_id(); }
std::uint64_t Chain::rewinds() const { return impl_->rewinds; }

Head Chain::head() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->head;
}

StateViewPtr Chain::state() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->recent.back();
}

std::optional<StateViewPtr> Chain::state_at(Height height) const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->recent_at(height);
}

std::optional<StateViewPtr> Chain::certified_state() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->recent_at(impl_->certified);
}

Height Chain::certified_height() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->certified;
}

Result<Header> Chain::header(Height height) const { return impl_->header(height); }

Result<StoredBlock> Chain::block(Height height) const {
  const std::shared_lock lock(impl_->whole);
  return impl_->block(height);
}

Result<Bytes> Chain::commit_certificate(Height height) const {
  const std::string what = at("commit certificate", height);
  QUORATE_CHECK(impl_->must_stand(height, what));
  return layout::read(impl_->store, Family::blocks, layout::commit_certificate_key(height), what);
}

Result<Height> Chain::height_of(const Digest& hash) const {
  return impl_->indexed(layout::block_hash_key(hash), "block " + to_0x(hash));
}

Result<Height> Chain::height_of_payload(const Digest& payload_id) const {
  return impl_->indexed(layout::payload_id_key(payload_id), "payload " + to_0x(payload_id));
}

Result<std::vector<Receipt>> Chain::receipts(Height height) const {
  return impl_->receipts(height);
}

Result<BlockCertificate> Chain::certificate(Height height) const {
  const std::shared_lock lock(impl_->whole);
  return impl_->certificate(height);
}

Result<TransactionLocation> Chain::find(const Digest& transaction_id) const {
  const std::shared_lock lock(impl_->whole);
  return impl_->find(transaction_id);
}

std::optional<WithdrawnTransaction> Chain::withdrawn(const Digest& transaction_id) const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->taken_back.find(transaction_id);
}

}  // namespace quorate::ledger
