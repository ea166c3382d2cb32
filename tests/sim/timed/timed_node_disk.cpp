// The threads of a node that write: its vote log and its ledger.
#include "tests/sim/timed/timed_node.hpp"

namespace quorate::sim::timed {
namespace {

constexpr std::size_t kBlocksPerBatch = 64;

}  // namespace

std::optional<Work> TimedNode::next_vote_sync() {
  if (vote_syncing_ || unsynced_.empty()) return std::nullopt;
  vote_syncing_ = true;
  const Costs& costs = shared_.scene.costs;
  std::size_t bytes = 0;
  for (const Record& record : unsynced_) bytes += record.bytes.size();
  return Work{nanoseconds(costs.sync_cpu) + per_256(costs.hash, bytes),
              guarded([this, count = unsynced_.size()] {
                after(nanoseconds(shared_.scene.costs.sync),
                      [this, count] { finish_votes(count); });
              })};
}

void TimedNode::finish_votes(std::size_t records) {
  const consensus::PersistToken last = unsynced_.at(records - 1).token;
  for (std::size_t i = 0; i < records; ++i) {
    if (unsynced_.front().snapshot) vote_log_.clear();
    vote_log_.push_back(std::move(unsynced_.front().bytes));
    unsynced_.pop_front();
  }
  vote_syncing_ = false;
  post(Lane::urgent, node::VotesPersisted{last});
  machine_.wake(vote_thread_);
}

std::optional<Work> TimedNode::next_ledger() {
  while (!ledger_syncing_ && !ledger_jobs_.empty() &&
         std::holds_alternative<Seals>(ledger_jobs_.front())) {
    const Seals seals = std::move(std::get<Seals>(ledger_jobs_.front()));
    ledger_jobs_.pop_front();
    const auto stored = chain_->store_seals(seals.height, seals.signatures);
    QUORATE_ASSERT(stored.has_value());
  }
  if (ledger_syncing_ || ledger_jobs_.empty()) return std::nullopt;
  const Costs& costs = shared_.scene.costs;
  std::int64_t cpu = costs.sync_cpu;
  if (const auto* back = std::get_if<Back>(&ledger_jobs_.front())) {
    ledger_syncing_ = true;
    return Work{nanoseconds(cpu), guarded([this, to = back->to] {
                  after(nanoseconds(shared_.scene.costs.sync), [this, to] { finish_rewind(to); });
                })};
  }
  std::vector<ledger::OrderedBlock> blocks;
  while (!ledger_jobs_.empty() && blocks.size() < kBlocksPerBatch &&
         std::holds_alternative<ledger::OrderedBlock>(ledger_jobs_.front())) {
    blocks.push_back(std::get<ledger::OrderedBlock>(std::move(ledger_jobs_.front())));
    ledger_jobs_.pop_front();
    cpu += costs.execute_block +
           static_cast<std::int64_t>(blocks.back().transactions.size()) * costs.execute_tx;
  }
  ledger_syncing_ = true;
  return Work{nanoseconds(cpu), guarded([this, blocks = std::move(blocks)] {
                after(nanoseconds(shared_.scene.costs.sync),
                      [this, blocks] { finish_blocks(blocks); });
              })};
}

void TimedNode::finish_rewind(Height to) {
  ledger_jobs_.pop_front();
  auto rewound = chain_->rewind(to);
  QUORATE_ASSERT(rewound.has_value());
  ledger_syncing_ = false;
  post(Lane::urgent, node::LedgerRewound{std::move(*rewound)});
  machine_.wake(ledger_thread_);
}

void TimedNode::finish_blocks(std::vector<ledger::OrderedBlock> blocks) {
  auto executed = chain_->execute(std::move(blocks));
  QUORATE_ASSERT(executed.has_value());
  ledger_syncing_ = false;
  post(Lane::urgent, node::BlocksExecuted{std::move(*executed)});
  machine_.wake(ledger_thread_);
}

}  // namespace quorate::sim::timed
