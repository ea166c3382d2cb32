#include "consensus/pow/commit_tracker.hpp"

#include <algorithm>

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pow {

namespace {

constexpr std::size_t kCommitsInFlight = 16;
constexpr std::uint64_t kTentativeMax = 64;

// So many blocks of others in a row must name other results than the own ones before this ledger is
// the one that is wrong: more than anybody mines who has not most of the hash rate. Whom a header
// names as its miner proves nothing.
constexpr std::uint64_t kDisagreeing = 64;

std::string disagreement_text(std::uint64_t blocks, Height from) {
  return std::to_string(blocks) + " blocks of others in a row, from height " +
         std::to_string(from.value()) +
         " of the heaviest branch on, name other results than this ledger has: it is damaged, or "
         "this program computes another state than the miners'; run quorate-node verify, then move "
         "the ledger aside and start again";
}

}  // namespace

void CommitTracker::restore(const Block& applied) {
  committed_ = &applied;
  executed_ = &applied;
  highest_ = applied.height();
}

void CommitTracker::on_executed(const Executed& executed) {
  // Between Rewind and Rewound it belongs to what was withdrawn.
  if (rewinding_ || in_flight_.empty() || in_flight_.front().id != executed.id) return;
  in_flight_.pop_front();
  const Block* block = state_.tree->find(executed.id);
  // One of a branch that was left behind may be forgotten already; its Rewind is due.
  if (block == nullptr) return;
  executed_ = block;
  state_.tree->set_executed(executed.id, executed.block_hash);
  state_.tree->set_applied(executed.id);
  state_.progress(Progress::Phase::executed, executed.height);
}

void CommitTracker::on_rewound(Height height) {
  QUORATE_ASSERT(rewinding_ && height == committed_->height());
  rewinding_ = false;
}

// Where the preferred branch and what was committed part.
const Block& CommitTracker::last_shared() const {
  const Block& out = state_.tree->fork_point(*committed_, state_.tree->tip());
  if (&out == committed_) return out;
  if (QUORATE_MUTANT(rewind_too_deep) && out.parent != nullptr) return *out.parent;
  if (QUORATE_MUTANT(rewind_too_shallow)) {
    return *state_.tree->ancestor(*committed_, out.height().next());
  }
  return out;
}

void CommitTracker::advance() {
  if (rewinding_ && !QUORATE_MUTANT(rewind_not_awaited)) return;
  const Block& shared = last_shared();
  rewind_due_ = rewind_due_ || &shared != committed_;
  committed_ = &shared;
  if (rewind_due_) {
    // What both branches share is not taken back: its answers are still owed.
    if (executed_->height() >= shared.height()) rewind();
    return;
  }
  compare_results();
  if (state_.halted) return;
  const Block* target = deep_enough();
  while (target != nullptr && committed_->height() < target->height() &&
         in_flight_.size() < kCommitsInFlight) {
    const Block* next = state_.tree->on_branch(committed_->height().next());
    const StoredBody* body = state_.bodies.find(next->id);
    if (body == nullptr) break;  // it is being fetched again
    commit(*next, *body);
  }
  tell_tentative();
}

// The newest block of the preferred branch that may be committed: depth - 1 blocks stand on it, and
// up to those the synced log has every one above the last Commit.
const Block* CommitTracker::deep_enough() const {
  const std::uint64_t depth = state_.settings.depth();
  const std::uint64_t above =
      QUORATE_MUTANT(committed_too_early) && depth > 1 ? depth - 2 : depth - 1;
  const Height last = std::min(state_.tree->tip().height(),
                               committed_->height().saturating_add(kCommitsInFlight + above));
  Height durable = committed_->height();
  while (durable < last) {
    const StoredBody* body = state_.bodies.find(state_.tree->on_branch(durable.next())->id);
    const bool known = body != nullptr && body->logged && state_.outbox.is_durable(body->token);
    if (!known && !(body != nullptr && QUORATE_MUTANT(committed_before_durable))) break;
    durable = durable.next();
  }
  if (durable.value() <= committed_->height().value() + above) return nullptr;
  return state_.tree->on_branch(Height(durable.value() - above));
}

void CommitTracker::commit(const Block& block, const StoredBody& body) {
  Commit out;
  out.height = block.height();
  out.id = block.id;
  out.proposed_time = WallMs(block.header.time_s * 1'000);
  out.proposer = block.header.miner;
  out.payload = *body.payload;
  out.commit_certificate = crypto::work::encode(block.header);
  state_.outbox.emit(std::move(out));
  committed_ = &block;
  highest_ = std::max(highest_, block.height());
  in_flight_.push_back({block.height(), block.id});
  state_.progress(Progress::Phase::committed, block.height());
}

void CommitTracker::rewind() {
  ++rewinds_;
  rewind_due_ = false;
  rewinding_ = true;
  in_flight_.clear();
  executed_ = committed_;
  tentative_.clear();
  state_.tree->set_applied(committed_->id);
  state_.outbox.emit(Rewind{committed_->height()});
}

void CommitTracker::tell_tentative() {
  TentativeOrder order;
  const std::uint64_t count =
      std::min(state_.tree->tip().height().value() - committed_->height().value(), kTentativeMax);
  for (std::uint64_t i = 1; i <= count; ++i) {
    order.ids.push_back(state_.tree->on_branch(committed_->height().saturating_add(i))->id);
  }
  if (order.ids == tentative_) return;
  tentative_ = order.ids;
  for (const Digest& id : order.ids) {
    order.certificates.push_back(crypto::work::encode(state_.tree->find(id)->header));
  }
  state_.outbox.emit(std::move(order));
}

std::optional<Digest> CommitTracker::exec_ref(const Block& tip) const {
  const std::uint64_t below = state_.settings.depth();
  const Height height =
      tip.height().saturating_sub(QUORATE_MUTANT(result_of_other_height) ? below - 1 : below);
  const Block* block = state_.tree->ancestor(tip, height);
  return block == nullptr ? std::nullopt : block->executed;
}

// Whether the newest headers of the branch name other results than this ledger has. A miner may lie
// in that at no cost; what block after block says is what everybody else computes. Own blocks say
// nothing new.
void CommitTracker::compare_results() {
  const Block& tip = state_.tree->tip();
  if (compared_ == tip.id && compared_at_ == executed_->height()) return;
  compared_ = tip.id;
  compared_at_ = executed_->height();
  if (QUORATE_MUTANT(results_not_compared)) return;
  const std::uint64_t enough =
      QUORATE_MUTANT(few_lies_halt) ? state_.depth() : std::max(state_.depth(), kDisagreeing);
  const Height newest = executed_->height().saturating_add(state_.depth() + 1);
  std::uint64_t disagreeing = 0;
  for (const Block* block = state_.tree->on_branch(std::min(tip.height(), newest));
       block->parent != nullptr; block = block->parent) {
    if (state_.settings.key == block->header.miner) continue;
    const auto own = exec_ref(*block->parent);
    if (!own || *own == block->header.exec_ref) return;
    if (++disagreeing < enough) continue;
    return state_.halt(disagreement_text(disagreeing, block->height()));
  }
}

}  // namespace quorate::consensus::pow
