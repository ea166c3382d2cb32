#include "node/block_builder.hpp"

#include "crypto/base/mutant.hpp"

namespace quorate::node {
namespace {

constexpr std::size_t kCountBytes = 4;  // of a payload's transaction count

// While proposals are in flight the next one gathers what arrives, since a bigger block costs fewer
// messages and syncs per transaction. But it does not gather for ever, lest one slow height or a
// long network delay holds up everything that arrives after it.
constexpr Duration kPatienceBusy = std::chrono::milliseconds(50);

}  // namespace

BlockBuilder::BlockBuilder(BatchLimits limits, Mempool& mempool)
    : limits_(limits), mempool_(mempool) {}

void BlockBuilder::request(const consensus::RequestProposal& request,
                           const std::map<Height, std::vector<ledger::TransactionPtr>>& ahead,
                           Instant now) {
  // Own payloads of an earlier view, or at a height that is asked for again, came to nothing.
  for (auto it = in_flight_.begin(); it != in_flight_.end();) {
    const bool stale =
        it->first >= request.height || !it->second.own || it->second.view != request.view;
    if (stale && !QUORATE_MUTANT(stale_payload_not_released))
      mempool_.release(it->second.transactions);
    it = stale ? in_flight_.erase(it) : std::next(it);
  }
  for (const auto& [height, transactions] : ahead) {
    if (height <= head_ || height >= request.height) continue;
    const auto [at, added] = in_flight_.try_emplace(height);
    if (!added) continue;
    at->second = {request.view, false, transactions};
    mempool_.reserve(transactions);
  }
  begin(request, now);
}

void BlockBuilder::request_on_branch(const consensus::RequestProposal& request,
                                     const std::map<Digest, const OrderedPayload*>& ahead,
                                     const ledger::StateView& state, Instant now) {
  // Reserved before anything is released: what stays in flight under another name never moves.
  for (const auto& [id, payload] : ahead) {
    if (payload->height <= head_ || !branch_.emplace(id, *payload).second) continue;
    mempool_.reserve(payload->transactions, &state);
  }
  for (auto it = branch_.begin(); it != branch_.end();) {
    const bool stays = ahead.count(it->first) != 0;
    if (!stays) mempool_.release(it->second.transactions);
    it = stays ? std::next(it) : branch_.erase(it);
  }
  // An own payload that became a block is among them by its id.
  for (const auto& [height, own] : in_flight_) mempool_.release(own.transactions);
  in_flight_.clear();
  begin(request, now);
}

void BlockBuilder::begin(const consensus::RequestProposal& request, Instant now) {
  request_ = request;
  work_since_.reset();
  if (mempool_.proposable().transactions > 0) work_since_ = now;
}

void BlockBuilder::cancel(Height height, View view) {
  if (request_ && request_->height == height && request_->view == view) request_.reset();
}

void BlockBuilder::executed(Height height) {
  head_ = height;
  while (!in_flight_.empty() && in_flight_.begin()->first <= height) {
    mempool_.release(in_flight_.begin()->second.transactions);
    in_flight_.erase(in_flight_.begin());
  }
  for (auto it = branch_.begin(); it != branch_.end();) {
    const bool stays = it->second.height > height;
    if (!stays) mempool_.release(it->second.transactions);
    it = stays ? std::next(it) : branch_.erase(it);
  }
}

std::size_t BlockBuilder::in_flight() const {
  // Counted by heights, since the payloads of some may be unknown here.
  const std::uint64_t next = request_->height.value();
  return next > head_.value() + 1 ? next - head_.value() - 1 : 0;
}

bool BlockBuilder::full() const {
  const Proposable waiting = mempool_.proposable();
  return waiting.transactions >= limits_.transactions_max ||
         waiting.bytes + kCountBytes >= limits_.bytes_max;
}

Duration BlockBuilder::patience() const {
  if (in_flight() == 0) return limits_.batch_delay;
  return std::max(limits_.batch_delay, kPatienceBusy);
}

std::optional<BuiltPayload> BlockBuilder::poll(Instant now) {
  if (!request_) return std::nullopt;
  if (mempool_.proposable().transactions == 0) {
    work_since_.reset();
    if (!request_->allow_empty) return std::nullopt;
  } else {
    if (!work_since_) work_since_ = now;
    const bool due = full() || now >= *work_since_ + patience() || request_->allow_empty;
    if (!due) return std::nullopt;
  }
  BuiltPayload out{request_->height, request_->view,
                   mempool_.take(limits_.transactions_max, limits_.bytes_max - kCountBytes)};
  in_flight_[out.height] = {out.view, true, out.transactions};
  request_.reset();
  work_since_.reset();
  return out;
}

std::optional<Instant> BlockBuilder::next_deadline() const {
  if (!request_ || !work_since_) return std::nullopt;
  return *work_since_ + patience();
}

const std::vector<ledger::TransactionPtr>* BlockBuilder::own_proposal(Height height) const {
  const auto it = in_flight_.find(height);
  return it == in_flight_.end() || !it->second.own ? nullptr : &it->second.transactions;
}

}  // namespace quorate::node
