#include "node/relay.hpp"

#include <algorithm>

#include "crypto/base/mutant.hpp"
#include "node/peer_messages.hpp"

namespace quorate::node {
namespace {

constexpr std::size_t kFrameTransactions = 1024;
constexpr std::size_t kFrameBytes = 256U << 10U;
constexpr Duration kGather = std::chrono::milliseconds(1);
constexpr Duration kAgainFirst = std::chrono::seconds(1);
constexpr Duration kAgainFirstRelayed = std::chrono::seconds(5);
constexpr Duration kAgainMax = std::chrono::seconds(30);
// One small frame of repetitions per interval, so that they never crowd out what is new.
constexpr Duration kAgainInterval = std::chrono::milliseconds(200);
constexpr Duration kRemindInterval = std::chrono::seconds(3);
constexpr std::size_t kAgainTransactions = 512;
constexpr std::size_t kEntryBytes = 96;

}  // namespace

Relay::Relay(const Mempool& mempool, Transport& transport)
    : mempool_(mempool), transport_(transport) {}

void Relay::add(const ledger::TransactionPtr& transaction, Instant now) {
  fresh_.push_back(transaction);
  fresh_bytes_ += transaction->encoded.size();
  custody_.emplace(now + kAgainFirst, Custody{transaction, kAgainFirst, true});
  if (fresh_.size() >= kFrameTransactions || fresh_bytes_ >= kFrameBytes) send_fresh();
}

void Relay::add_relayed(const ledger::TransactionPtr& transaction, Instant now) {
  custody_.emplace(now + kAgainFirstRelayed, Custody{transaction, kAgainFirstRelayed, false});
}

void Relay::poll(Instant now) {
  if (!fresh_.empty() && (!gather_until_ || now >= *gather_until_)) {
    send_fresh();
    gather_until_ = now + kGather;
  }
  send_again(now);
}

std::optional<Instant> Relay::next_deadline() const {
  std::optional<Instant> out;
  if (!fresh_.empty()) out = gather_until_;
  if (!custody_.empty()) {
    Instant again = custody_.begin()->first;
    if (again_not_before_) again = std::max(again, *again_not_before_);
    out = out ? std::min(*out, again) : again;
  }
  return out;
}

void Relay::greet(ReplicaId peer) { send(peer, waiting(true)); }

void Relay::remind(Instant now) {
  if (remind_not_before_ && now < *remind_not_before_) return;
  remind_not_before_ = now + kRemindInterval;
  send(std::nullopt, waiting(false));
}

std::uint64_t Relay::send_oldest() {
  std::vector<ledger::TransactionPtr> out;
  std::uint64_t last = 0;
  std::size_t bytes = 0;
  for (const Mempool::Oldest& oldest : mempool_.oldest_ready(kFrameTransactions)) {
    if (bytes >= kFrameBytes) break;
    bytes += oldest.transaction->encoded.size();
    last = oldest.order;
    out.push_back(oldest.transaction);
  }
  send(std::nullopt, out);
  return last;
}

std::vector<ledger::TransactionPtr> Relay::waiting(bool own_only) const {
  std::vector<ledger::TransactionPtr> out;
  std::size_t bytes = 0;
  for (const auto& [due, custody] : custody_) {
    if (out.size() >= kFrameTransactions || bytes >= kFrameBytes) break;
    if ((own_only && !custody.own) || !mempool_.find(custody.transaction->id)) continue;
    out.push_back(custody.transaction);
    bytes += custody.transaction->encoded.size();
  }
  return out;
}

void Relay::send_fresh() {
  send(std::nullopt, fresh_);
  fresh_.clear();
  fresh_bytes_ = 0;
}

void Relay::send_again(Instant now) {
  if (again_not_before_ && now < *again_not_before_) return;
  if (QUORATE_MUTANT(custody_never_relays_again)) custody_.clear();
  std::vector<ledger::TransactionPtr> out;
  std::size_t bytes = 0;
  while (!custody_.empty() && custody_.begin()->first <= now) {
    if (out.size() >= kAgainTransactions || bytes >= kFrameBytes) break;
    Custody custody = std::move(custody_.begin()->second);
    custody_.erase(custody_.begin());
    if (!mempool_.find(custody.transaction->id)) continue;  // executed or expired: done
    out.push_back(custody.transaction);
    bytes += custody.transaction->encoded.size();
    custody.wait = std::min(custody.wait * 2, kAgainMax);
    custody_.emplace(now + custody.wait, std::move(custody));
  }
  if (out.empty()) return;
  send(std::nullopt, out);
  again_not_before_ = now + kAgainInterval;
}

void Relay::send(std::optional<ReplicaId> to,
                 const std::vector<ledger::TransactionPtr>& transactions) {
  if (transactions.empty()) return;
  transport_.send(to, TrafficClass::transactions, encode_transactions(transactions));
}

std::size_t Relay::memory_bytes() const {
  return custody_.size() * kEntryBytes + fresh_.size() * sizeof(ledger::TransactionPtr);
}

}  // namespace quorate::node
