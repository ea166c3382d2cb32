// The mempool after the ledger went back. The state it went back to is not the one the other branch
// leads to, whose blocks follow: what it does not allow may be valid once they are executed. To
// propose that now would burn its nonce, to drop it would lose it, so it waits aside.
#include <algorithm>

#include "node/mempool_impl.hpp"

namespace quorate::node {

using ledger::TransactionPtr;

Mempool::Impl::Fit Mempool::Impl::fit(const ledger::VerifiedTransaction& transaction,
                                      const ledger::StateView& state) const {
  if (check_sender(transaction, state)) return Fit::never;  // not permitted, or expired
  const ledger::Transaction& content = transaction.signed_transaction.transaction;
  const auto cost = cost_of(content);
  if (!cost) return Fit::never;
  const auto lane = lanes.find(transaction.sender);
  if (lane != lanes.end() && lane->second.waiting.count(content.nonce) != 0) return Fit::never;
  const auto account = state.account(transaction.sender);
  if (!account) return Fit::later;
  if (content.nonce <= account->nonce) return Fit::never;
  const bool fits =
      content.nonce - account->nonce <= limits.per_account_max && *cost <= account->balance;
  return fits ? Fit::now : Fit::later;
}

bool Mempool::Impl::take_back(const TransactionPtr& transaction, const ledger::StateView& state,
                              Instant admitted) {
  if (by_id.count(transaction->id) != 0) return true;
  const Fit now_or_later = fit(*transaction, state);
  if (now_or_later == Fit::never) return true;
  if (!make_room(transaction->encoded.size(), false)) return false;
  const Entry entry{transaction, 0, admitted, 0, {}, true};
  if (now_or_later == Fit::later) {
    put_aside(entry);
  } else {
    insert(entry, state.account(transaction->sender)->nonce);
  }
  return true;
}

void Mempool::Impl::put_aside(Entry entry) {
  entry.arrival = next_arrival++;
  entry.order = 0;
  remember_ids(entry);
  aside.emplace(entry.transaction->id, entry);
}

std::vector<Mempool::Impl::Entry> Mempool::Impl::take_apart(const ledger::StateView& state) {
  std::vector<Entry> out;
  for (const auto& [id, entry] : aside) out.push_back(entry);
  const std::map<crypto::Address, Lane> before = std::exchange(lanes, {});
  for (const auto& [address, lane] : before) {
    for (const auto& [nonce, entry] : lane.waiting) out.push_back(entry);
  }
  std::sort(out.begin(), out.end(),
            [](const Entry& a, const Entry& b) { return a.arrival < b.arrival; });
  by_id.clear();
  by_arrival.clear();
  by_last_height.clear();
  by_order.clear();
  turns.clear();
  behind_gap.clear();
  aside.clear();
  proposable = {};
  in_flight = 0;
  bytes = 0;
  for (const auto& [address, old] : before) {
    if (old.reserved.empty()) continue;
    const auto account = state.account(address);
    Lane& lane = lane_of(address, account ? account->nonce : 0);
    lane.reserved = old.reserved;
    advance(lane);
  }
  return out;
}

void Mempool::Impl::retry_aside(const ledger::StateView& state) {
  if (aside.empty()) return;
  std::vector<Entry> entries;
  for (const auto& [id, entry] : aside) {
    if (fit(*entry.transaction, state) != Fit::later) entries.push_back(entry);
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.arrival < b.arrival; });
  for (const Entry& entry : entries) {
    drop(entry.transaction->id);
    take_back(entry.transaction, state, entry.admitted);
  }
}

std::size_t Mempool::rewound(const std::vector<TransactionPtr>& withdrawn,
                             const ledger::StateView& state, Instant now) {
  impl_->now = std::max(impl_->now, now);
  const std::vector<MempoolEntry> waiting = impl_->take_apart(state);
  // What was executed comes first: it is older, and what waits here follows it by nonce.
  std::size_t dropped = 0;
  for (const TransactionPtr& transaction : withdrawn) {
    if (!impl_->take_back(transaction, state, impl_->now)) ++dropped;
  }
  for (const MempoolEntry& entry : waiting) {
    if (!impl_->take_back(entry.transaction, state, entry.admitted)) ++dropped;
  }
  return dropped;
}

}  // namespace quorate::node
