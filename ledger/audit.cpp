#include "ledger/audit.hpp"

#include "ledger/state_machine.hpp"
#include "ledger/storage_layout.hpp"
#include "ledger/types/block_certificate.hpp"

namespace quorate::ledger {
namespace {

tl::unexpected<Error> bad(Height height, std::string_view field, const std::string& detail) {
  return fail(Errc::corrupt, "height " + std::to_string(height.value()) + ": " +
                                 std::string(field) + ": " + detail);
}

std::string text(const Digest& value) { return to_0x(value); }
std::string text(const PublicKey& value) { return to_0x(value); }
std::string text(std::uint64_t value) { return std::to_string(value); }
template <class Tag, class Rep>
std::string text(StrongInt<Tag, Rep> value) {
  return std::to_string(value.value());
}

template <class Value>
Result<void> same(Height height, std::string_view field, const Value& stored,
                  const Value& computed) {
  if (stored == computed) return {};
  return bad(height, field,
             "the store has " + text(stored) + ", execution gives " + text(computed));
}

// In an order that names causes before their consequences.
Result<void> compare_headers(const Header& stored, const Header& computed) {
  const Height height = computed.height;
  QUORATE_CHECK(same(height, "chain_id", stored.chain_id, computed.chain_id));
  QUORATE_CHECK(same(height, "epoch", stored.epoch, computed.epoch));
  QUORATE_CHECK(same(height, "parent_hash", stored.parent_hash, computed.parent_hash));
  QUORATE_CHECK(same(height, "payload_id", stored.payload_id, computed.payload_id));
  QUORATE_CHECK(same(height, "proposer", stored.proposer, computed.proposer));
  QUORATE_CHECK(same(height, "time", stored.time, computed.time));
  QUORATE_CHECK(same(height, "transaction_count", std::uint64_t{stored.transaction_count},
                     std::uint64_t{computed.transaction_count}));
  QUORATE_CHECK(
      same(height, "transactions_root", stored.transactions_root, computed.transactions_root));
  QUORATE_CHECK(same(height, "receipts_root", stored.receipts_root, computed.receipts_root));
  QUORATE_CHECK(same(height, "state_root", stored.state_root, computed.state_root));
  QUORATE_CHECK(same(height, "config_hash", stored.config_hash, computed.config_hash));
  QUORATE_CHECK(
      same(height, "next_config_hash", stored.next_config_hash, computed.next_config_hash));
  return same(height, "block hash", block_hash(stored), block_hash(computed));
}

class Audit {
 public:
  Audit(const KvStore& store, const Genesis& genesis, const crypto::Verifier& verifier,
        const AuditOptions& options)
      : store_(store),
        machine_(genesis),
        membership_(membership(genesis)),
        verifier_(verifier),
        options_(options) {}

  Result<AuditReport> run() {
    QUORATE_CHECK(layout::check_identity(store_, machine_.chain_id()));
    QUORATE_TRY(const Bytes head_bytes,
                read(Family::meta, layout::meta_key(layout::kHeadKey), Height(0), "head marker"));
    QUORATE_TRY(head_, layout::decode_head(head_bytes));
    QUORATE_CHECK(check_block(machine_.genesis_block(), {}));
    for (Height height(1); height <= head_.height; height = height.next()) {
      QUORATE_CHECK(replay(height));
      if (options_.progress) options_.progress(height, head_.height);
    }
    QUORATE_CHECK(check_head());
    QUORATE_CHECK(check_nothing_above());
    QUORATE_CHECK(check_index_size());
    QUORATE_CHECK(check_accounts());
    report_.head = head_.height;
    report_.block_hash = head_.block_hash;
    report_.state_root = state_.root();
    return report_;
  }

 private:
  // A value that must be there.
  Result<Bytes> read(Family family, const Bytes& key, Height height, std::string_view what) const {
    auto value = store_.get(family, key);
    if (!value && value.error().code == Errc::not_found) return bad(height, what, "it is missing");
    return value;
  }

  Result<void> replay(Height height) {
    QUORATE_TRY(const Bytes payload,
                read(Family::blocks, layout::payload_key(height), height, "payload"));
    QUORATE_TRY(
        const Bytes certificate,
        read(Family::blocks, layout::commit_certificate_key(height), height, "commit certificate"));
    const auto order = options_.check_commit_certificate(height, payload, certificate);
    if (!order) return bad(height, "commit certificate", order.error().detail);
    QUORATE_TRY(const std::vector<TransactionPtr> transactions, decode_payload(height, payload));
    report_.transactions += transactions.size();
    const BlockInput input{height, order->payload_id, order->proposed_time, order->proposer,
                           transactions};
    return check_block(machine_.execute(parent_, state_, input), order->payload_id);
  }

  Result<std::vector<TransactionPtr>> decode_payload(Height height, ByteView payload) const {
    std::vector<TransactionPtr> out;
    const auto parts = split_payload(payload);
    if (!parts) return bad(height, "payload", parts.error().detail);
    out.reserve(parts->size());
    for (const ByteView part : *parts) {
      auto transaction = verify_transaction(machine_.chain_id(), part, verifier_);
      if (!transaction) {
        return bad(height, "transaction " + std::to_string(out.size()), transaction.error().detail);
      }
      out.push_back(std::move(*transaction));
    }
    return out;
  }

  // Compares what is stored for a height with the outcome of executing it, and moves on to it.
  Result<void> check_block(BlockOutcome outcome, const std::optional<Digest>& payload_id) {
    const Height height = outcome.header.height;
    QUORATE_TRY(const Bytes stored,
                read(Family::blocks, layout::header_key(height), height, "header"));
    QUORATE_TRY(const Header header, layout::decode_stored_header(stored, height));
    QUORATE_CHECK(compare_headers(header, outcome.header));
    QUORATE_CHECK(check_receipts(outcome));
    QUORATE_CHECK(
        check_height_index(layout::block_hash_key(outcome.block_hash), height, "block hash index"));
    if (payload_id) {
      QUORATE_CHECK(
          check_height_index(layout::payload_id_key(*payload_id), height, "payload id index"));
    }
    QUORATE_CHECK(check_seals(outcome.header));
    parent_ = outcome.header;
    state_ = std::move(outcome.state);
    return {};
  }

  Result<void> check_receipts(const BlockOutcome& outcome) {
    const Height height = outcome.header.height;
    QUORATE_TRY(const Bytes value,
                read(Family::blocks, layout::receipts_key(height), height, "receipts"));
    QUORATE_TRY(const std::vector<Receipt> stored, layout::decode_receipts(value, height));
    QUORATE_CHECK(same(height, "number of receipts", std::uint64_t{stored.size()},
                       std::uint64_t{outcome.receipts.size()}));
    for (std::uint32_t i = 0; i < stored.size(); ++i) {
      const Receipt& receipt = outcome.receipts[i];
      const std::string name = "receipt " + std::to_string(i);
      if (stored[i] != receipt) return bad(height, name, "it differs from what execution gives");
      if (receipt.outcome == Outcome::skipped) continue;
      ++report_.executed;
      QUORATE_TRY(const Bytes where,
                  read(Family::index, layout::transaction_key(receipt.transaction_id), height,
                       "transaction index of " + name));
      QUORATE_TRY(const layout::Position position, layout::decode_position(where));
      if (position.height != height || position.index != i) {
        return bad(height, "transaction index of " + name,
                   "it leads to height " + text(position.height) + ", index " +
                       std::to_string(position.index));
      }
    }
    return {};
  }

  Result<void> check_height_index(const Bytes& key, Height height, std::string_view what) {
    ++index_entries_;
    QUORATE_TRY(const Bytes value, read(Family::index, key, height, what));
    QUORATE_TRY(const Height stored, layout::decode_height(value, what));
    return same(height, what, stored, height);
  }

  Result<void> check_seals(const Header& header) {
    const auto value = store_.get(Family::blocks, layout::seals_key(header.height));
    if (!value && value.error().code == Errc::not_found) return {};
    if (!value) return tl::unexpected(value.error());
    QUORATE_TRY(std::vector<crypto::ReplicaSignature> seals,
                layout::decode_seals(*value, header.height));
    const auto verdict = verify({header, std::move(seals)}, membership_, verifier_);
    if (!verdict) return bad(header.height, "block certificate", verdict.error().detail);
    ++report_.block_certificates;
    return {};
  }

  Result<void> check_head() const {
    const Height height = head_.height;
    QUORATE_CHECK(same(height, "head marker's block hash", head_.block_hash, block_hash(parent_)));
    QUORATE_CHECK(same(height, "head marker's payload id", head_.payload_id, parent_.payload_id));
    const auto marker = store_.get(Family::meta, layout::meta_key(layout::kCertifiedKey));
    if (!marker && marker.error().code == Errc::not_found) return {};
    if (!marker) return tl::unexpected(marker.error());
    QUORATE_TRY(const Height certified, layout::decode_height(*marker, "certified marker"));
    return read(Family::blocks, layout::seals_key(certified), certified, "certified marker's seals")
        .map([](const Bytes&) {});
  }

  Result<void> check_nothing_above() const {
    // Keys start with the height, so all later ones follow its eight bytes.
    Bytes from = layout::header_key(head_.height.next());
    from.pop_back();
    bool more = false;
    QUORATE_CHECK(store_.scan(Family::blocks, {}, from, [&more](ByteView, ByteView) {
      more = true;
      return false;
    }));
    if (more) return bad(head_.height.next(), "block", "it stands above the head marker");
    return {};
  }

  Result<void> check_index_size() const {
    std::uint64_t stored = 0;
    QUORATE_CHECK(store_.scan(Family::index, {}, {}, [&stored](ByteView, ByteView) {
      ++stored;
      return true;
    }));
    return same(head_.height, "number of index entries", stored, index_entries_ + report_.executed);
  }

  Result<void> check_accounts() {
    std::optional<Error> error;
    QUORATE_CHECK(store_.scan(Family::state, {}, {}, [&](ByteView key, ByteView value) {
      const auto entry = layout::decode_state(key, value);
      if (!entry) {
        error = entry.error();
      } else if (state_.find(entry->key) != entry->leaf.account ||
                 state_key(entry->leaf.address) != entry->key) {
        error = bad(head_.height, "account " + crypto::to_text(entry->leaf.address),
                    "its stored value differs from what execution gives")
                    .value();
      } else {
        ++report_.accounts;
        report_.total_balance += entry->leaf.account.balance;
      }
      return !error;
    }));
    if (error) return tl::unexpected(*error);
    // Every stored account is right; the root shows whether one is missing.
    QUORATE_TRY(const StateTree stored, layout::read_state(store_));
    return same(head_.height, "stored accounts' root", stored.root(), state_.root());
  }

  const KvStore& store_;
  const StateMachine machine_;
  const crypto::Membership membership_;
  const crypto::Verifier& verifier_;
  const AuditOptions& options_;

  Head head_;
  Header parent_;
  StateTree state_;
  std::uint64_t index_entries_ = 0;  // by block hash and payload id
  AuditReport report_;
};

}  // namespace

Result<AuditReport> audit(const KvStore& store, const Genesis& genesis,
                          const crypto::Verifier& verifier, const AuditOptions& options) {
  return Audit(store, genesis, verifier, options).run();
}

}  // namespace quorate::ledger
