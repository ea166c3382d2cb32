#include "ledger/withdrawn_transactions.hpp"

#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"
#include "ledger/chain.hpp"
#include "ledger/types/account.hpp"

namespace quorate::ledger {
namespace {

constexpr std::size_t kEntryBytes = 32 + 8 + 21 + 8 + 8;

}  // namespace

void WithdrawnTransactions::add(const WithdrawnBlock& block) {
  for (std::size_t i = 0; i < block.receipts.size(); ++i) {
    if (block.receipts[i].outcome == Outcome::skipped) continue;
    const Transaction& content = block.transactions[i]->signed_transaction.transaction;
    add({block.receipts[i].transaction_id, block.header.height, block.transactions[i]->sender,
         content.nonce, Height(content.valid_until_height)});
  }
}

void WithdrawnTransactions::add(const WithdrawnTransaction& transaction) {
  const auto [known, fresh] = order_of_.try_emplace(transaction.id, next_);
  if (!fresh) {
    by_order_.erase(known->second);
    known->second = next_;
  }
  by_order_.emplace(next_, transaction);
  ++next_;
  if (by_order_.size() <= kMax) return;
  order_of_.erase(by_order_.begin()->second.id);
  by_order_.erase(by_order_.begin());
}

std::optional<WithdrawnTransaction> WithdrawnTransactions::find(const Digest& id) const {
  const auto found = order_of_.find(id);
  return found == order_of_.end() ? std::nullopt : std::optional(by_order_.at(found->second));
}

Bytes WithdrawnTransactions::encode() const {
  crypto::Writer out;
  out.reserve(4 + by_order_.size() * kEntryBytes);
  out.u32(static_cast<std::uint32_t>(by_order_.size()));
  for (const auto& [order, each] : by_order_) {
    out.raw(each.id);
    out.integer_of(each.height);
    out.raw(each.sender);
    out.u64(each.nonce);
    out.integer_of(each.valid_until);
  }
  return std::move(out).take();
}

Result<WithdrawnTransactions> WithdrawnTransactions::decode(ByteView encoded) {
  crypto::Reader in(encoded);
  WithdrawnTransactions out;
  for (std::size_t left = in.count(0, kMax, kEntryBytes); left > 0; --left) {
    WithdrawnTransaction each;
    each.id = in.fixed<Digest>();
    each.height = in.integer_of<Height>();
    each.sender = decode_address(in);
    each.nonce = in.u64();
    each.valid_until = in.integer_of<Height>();
    out.add(each);
  }
  if (auto done = in.finish(); !done) {
    return fail(Errc::corrupt, "the database holds a damaged list of withdrawn transactions: " +
                                   done.error().detail);
  }
  return out;
}

}  // namespace quorate::ledger
