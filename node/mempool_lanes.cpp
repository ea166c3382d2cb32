#include "crypto/base/assert.hpp"
#include "node/mempool_impl.hpp"

namespace quorate::node {

using crypto::Address;
using ledger::TransactionPtr;

void Mempool::Impl::set_turn(Lane& lane) {
  if (lane.proposable.transactions > 0 && lane.turn == 0) {
    lane.turn = next_turn++;
    turns.emplace(lane.turn, &lane);
  } else if (lane.proposable.transactions == 0 && lane.turn != 0) {
    turns.erase(lane.turn);
    lane.turn = 0;
  }
}

void Mempool::Impl::count_proposable(Lane& lane, const Entry& entry, bool add) {
  for (Proposable* sum : {&lane.proposable, &proposable}) {
    if (add) {
      ++sum->transactions;
      sum->bytes += entry.payload_bytes();
    } else {
      --sum->transactions;
      sum->bytes -= entry.payload_bytes();
    }
  }
}

void Mempool::Impl::count_in_flight(Lane& lane, bool add) {
  for (std::size_t* sum : {&lane.in_flight, &in_flight}) {
    if (add) {
      ++*sum;
    } else {
      --*sum;
    }
  }
}

void Mempool::Impl::set_ready(Entry& entry, bool ready) {
  if (ready == (entry.order != 0)) return;
  if (ready) {
    entry.order = next_order++;
    entry.ready_since = now;
    by_order.emplace(entry.order, entry.transaction);
  } else {
    by_order.erase(entry.order);
    entry.order = 0;
  }
}

void Mempool::Impl::uncount(Lane& lane, std::uint64_t nonce, const Entry& entry) {
  if (nonce < lane.cursor) {
    count_in_flight(lane, false);
  } else if (nonce < lane.ready_end) {
    count_proposable(lane, entry, false);
  } else {
    behind_gap.erase({entry.arrival, entry.transaction->id});
  }
}

void Mempool::Impl::extend(Lane& lane) {
  for (auto it = lane.waiting.find(lane.ready_end);
       it != lane.waiting.end() && it->first == lane.ready_end; ++it) {
    behind_gap.erase({it->second.arrival, it->second.transaction->id});
    set_ready(it->second, true);
    count_proposable(lane, it->second, true);
    ++lane.ready_end;
  }
}

void Mempool::Impl::advance(Lane& lane) {
  auto entry = lane.waiting.lower_bound(lane.cursor);
  for (auto it = lane.reserved.lower_bound(lane.cursor);
       it != lane.reserved.end() && *it == lane.cursor; it = lane.reserved.upper_bound(*it)) {
    if (entry != lane.waiting.end() && entry->first == lane.cursor) {
      uncount(lane, entry->first, entry->second);
      set_ready(entry->second, true);
      count_in_flight(lane, true);
      ++entry;
    }
    ++lane.cursor;
    lane.ready_end = std::max(lane.ready_end, lane.cursor);
  }
  extend(lane);
}

void Mempool::Impl::reindex(Lane& lane) {
  for (const auto& [nonce, entry] : lane.waiting) {
    uncount(lane, nonce, entry);
    behind_gap.insert({entry.arrival, entry.transaction->id});
  }
  lane.cursor = lane.ready_end = lane.executed + 1;
  advance(lane);
  for (auto it = lane.waiting.lower_bound(lane.ready_end); it != lane.waiting.end(); ++it) {
    set_ready(it->second, false);
  }
}

void Mempool::Impl::forget_ids(const Entry& entry) {
  const auto& transaction = *entry.transaction;
  by_arrival.erase({entry.admitted, entry.arrival});
  if (entry.order != 0) by_order.erase(entry.order);
  by_id.erase(transaction.id);
  const std::uint64_t last = transaction.signed_transaction.transaction.valid_until_height;
  if (last != 0) by_last_height.erase({last, transaction.id});
  bytes -= transaction.encoded.size();
}

void Mempool::Impl::raise_executed(Lane& lane, std::uint64_t nonce, Departed* departed) {
  if (nonce <= lane.executed) return;
  for (auto it = lane.waiting.begin(); it != lane.waiting.end() && it->first <= nonce;) {
    if (departed != nullptr && it->second.order != 0) {
      departed->ready_since.push_back(it->second.ready_since);
      departed->newest_order = std::max(departed->newest_order, it->second.order);
    }
    uncount(lane, it->first, it->second);
    forget_ids(it->second);
    it = lane.waiting.erase(it);
  }
  lane.executed = nonce;
  lane.cursor = std::max(lane.cursor, nonce + 1);
  lane.ready_end = std::max(lane.ready_end, lane.cursor);
  advance(lane);
}

void Mempool::Impl::settle(std::map<Address, Lane>::iterator it) {
  set_turn(it->second);
  if (it->second.waiting.empty() && it->second.reserved.empty()) lanes.erase(it);
}

Mempool::Impl::Lane& Mempool::Impl::lane_of(const Address& address, std::uint64_t executed) {
  const auto [at, created] = lanes.try_emplace(address);
  Lane& lane = at->second;
  if (created) {
    lane.address = address;
    lane.executed = executed;
    lane.cursor = lane.ready_end = executed + 1;
  } else {
    raise_executed(lane, executed);
  }
  return lane;
}

void Mempool::Impl::drop(const Digest& id) {
  if (const auto waits = aside.find(id); waits != aside.end()) {
    forget_ids(waits->second);
    aside.erase(waits);
    return;
  }
  const auto found = by_id.find(id);
  QUORATE_ASSERT(found != by_id.end());
  const TransactionPtr transaction = found->second;
  const auto lane = lanes.find(transaction->sender);
  const std::uint64_t nonce = transaction->signed_transaction.transaction.nonce;
  const auto entry = lane->second.waiting.find(nonce);
  const bool opens_gap = nonce < lane->second.ready_end;
  uncount(lane->second, nonce, entry->second);
  forget_ids(entry->second);
  lane->second.waiting.erase(entry);
  if (opens_gap) reindex(lane->second);
  settle(lane);
}

void Mempool::Impl::unreserve(const TransactionPtr& transaction) {
  const auto lane = lanes.find(transaction->sender);
  if (lane == lanes.end()) return;
  const auto it = lane->second.reserved.find(transaction->signed_transaction.transaction.nonce);
  if (it == lane->second.reserved.end()) return;
  const bool moves_back = *it > lane->second.executed && *it < lane->second.cursor &&
                          lane->second.reserved.count(*it) == 1;
  lane->second.reserved.erase(it);
  if (moves_back) reindex(lane->second);
  settle(lane);
}

}  // namespace quorate::node
