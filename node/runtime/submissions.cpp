#include "node/runtime/submissions.hpp"

namespace quorate::node {

namespace {

ledger::Reason reason_of(Errc code) {
  switch (code) {
    case Errc::limit_exceeded: return ledger::Reason::too_large;
    case Errc::bad_signature: return ledger::Reason::bad_signature;
    case Errc::unavailable: return ledger::Reason::mempool_full;
    default: return ledger::Reason::bad_encoding;
  }
}

}  // namespace

CheckedTransaction to_checked(const Digest& chain_id, ByteView encoded,
                              Result<ledger::TransactionPtr> result) {
  CheckedTransaction out;
  if (result) {
    out.transaction = std::move(*result);
    out.id = out.transaction->id;
    return out;
  }
  out.refusal = Refusal{reason_of(result.error().code), result.error().detail, {}, {}};
  if (result.error().code == Errc::bad_signature) {
    if (const auto decoded = ledger::decode_signed_transaction(encoded)) {
      out.id = ledger::transaction_id(chain_id, decoded->transaction);
    }
  }
  return out;
}

Refusal overloaded() {
  return {ledger::Reason::mempool_full,
          "too many transactions wait to be checked on this node; try again in a moment",
          {},
          {}};
}

Refusal stopping() {
  return {ledger::Reason::mempool_full, "this node is stopping; submit to another one", {}, {}};
}

Ticket Submissions::add(std::vector<Submitted> results, Done done) {
  const std::lock_guard lock(mutex_);
  const Ticket ticket(next_++);
  waiting_.emplace(ticket, Waiting{std::move(results), std::move(done)});
  return ticket;
}

void Submissions::admitted(Ticket ticket, std::vector<std::optional<Refusal>> results) {
  Waiting waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(ticket);
    QUORATE_ASSERT(found != waiting_.end());
    waiting = std::move(found->second);
    waiting_.erase(found);
  }
  auto next = results.begin();
  for (Submitted& submitted : waiting.results) {
    if (submitted.refusal) continue;
    QUORATE_ASSERT(next != results.end());
    submitted.refusal = std::move(*next++);
  }
  waiting.done(std::move(waiting.results));
}

void Submissions::refuse_all(const Refusal& refusal) {
  std::map<Ticket, Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (auto& [ticket, entry] : waiting) {
    for (Submitted& submitted : entry.results) {
      if (!submitted.refusal) submitted.refusal = refusal;
    }
    entry.done(std::move(entry.results));
  }
}

}  // namespace quorate::node
