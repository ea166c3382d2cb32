#include "consensus/pow/log_keeper.hpp"

#include <algorithm>

#include "consensus/pow/durable_state.hpp"

namespace quorate::consensus::pow {

void make_durable(EngineState& state, const Block& block, StoredBody& body) {
  body.logged = true;
  body.token =
      state.outbox.persist(encode_block_record({{block.header, block.id}, body.payload}), false);
}

namespace {

// A log smaller than this is not worth a snapshot; a larger one is written anew when it is four
// times what it must hold.
constexpr std::size_t kLogBytesMin = 4U << 20U;
constexpr std::size_t kLogGrowth = 4;
constexpr std::size_t kLookEvery = 16;  // of the log's growth
constexpr std::size_t kServedBytesMax = 16U << 20U;
constexpr std::uint64_t kTurnIsNear = 64;

std::size_t record_size(const StoredBody& body) {
  return body.payload->size() + crypto::work::kHeaderSize + 8;
}

}  // namespace

void LogKeeper::open() {
  state_.outbox.persist(encode_snapshot(state_.settings.membership.chain_id, {}), true);
}

void LogKeeper::restore(const std::vector<Bytes>& records) {
  log_bytes_ = 0;
  for (const Bytes& record : records) log_bytes_ += record.size();
}

// What a restart would miss: a valid block that the ledger does not hold.
bool LogKeeper::needed(const Digest& id, const StoredBody& body) const {
  if (!body.checked) return false;
  const Block* block = state_.tree->find(id);
  if (block == nullptr || block->condemned) return false;
  const Block& executed = commits_.executed();
  return block->height() > executed.height() ||
         state_.tree->ancestor(executed, block->height()) != block;
}

void LogKeeper::advance() {
  if (commits_.rewinds() != rewinds_) {
    rewinds_ = commits_.rewinds();
    log_withdrawn();
  }
  if (commits_.executed().height() != collected_ && !commits_.rewinding()) {
    collected_ = commits_.executed().height();
    drop_bodies();
  }
  if (state_.bodies.payload_bytes() > kPayloadBytesKept) make_room();
  log_bytes_ += state_.outbox.take_logged_bytes();
  if (log_bytes_ < std::max(kLogBytesMin, look_at_)) return;
  if (log_bytes_ >= kLogGrowth * logged_bytes()) {
    write_snapshot();
  } else {
    look_at_ = log_bytes_ + log_bytes_ / kLookEvery;
  }
}

std::size_t LogKeeper::logged_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [id, body] : state_.bodies.all()) {
    if (needed(id, body)) bytes += record_size(body);
  }
  return bytes;
}

// What the ledger held until a Rewind may have left the log since.
void LogKeeper::log_withdrawn() {
  for (auto& [id, body] : state_.bodies.all()) {
    if (!body.logged && needed(id, body)) make_durable(state_, *state_.tree->find(id), body);
  }
}

// Executed ones below what peers may still ask for, and all of blocks that the tree has forgotten:
// below its root, and now and then above it. While this replica follows what is only proved, it may
// have to go back to the branch that it left.
void LogKeeper::drop_bodies() {
  const Height executed = commits_.executed().height();
  const Height below = executed.saturating_sub(kServedHeights);
  const bool plenty = state_.bodies.payload_bytes() > kServedBytesMax;
  const bool all = executed.value() % kServedHeights == 0;
  std::vector<Digest> done;
  for (const auto& [height, id] : state_.bodies.by_height()) {
    if (height > executed && !all) break;
    const StoredBody& body = *state_.bodies.find(id);
    const bool taken = height <= executed && body.checked && !needed(id, body);
    const bool old = height <= below || plenty;
    // A branch so far below wins only if its blocks come anew, and then they are fetched.
    const bool left_behind = height <= below &&
                             state_.tree->best_header().id == state_.tree->tip().id &&
                             !state_.tree->tip().proved_above();
    if (state_.tree->find(id) == nullptr || (taken && old) || left_behind) done.push_back(id);
  }
  for (const Digest& id : done) state_.bodies.erase(id);
}

// What is known to be valid is fetched again when its turn comes: it lies far above what is
// executed, or on a branch that is not the heaviest yet, and may never be.
void LogKeeper::make_room() {
  const Height near = commits_.committed().height().saturating_add(kTurnIsNear);
  std::vector<std::pair<Height, Digest>> far;
  for (const auto& [id, body] : state_.bodies.all()) {
    if (!body.checked || !state_.outbox.is_durable(body.token)) continue;
    const Block* on_branch = state_.tree->on_branch(body.height);
    const bool beside = on_branch == nullptr || on_branch->id != id;
    if (body.height > near || beside) far.emplace_back(body.height, id);
  }
  std::sort(far.begin(), far.end());
  while (!far.empty() && state_.bodies.payload_bytes() > kPayloadBytesKept) {
    state_.bodies.erase(far.back().second);
    far.pop_back();
  }
}

// In the order in which they were seen, so that of equal branches the first stays first.
void LogKeeper::write_snapshot() {
  std::vector<FullBlock> blocks;
  for (const Block* block : state_.tree->all()) {
    const StoredBody* body = state_.bodies.find(block->id);
    if (body != nullptr && needed(block->id, *body)) {
      blocks.push_back({{block->header, block->id}, body->payload});
    }
  }
  const PersistToken token =
      state_.outbox.persist(encode_snapshot(state_.settings.membership.chain_id, blocks), true);
  for (auto& [id, body] : state_.bodies.all()) {
    const bool kept = needed(id, body);
    if (body.logged && !kept) body.logged = false;
    if (kept && !state_.outbox.is_durable(body.token)) body.token = token;
  }
  log_bytes_ = state_.outbox.take_logged_bytes();
  look_at_ = 0;
}

}  // namespace quorate::consensus::pow
