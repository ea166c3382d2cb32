#include "node/finality_watch.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "node/chain_reader.hpp"
#include "node/waiter_index.hpp"

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

bool is_decided(TransactionStatus status) {
  return status == TransactionStatus::final || status == TransactionStatus::failed ||
         status == TransactionStatus::expired;
}

}  // namespace

rpc::TransactionView fate_of(const ledger::Chain& chain, const SeenTransaction& seen) {
  // The state first: what has used the nonce by then is in the chain, and if it was this very
  // transaction it is found there.
  const auto state = chain.certified_state();
  if (auto executed = read_transaction(chain, seen.id)) return std::move(*executed);
  TransactionView out;
  out.id = seen.id;
  // The next block is above the certified one, and inclusive of valid_until.
  if (seen.valid_until != Height(0) && chain.certified_height() >= seen.valid_until) {
    out.status = TransactionStatus::expired;
    out.reason = ledger::Reason::expired;
  }
  if (seen.nonce == 0 || !state) return out;
  const auto sender = (*state)->account(seen.sender);
  if (sender && sender->nonce >= seen.nonce) {
    out.status = TransactionStatus::failed;
    out.reason = ledger::Reason::nonce_too_low;
  }
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
  std::deque<std::shared_ptr<const rpc::WithdrawnBlocks>> withdrawn;  // not told yet
  std::vector<Waiter> fresh;
  std::deque<std::function<void()>> tasks;
  std::size_t waiting = 0;  // fresh and settled ones

  std::mutex sink_mutex;  // held while the sink is called
  rpc::EventSink* sink = nullptr;

  // The thread's own.
  Height announced;
  WaiterIndex waiters;
  std::thread thread;

  void run();
  void admit(std::vector<Waiter> arrived);
  // Drops the oldest block once there are too many. Under the lock; freed by the caller without.
  std::shared_ptr<const ledger::ExecutedBlock> drop_oldest();
  Height certified_now();
  void announce(Height certified);
  // Returns the height up to which nothing that was dropped is left to settle.
  Height settle_dropped(Height certified);
  void settle_stored(Height height);
  void settle_block(const ledger::ExecutedBlock& block);
  // Without the transaction, what it became is read from the chain.
  void settle_receipt(Height height, std::uint32_t index, const ledger::Receipt& receipt,
                      const ledger::TransactionPtr& transaction);
  // Answers whoever waits for another transaction with the nonce that this one has used.
  void settle_replaced(const ledger::VerifiedTransaction& winner);
  void settle_expired(Height certified);
  void settle_late();
  TransactionView known(const Waiter& waiter) const { return fate_of(chain, waiter.seen); }
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

void FinalityWatch::blocks_withdrawn(std::shared_ptr<const rpc::WithdrawnBlocks> blocks) {
  const Height from = blocks->from;
  std::deque<std::shared_ptr<const ledger::ExecutedBlock>> gone;  // freed without the lock
  {
    const std::lock_guard lock(impl_->mutex);
    auto& executed = impl_->executed;
    while (!executed.empty() && executed.back()->header.height >= from) {
      gone.push_back(std::move(executed.back()));
      executed.pop_back();
    }
    auto& dropped = impl_->dropped;
    if (dropped && dropped->first >= from) dropped.reset();
    if (dropped) dropped->last = std::min(dropped->last, from.previous());
    impl_->withdrawn.push_back(std::move(blocks));
    impl_->changed = true;
  }
  impl_->wake.notify_one();
}

void FinalityWatch::wait(const SeenTransaction& transaction, Deadline deadline, Done done) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->waiting < impl_->waiters_max && !impl_->stopping) {
      ++impl_->waiting;
      impl_->fresh.push_back({transaction, deadline, std::move(done)});
      done = nullptr;
    }
  }
  if (done) return done(fate_of(impl_->chain, transaction));
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

std::size_t FinalityWatch::index_entries() const { return impl_->waiters.entries(); }

void FinalityWatch::set_sink(rpc::EventSink* sink) {
  const std::lock_guard lock(impl_->sink_mutex);
  impl_->sink = sink;
}

void FinalityWatch::Impl::run() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    const auto due = [this] { return stopping || changed || !fresh.empty() || !tasks.empty(); };
    if (waiters.empty()) {
      wake.wait(lock, due);
    } else {
      wake.wait_until(lock, waiters.by_deadline.begin()->first, due);
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
    announce(certified_now());
    settle_late();
    lock.lock();
  }
  std::vector<Waiter> arrived = std::move(fresh);
  const auto asked = std::move(tasks);
  lock.unlock();
  for (const auto& task : asked) task();
  for (Waiter& waiter : arrived) answer(waiter, known(waiter));
  while (!waiters.empty()) {
    const auto& [id, waiter] = *waiters.by_id.begin();
    answer_all(Digest(id), known(*waiter));
  }
}

void FinalityWatch::Impl::admit(std::vector<Waiter> arrived) {
  for (Waiter& each : arrived) {
    TransactionView view = known(each);
    if (is_decided(view.status)) {
      answer(each, std::move(view));
      continue;
    }
    waiters.insert(std::make_shared<Waiter>(std::move(each)));
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

// Nothing is executed between a rewind and the call that tells of it. So a height that was read
// before such a call stands for what was final then, and one that was read after it counts from
// where the rewind left off.
Height FinalityWatch::Impl::certified_now() {
  while (true) {
    const Height certified = chain.certified_height();
    std::deque<std::shared_ptr<const rpc::WithdrawnBlocks>> told;
    {
      const std::lock_guard lock(mutex);
      told.swap(withdrawn);
    }
    if (told.empty()) return certified;
    const std::lock_guard lock(sink_mutex);
    for (auto& blocks : told) {
      announced = std::min(announced, blocks->from.previous());
      if (sink != nullptr) sink->on_blocks_withdrawn(std::move(blocks));
    }
  }
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
    if (block.receipts[i].outcome == ledger::Outcome::skipped) continue;
    settle_replaced(*block.transactions[i]);
  }
}

void FinalityWatch::Impl::settle_receipt(Height height, std::uint32_t index,
                                         const ledger::Receipt& receipt,
                                         const ledger::TransactionPtr& transaction) {
  const auto found = waiters.by_id.find(receipt.transaction_id);
  if (found == waiters.by_id.end()) return;
  if (receipt.outcome == ledger::Outcome::skipped || !transaction) {
    // An earlier block may have executed these very bytes. Otherwise another transaction has used
    // the nonce, and this one can never be executed.
    TransactionView view = known(*found->second);
    if (!is_decided(view.status) && receipt.reason != ledger::Reason::nonce_too_low) return;
    if (!is_decided(view.status)) {
      view.status = TransactionStatus::failed;
      view.reason = ledger::Reason::nonce_too_low;
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

void FinalityWatch::Impl::settle_replaced(const ledger::VerifiedTransaction& winner) {
  const SenderNonce used{winner.sender, winner.signed_transaction.transaction.nonce};
  for (auto it = waiters.by_nonce.find(used); it != waiters.by_nonce.end();
       it = waiters.by_nonce.find(used)) {
    TransactionView view;
    view.id = it->second->seen.id;
    view.status = TransactionStatus::failed;
    view.reason = ledger::Reason::nonce_too_low;
    answer_all(view.id, view);
  }
}

void FinalityWatch::Impl::settle_expired(Height certified) {
  while (!waiters.by_expiry.empty() && waiters.by_expiry.begin()->first <= certified) {
    const auto waiter = waiters.by_expiry.begin()->second;
    // Off the index first: whatever the answer does, this loop comes to its end.
    waiters.by_expiry.erase(waiters.by_expiry.begin());
    const TransactionView view = known(*waiter);
    if (is_decided(view.status)) answer_all(view.id, view);
  }
}

void FinalityWatch::Impl::settle_late() {
  const auto now = std::chrono::steady_clock::now();
  while (!waiters.empty() && waiters.by_deadline.begin()->first <= now) {
    const auto waiter = waiters.by_deadline.begin()->second;
    waiters.erase(waiter);
    answer(*waiter, known(*waiter));
  }
}

void FinalityWatch::Impl::answer_all(const Digest& id, const TransactionView& view) {
  for (auto it = waiters.by_id.find(id); it != waiters.by_id.end(); it = waiters.by_id.find(id)) {
    const auto waiter = it->second;
    waiters.erase(waiter);
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
