#include "node/finality_watch.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "node/chain_reader.hpp"

namespace quorate::node {
namespace {

using rpc::TransactionStatus;
using rpc::TransactionView;

// A block that waits for its certificate is kept as it was executed, with its transactions and its
// state, so only so many are; those beyond are read from the chain again, the oldest first.
constexpr std::size_t kBlocksMax = 64;
// How many of those are read in one round, so that deadlines are kept meanwhile.
constexpr std::uint64_t kHeightsPerRound = 256;

struct Heights {
  Height first;
  Height last;  // inclusive
};

struct Waiter {
  Digest id;
  Height valid_until;
  FinalityWatch::Deadline deadline;
  FinalityWatch::Done done;
};

// Takes this one waiter from an index in which several may share a key.
template <class Index>
void forget(Index& index, const typename Index::key_type& key,
            const std::shared_ptr<Waiter>& waiter) {
  for (auto it = index.lower_bound(key); it != index.end() && it->first == key; ++it) {
    if (it->second == waiter) return static_cast<void>(index.erase(it));
  }
}

bool is_decided(TransactionStatus status) {
  return status == TransactionStatus::final || status == TransactionStatus::failed ||
         status == TransactionStatus::expired;
}

}  // namespace

rpc::TransactionView not_executed(const ledger::Chain& chain, const Digest& id,
                                  Height valid_until) {
  TransactionView out;
  out.id = id;
  // The next block is above the certified one, and inclusive of valid_until.
  const bool expired = valid_until != Height(0) && chain.certified_height() >= valid_until;
  out.status = expired ? TransactionStatus::expired : TransactionStatus::unknown;
  return out;
}

struct FinalityWatch::Impl {
  Impl(const ledger::Chain& the_chain, std::size_t max)
      : chain(the_chain), waiters_max(max), announced(the_chain.certified_height()) {}

  const ledger::Chain& chain;
  const std::size_t waiters_max;

  std::mutex mutex;  // guards what follows up to the thread's own
  std::condition_variable wake;
  bool stopping = false;
  bool changed = false;
  std::deque<std::shared_ptr<const ledger::ExecutedBlock>> executed;  // not announced yet
  std::optional<Heights> dropped;  // below those: not settled yet, and no longer kept
  std::vector<Waiter> fresh;
  std::deque<std::function<void()>> tasks;
  std::size_t waiting = 0;  // fresh and settled ones

  std::mutex sink_mutex;  // held while the sink is called
  rpc::EventSink* sink = nullptr;

  // The thread's own.
  Height announced;
  std::multimap<Digest, std::shared_ptr<Waiter>> waiters;
  std::multimap<Deadline, std::shared_ptr<Waiter>> by_deadline;
  std::multimap<Height, std::shared_ptr<Waiter>> by_expiry;
  std::thread thread;

  void run();
  void admit(std::vector<Waiter> arrived);
  // Drops the oldest block once there are too many. Under the lock; freed by the caller without.
  std::shared_ptr<const ledger::ExecutedBlock> drop_oldest();
  void announce(Height certified);
  // Returns the height up to which nothing that was dropped is left to settle.
  Height settle_dropped(Height certified);
  void settle_stored(Height height);
  void settle_block(const ledger::ExecutedBlock& block);
  // Without the transaction, what it became is read from the chain.
  void settle_receipt(Height height, std::uint32_t index, const ledger::Receipt& receipt,
                      const ledger::TransactionPtr& transaction);
  void settle_expired(Height certified);
  void settle_late();
  TransactionView known(const Waiter& waiter) const;
  // Answers everybody who waits for this transaction.
  void answer_all(const Digest& id, const TransactionView& view);
  void answer(Waiter& waiter, TransactionView view);
};

FinalityWatch::FinalityWatch(const ledger::Chain& chain, std::size_t waiters_max)
    : impl_(std::make_unique<Impl>(chain, waiters_max)) {
  impl_->thread = std::thread([this] { impl_->run(); });
}

FinalityWatch::~FinalityWatch() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_one();
  impl_->thread.join();
}

void FinalityWatch::block_executed(std::shared_ptr<const ledger::ExecutedBlock> block) {
  const Height height = block->header.height;
  std::shared_ptr<const ledger::ExecutedBlock> dropped;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->executed.push_back(std::move(block));
    dropped = impl_->drop_oldest();
  }
  // After it was queued: a certificate that is stored from now on wakes the thread by itself.
  if (height <= impl_->chain.certified_height()) certificates_changed();
}

void FinalityWatch::certificates_changed() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->changed = true;
  }
  impl_->wake.notify_one();
}

void FinalityWatch::wait(const Digest& id, Height valid_until, Deadline deadline, Done done) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->waiting < impl_->waiters_max && !impl_->stopping) {
      ++impl_->waiting;
      impl_->fresh.push_back({id, valid_until, deadline, std::move(done)});
      done = nullptr;
    }
  }
  if (done) return done(impl_->known({id, valid_until, deadline, nullptr}));
  impl_->wake.notify_one();
}

void FinalityWatch::run_soon(std::function<void()> task) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->stopping) {
      impl_->tasks.push_back(std::move(task));
      task = nullptr;
    }
  }
  if (task) return task();
  impl_->wake.notify_one();
}

std::size_t FinalityWatch::index_entries() const {
  return impl_->waiters.size() + impl_->by_deadline.size() + impl_->by_expiry.size();
}

void FinalityWatch::set_sink(rpc::EventSink* sink) {
  const std::lock_guard lock(impl_->sink_mutex);
  impl_->sink = sink;
}

void FinalityWatch::Impl::run() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    const auto due = [this] { return stopping || changed || !fresh.empty() || !tasks.empty(); };
    if (by_deadline.empty()) {
      wake.wait(lock, due);
    } else {
      wake.wait_until(lock, by_deadline.begin()->first, due);
    }
    changed = false;
    std::vector<Waiter> arrived = std::move(fresh);
    fresh.clear();
    const auto asked = std::move(tasks);
    tasks.clear();
    lock.unlock();
    for (const auto& task : asked) task();
    // New waiters first: what was announced before they came is found in the chain, and what comes
    // after finds them here.
    admit(std::move(arrived));
    announce(chain.certified_height());
    settle_late();
    lock.lock();
  }
  std::vector<Waiter> arrived = std::move(fresh);
  const auto asked = std::move(tasks);
  lock.unlock();
  for (const auto& task : asked) task();
  for (Waiter& waiter : arrived) answer(waiter, known(waiter));
  while (!waiters.empty()) {
    const Digest id = waiters.begin()->first;
    answer_all(id, known(*waiters.begin()->second));
  }
}

void FinalityWatch::Impl::admit(std::vector<Waiter> arrived) {
  for (Waiter& each : arrived) {
    TransactionView view = known(each);
    if (is_decided(view.status)) {
      answer(each, std::move(view));
      continue;
    }
    auto waiter = std::make_shared<Waiter>(std::move(each));
    waiters.emplace(waiter->id, waiter);
    by_deadline.emplace(waiter->deadline, waiter);
    if (waiter->valid_until != Height(0)) by_expiry.emplace(waiter->valid_until, waiter);
  }
}

std::shared_ptr<const ledger::ExecutedBlock> FinalityWatch::Impl::drop_oldest() {
  if (executed.size() <= kBlocksMax) return nullptr;
  auto oldest = std::move(executed.front());
  executed.pop_front();
  const Height height = oldest->header.height;
  if (!dropped) dropped = Heights{height, height};
  dropped->last = height;
  return oldest;
}

void FinalityWatch::Impl::announce(Height certified) {
  certified = settle_dropped(certified);
  std::vector<std::shared_ptr<const ledger::ExecutedBlock>> final_blocks;
  {
    const std::lock_guard lock(mutex);
    while (!executed.empty() && executed.front()->header.height <= certified) {
      final_blocks.push_back(std::move(executed.front()));
      executed.pop_front();
    }
  }
  for (const auto& block : final_blocks) settle_block(*block);
  if (certified <= announced) return;
  settle_expired(certified);
  const std::lock_guard lock(sink_mutex);
  while (announced < certified) {
    announced = announced.next();
    if (sink != nullptr) sink->on_block_final(announced);
  }
}

Height FinalityWatch::Impl::settle_dropped(Height certified) {
  Heights now;
  {
    const std::lock_guard lock(mutex);
    if (!dropped || certified < dropped->first) return certified;
    now = {dropped->first, std::min(dropped->last, certified)};
    if (!waiters.empty()) {
      now.last = std::min(now.last, Height(now.first.value() + kHeightsPerRound - 1));
    }
    if (now.last < dropped->last) {
      dropped->first = now.last.next();
      changed = changed || now.last < certified;  // the rest in the next round
      certified = now.last;
    } else {
      dropped.reset();
    }
  }
  for (Height at = now.first; at <= now.last && !waiters.empty(); at = at.next()) {
    settle_stored(at);
  }
  return certified;
}

void FinalityWatch::Impl::settle_stored(Height height) {
  const auto receipts = chain.receipts(height);
  if (!receipts) return;  // whoever waits for it is answered at the deadline
  for (std::uint32_t i = 0; i < receipts->size(); ++i) {
    settle_receipt(height, i, (*receipts)[i], nullptr);
  }
}

void FinalityWatch::Impl::settle_block(const ledger::ExecutedBlock& block) {
  if (waiters.empty()) return;
  for (std::uint32_t i = 0; i < block.receipts.size(); ++i) {
    settle_receipt(block.header.height, i, block.receipts[i], block.transactions[i]);
  }
}

void FinalityWatch::Impl::settle_receipt(Height height, std::uint32_t index,
                                         const ledger::Receipt& receipt,
                                         const ledger::TransactionPtr& transaction) {
  const auto found = waiters.find(receipt.transaction_id);
  if (found == waiters.end()) return;
  if (receipt.outcome == ledger::Outcome::skipped || !transaction) {
    // An earlier block may have executed these very bytes. Otherwise another transaction has used
    // the nonce, and this one can never be executed.
    TransactionView view = known(*found->second);
    if (!is_decided(view.status) && receipt.reason != ledger::Reason::nonce_too_low) return;
    if (!is_decided(view.status)) {
      view.status = TransactionStatus::failed;
      view.height = height;
      view.index = index;
      view.receipt = receipt;
    }
    return answer_all(receipt.transaction_id, view);
  }
  TransactionView view;
  view.id = receipt.transaction_id;
  view.status = receipt.outcome == ledger::Outcome::succeeded ? TransactionStatus::final
                                                              : TransactionStatus::failed;
  view.height = height;
  view.index = index;
  view.receipt = receipt;
  view.transaction = transaction->signed_transaction;
  answer_all(receipt.transaction_id, view);
}

void FinalityWatch::Impl::settle_expired(Height certified) {
  while (!by_expiry.empty() && by_expiry.begin()->first <= certified) {
    const auto waiter = by_expiry.begin()->second;
    // Off the index first: whatever the answer does, this loop comes to its end.
    by_expiry.erase(by_expiry.begin());
    const TransactionView view = known(*waiter);
    if (is_decided(view.status)) answer_all(waiter->id, view);
  }
}

void FinalityWatch::Impl::settle_late() {
  const auto now = std::chrono::steady_clock::now();
  while (!by_deadline.empty() && by_deadline.begin()->first <= now) {
    const auto waiter = by_deadline.begin()->second;
    by_deadline.erase(by_deadline.begin());
    forget(waiters, waiter->id, waiter);
    forget(by_expiry, waiter->valid_until, waiter);
    if (waiter->done) answer(*waiter, known(*waiter));
  }
}

TransactionView FinalityWatch::Impl::known(const Waiter& waiter) const {
  auto view = read_transaction(chain, waiter.id);
  return view ? std::move(*view) : not_executed(chain, waiter.id, waiter.valid_until);
}

void FinalityWatch::Impl::answer_all(const Digest& id, const TransactionView& view) {
  const auto [first, last] = waiters.equal_range(id);
  std::vector<std::shared_ptr<Waiter>> ready;
  for (auto it = first; it != last; ++it) ready.push_back(it->second);
  waiters.erase(first, last);
  for (const auto& waiter : ready) {
    forget(by_deadline, waiter->deadline, waiter);
    forget(by_expiry, waiter->valid_until, waiter);
    answer(*waiter, view);
  }
}

void FinalityWatch::Impl::answer(Waiter& waiter, TransactionView view) {
  {
    const std::lock_guard lock(mutex);
    --waiting;
  }
  const Done done = std::move(waiter.done);
  waiter.done = nullptr;
  done(std::move(view));
}

}  // namespace quorate::node
