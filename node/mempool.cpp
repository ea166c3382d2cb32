#include "node/mempool.hpp"

#include <limits>

#include "crypto/base/mutant.hpp"
#include "node/mempool_impl.hpp"

namespace quorate::node {
namespace {

using crypto::Address;
using ledger::Reason;
using ledger::TransactionPtr;

constexpr std::size_t kEntryOverhead = 320;  // maps, pointers and the decoded form, roughly

Refusal refuse(Reason reason, std::string detail) { return {reason, std::move(detail), {}, {}}; }

Refusal refuse(Reason reason, std::string detail, std::uint64_t expected, std::uint64_t got) {
  return {reason, std::move(detail), expected, got};
}

}  // namespace

std::optional<std::uint64_t> cost_of(const ledger::Transaction& transaction) {
  std::uint64_t total = 0;
  for (const ledger::Operation& operation : transaction.operations) {
    const std::uint64_t amount = ledger::spends(operation);
    if (amount > std::numeric_limits<std::uint64_t>::max() - total) return std::nullopt;
    total += amount;
  }
  return total;
}

std::optional<Refusal> Mempool::Impl::check_sender(const ledger::VerifiedTransaction& transaction,
                                                   const ledger::StateView& state) const {
  if (!submit_any && submitters.find(transaction.sender) == submitters.end()) {
    return refuse(Reason::not_permitted,
                  "this chain takes transactions only from the accounts its genesis lists");
  }
  const std::uint64_t last = transaction.signed_transaction.transaction.valid_until_height;
  if (last != 0 && last <= state.height().value()) {
    return refuse(Reason::expired,
                  "valid until height " + std::to_string(last) + ", the chain is at " +
                      std::to_string(state.height().value()),
                  state.height().value() + 1, last);
  }
  return std::nullopt;
}

std::optional<Refusal> Mempool::Impl::check_nonce(std::uint64_t nonce, std::uint64_t executed,
                                                  std::uint64_t next_free) const {
  if (nonce <= executed) {
    return refuse(Reason::nonce_too_low, "the next nonce is " + std::to_string(next_free),
                  next_free, nonce);
  }
  if (nonce - executed > limits.per_account_max) {
    return refuse(Reason::nonce_too_high,
                  "at most " + std::to_string(limits.per_account_max) +
                      " nonces may wait per account; the next nonce is " +
                      std::to_string(next_free),
                  next_free, nonce);
  }
  return std::nullopt;
}

bool Mempool::Impl::make_room(std::size_t size, bool ready) {
  while (by_id.size() >= limits.transactions_max || bytes + size > limits.bytes_max) {
    if (!ready || behind_gap.empty()) return false;
    drop(behind_gap.rbegin()->second);
  }
  return true;
}

void Mempool::Impl::drop_unpayable(const Lane& lane, std::uint64_t balance) {
  // In flight or not: a payload that came to nothing gives it back, and nobody looks again then.
  const auto next = lane.waiting.find(lane.executed + 1);
  if (next == lane.waiting.end()) return;
  const auto cost = cost_of(next->second.transaction->signed_transaction.transaction);
  if (cost && *cost <= balance) return;
  const Entry entry = next->second;
  drop(entry.transaction->id);
  if (entry.kept) put_aside(entry);
}

void Mempool::Impl::remember_ids(const Entry& entry) {
  const ledger::VerifiedTransaction& transaction = *entry.transaction;
  by_id.emplace(transaction.id, entry.transaction);
  by_arrival.emplace(std::make_pair(entry.admitted, entry.arrival), transaction.id);
  const std::uint64_t last = transaction.signed_transaction.transaction.valid_until_height;
  if (last != 0) by_last_height.insert({last, transaction.id});
  bytes += transaction.encoded.size();
}

void Mempool::Impl::insert(Entry fresh, std::uint64_t executed) {
  const ledger::VerifiedTransaction& transaction = *fresh.transaction;
  Lane& lane = lane_of(transaction.sender, executed);
  const ledger::Transaction& content = transaction.signed_transaction.transaction;
  Entry& entry = lane.waiting[content.nonce];
  entry = std::move(fresh);
  entry.arrival = next_arrival++;
  remember_ids(entry);
  if (content.nonce < lane.cursor) {
    set_ready(entry, true);
    count_in_flight(lane, true);
  } else {
    if (content.nonce != lane.ready_end) behind_gap.insert({entry.arrival, transaction.id});
    extend(lane);
  }
  set_turn(lane);
}

Mempool::Mempool(MempoolLimits limits, const ledger::Genesis& genesis)
    : impl_(std::make_unique<Impl>()) {
  impl_->limits = limits;
  impl_->submit_any = genesis.submit_any;
  impl_->submitters.insert(genesis.submitters.begin(), genesis.submitters.end());
}

Mempool::~Mempool() = default;

std::optional<Refusal> Mempool::admit(const TransactionPtr& transaction,
                                      const ledger::StateView& state, Instant now) {
  impl_->now = std::max(impl_->now, now);
  if (impl_->by_id.count(transaction->id) != 0) return std::nullopt;
  if (auto refusal = impl_->check_sender(*transaction, state)) return refusal;

  const std::optional<ledger::Account> account = state.account(transaction->sender);
  if (!account) {
    return refuse(Reason::unknown_sender, "the sending account does not exist; fund it first");
  }
  const ledger::Transaction& content = transaction->signed_transaction.transaction;
  const std::uint64_t next_free = next_nonce(transaction->sender, state);
  if (auto refusal = impl_->check_nonce(content.nonce, account->nonce, next_free)) return refusal;
  const auto cost = cost_of(content);
  if (!cost || *cost > account->balance) {
    return refuse(Reason::insufficient_funds,
                  "insufficient funds (have " + std::to_string(account->balance) + ", need " +
                      (cost ? std::to_string(*cost) : std::string("more than any balance")) + ")",
                  account->balance, cost.value_or(std::numeric_limits<std::uint64_t>::max()));
  }
  const auto lane = impl_->lanes.find(transaction->sender);
  if (lane != impl_->lanes.end() && lane->second.waiting.count(content.nonce) != 0) {
    return refuse(Reason::nonce_too_low,
                  "another transaction waits at nonce " + std::to_string(content.nonce) +
                      "; the next free nonce is " + std::to_string(next_free),
                  next_free, content.nonce);
  }
  if (!impl_->make_room(transaction->encoded.size(), content.nonce == next_free)) {
    return refuse(Reason::mempool_full, "the mempool is full (" +
                                            std::to_string(impl_->by_id.size()) +
                                            " transactions); try again later");
  }
  impl_->insert({transaction, 0, impl_->now, 0, {}, false}, account->nonce);
  return std::nullopt;
}

TransactionPtr Mempool::find(const Digest& id) const {
  const auto it = impl_->by_id.find(id);
  return it == impl_->by_id.end() ? nullptr : it->second;
}

std::uint64_t Mempool::next_nonce(const Address& address, const ledger::StateView& state) const {
  const auto account = state.account(address);
  const std::uint64_t executed = account ? account->nonce : 0;
  const auto found = impl_->lanes.find(address);
  if (found == impl_->lanes.end()) return executed + 1;
  const MempoolLane& lane = found->second;
  // In flight or proposable nonces count as used; a nonce in flight that waits nowhere does too.
  return std::max({executed + 1, lane.ready_end, lane.cursor});
}

MempoolStatus Mempool::status() const {
  MempoolStatus out;
  out.transactions = impl_->by_id.size();
  out.ready = impl_->in_flight + impl_->proposable.transactions;
  out.bytes = impl_->bytes;
  out.accounts = impl_->lanes.size();
  return out;
}

std::optional<Mempool::Oldest> Mempool::oldest_ready() const {
  if (impl_->by_order.empty()) return std::nullopt;
  const auto& [order, transaction] = *impl_->by_order.begin();
  return Oldest{order, transaction};
}

std::vector<Mempool::Oldest> Mempool::oldest_ready(std::size_t at_most) const {
  std::vector<Oldest> out;
  for (const auto& [order, transaction] : impl_->by_order) {
    if (out.size() >= at_most) break;
    out.push_back({order, transaction});
  }
  return out;
}

std::uint64_t Mempool::newest_order() const { return impl_->next_order - 1; }

std::size_t Mempool::count_ready(std::uint64_t after, std::uint64_t up_to,
                                 std::size_t enough) const {
  std::size_t out = 0;
  for (auto it = impl_->by_order.upper_bound(after);
       out < enough && it != impl_->by_order.end() && it->first <= up_to; ++it) {
    ++out;
  }
  return out;
}

Proposable Mempool::proposable() const { return impl_->proposable; }

std::vector<TransactionPtr> Mempool::take(std::size_t transactions_max, std::size_t bytes_max) {
  std::vector<TransactionPtr> out;
  std::size_t used = 0;
  // The first transaction that does not fit ends the batch: skipping it could starve it for ever.
  while (!impl_->turns.empty() && out.size() < transactions_max) {
    MempoolLane& lane = *impl_->turns.begin()->second;
    const MempoolEntry& entry = lane.waiting.at(lane.cursor);
    if (used + entry.payload_bytes() > bytes_max) break;
    used += entry.payload_bytes();
    out.push_back(entry.transaction);
    impl_->turns.erase(lane.turn);
    lane.turn = 0;
    lane.reserved.insert(lane.cursor);
    impl_->advance(lane);
    impl_->set_turn(lane);
  }
  return out;
}

void Mempool::reserve(const std::vector<TransactionPtr>& transactions,
                      const ledger::StateView* state) {
  for (const TransactionPtr& transaction : transactions) {
    const crypto::Address& sender = transaction->sender;
    const auto found = impl_->lanes.find(sender);
    // Without a lane nothing of this account waits: there is nothing to skip yet.
    if (found == impl_->lanes.end() && state == nullptr) continue;
    const auto executed = [state, &sender] {
      const auto account = state->account(sender);
      return account ? account->nonce : 0;
    };
    MempoolLane& lane =
        found == impl_->lanes.end() ? impl_->lane_of(sender, executed()) : found->second;
    lane.reserved.insert(transaction->signed_transaction.transaction.nonce);
    impl_->advance(lane);
    impl_->set_turn(lane);
  }
}

void Mempool::release(const std::vector<TransactionPtr>& transactions) {
  for (const TransactionPtr& transaction : transactions) impl_->unreserve(transaction);
}

Departed Mempool::executed(const ledger::ExecutedBlock& block, Instant now) {
  impl_->now = std::max(impl_->now, now);
  Departed out;
  for (std::size_t i = 0; i < block.transactions.size(); ++i) {
    const crypto::Address& sender = block.transactions[i]->sender;
    const auto lane = impl_->lanes.find(sender);
    const auto account = block.state->account(sender);
    if (lane == impl_->lanes.end() || !account) continue;
    if (QUORATE_MUTANT(executed_stays_pooled)) continue;
    impl_->raise_executed(lane->second, account->nonce, &out);
    impl_->settle(lane);
    const auto left = impl_->lanes.find(sender);
    if (left != impl_->lanes.end()) impl_->drop_unpayable(left->second, account->balance);
  }
  // valid_until_height is inclusive, and the next block has a height above this one's.
  while (!impl_->by_last_height.empty() &&
         impl_->by_last_height.begin()->first <= block.header.height.value()) {
    impl_->drop(Digest(impl_->by_last_height.begin()->second));
  }
  impl_->retry_aside(*block.state);
  return out;
}

void Mempool::expire(Instant now) {
  impl_->now = std::max(impl_->now, now);
  while (!impl_->by_arrival.empty()) {
    const auto& [arrival, id] = *impl_->by_arrival.begin();
    if (now - arrival.first < impl_->limits.lifetime_max) break;
    impl_->drop(Digest(id));
  }
}

std::optional<Instant> Mempool::next_expiry() const {
  if (impl_->by_arrival.empty()) return std::nullopt;
  return impl_->by_arrival.begin()->first.first + impl_->limits.lifetime_max;
}

std::size_t Mempool::memory_bytes() const {
  return impl_->bytes * 2 + impl_->by_id.size() * kEntryOverhead +
         impl_->lanes.size() * sizeof(MempoolLane);
}

}  // namespace quorate::node
