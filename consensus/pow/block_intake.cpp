#include "consensus/pow/block_intake.hpp"

#include "consensus/pow/log_keeper.hpp"
#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pow {

namespace {

constexpr std::size_t kHeldMax = 64;
constexpr std::size_t kHeldBytesMax = 16U << 20U;
constexpr Duration kHeldRetry = std::chrono::seconds(1);
// What lies further ahead than that comes again, or was a joke.
constexpr std::uint64_t kHeldAheadS = 60;
// Blocks further below the ledger's head are taken in only as part of a heavier branch.
constexpr std::uint64_t kUsefulBelow = 64;

std::size_t size_of(const Payload& payload) { return payload ? payload->size() : 0; }

}  // namespace

BlockIntake::Seen BlockIntake::on_header(ReplicaId from, const Identified& header) {
  return join(from, header, nullptr);
}

BlockIntake::Seen BlockIntake::on_block(ReplicaId from, const FullBlock& block) {
  return join(from, block.header, block.payload);
}

BlockIntake::Seen BlockIntake::join(ReplicaId from, const Identified& header,
                                    const Payload& payload) {
  const BlockTree::Added added = state_.tree->add(header.header, header.id, state_.wall);
  switch (added.outcome) {
    case BlockTree::Outcome::added:
    case BlockTree::Outcome::known: break;
    case BlockTree::Outcome::parent_unknown:
      if (payload) orphans_.add(from, FullBlock{header, payload}, state_.tree->tip(), state_.now);
      return Seen::detached;
    case BlockTree::Outcome::too_early: hold(from, header, payload); return Seen::held;
    case BlockTree::Outcome::too_old: return Seen::too_old;
    case BlockTree::Outcome::too_far_ahead: return Seen::too_far_ahead;
    case BlockTree::Outcome::no_room: return Seen::passed_over;
    case BlockTree::Outcome::invalid: state_.reject(from, added.why); return Seen::refused;
  }
  if (payload) on_payload(from, *added.block, payload);
  if (added.outcome == BlockTree::Outcome::added) {
    ++joined_;
    adopt_orphans(header.id);
  }
  return Seen::joined;
}

void BlockIntake::hold(ReplicaId from, const Identified& header, const Payload& payload) {
  const std::uint64_t horizon =
      state_.wall.value() / 1'000 + state_.settings.rules.future_limit_s() + kHeldAheadS;
  if (header.header.time_s > horizon) return;
  std::size_t bytes = size_of(payload);
  for (const Held& entry : held_) {
    if (entry.header.id == header.id && (entry.payload || !payload)) return;
    bytes += size_of(entry.payload);
  }
  const bool full = held_.size() >= kHeldMax || bytes > kHeldBytesMax;
  if (full && !QUORATE_MUTANT(future_unbounded)) return;
  held_.push_back({from, header, payload, state_.now + kHeldRetry});
}

void BlockIntake::on_payload(ReplicaId from, const Block& block, const Payload& payload) {
  if (state_.bodies.find(block.id) != nullptr || block.condemned) return;
  if (state_.bodies.payload_bytes() + payload->size() > kPayloadBytesMax) return;
  const Block& applied = state_.tree->applied();
  if (state_.tree->ancestor(applied, block.height()) == &block) return;  // the ledger has it
  const bool heavier_known = &state_.tree->best_header() != &state_.tree->tip();
  if (block.height().saturating_add(kUsefulBelow) < applied.height() && !heavier_known) return;
  StoredBody body{payload, block.height(), from};
  // Found valid before, and given up since.
  body.checked = block.body == Block::Body::valid;
  keep(block, std::move(body));
}

// The host is shown every payload, also a valid one: it must know each by its block's id.
void BlockIntake::keep(const Block& block, StoredBody body) {
  StoredBody& kept = state_.bodies.put(block.id, std::move(body));
  if (kept.checked && !kept.logged) make_durable(state_, block, kept);
  state_.outbox.emit(Validate{block.height(), block.id, *kept.payload});
}

void BlockIntake::show_again(Height above, Height reached) {
  for (auto& [id, body] : state_.bodies.all()) {
    if (QUORATE_MUTANT(payloads_not_shown_again)) return;
    if (!body.checked || body.height <= above || body.height > reached) continue;
    body.shown = false;
    state_.outbox.emit(Validate{body.height, id, *body.payload});
  }
}

bool BlockIntake::on_own_block(const FullBlock& block) {
  const BlockTree::Added added =
      state_.tree->add(block.header.header, block.header.id, state_.wall);
  // A clock that was set back since the work began, at worst: then the work is lost.
  if (added.outcome != BlockTree::Outcome::added) return false;
  ++joined_;
  state_.tree->set_valid(block.header.id);
  StoredBody body{block.payload, added.block->height(), state_.own_id()};
  body.checked = true;
  keep(*added.block, std::move(body));
  state_.progress(Progress::Phase::mined, added.block->height());
  return true;
}

void BlockIntake::restore(const FullBlock& block) {
  const BlockTree::Added added =
      state_.tree->add(block.header.header, block.header.id, WallMs::max());
  if (added.outcome != BlockTree::Outcome::added) return;  // below the ledger, or without ancestors
  ++joined_;
  restoring_.insert(block.header.id);
  StoredBody body{block.payload, added.block->height(), state_.own_id()};
  body.logged = true;
  keep(*added.block, std::move(body));
}

void BlockIntake::on_validated(const Digest& id, bool valid) {
  restoring_.erase(id);
  StoredBody* body = state_.bodies.find(id);
  const Block* block = state_.tree->find(id);
  if (block == nullptr || body == nullptr) return;  // of a branch that is forgotten
  if (valid || QUORATE_MUTANT(invalid_payload_joins)) {
    body->shown = true;
    if (body->checked) return;
    body->checked = true;
    state_.tree->set_valid(id);
    if (!body->logged) make_durable(state_, *block, *body);
    return;
  }
  if (block->body == Block::Body::valid) {
    return state_.halt("the host finds a payload invalid that it built or found valid before");
  }
  state_.tree->set_invalid(id);
  if (!body->logged) {
    state_.reject(body->from, "the block of height " + std::to_string(body->height.value()) +
                                  " has an invalid payload");
  }
  drop_invalid();
}

void BlockIntake::drop_invalid() {
  std::vector<Digest> invalid;
  for (const auto& [id, body] : state_.bodies.all()) {
    const Block* block = state_.tree->find(id);
    if (block == nullptr || block->condemned) invalid.push_back(id);
  }
  for (const Digest& id : invalid) state_.bodies.erase(id);
}

void BlockIntake::adopt_orphans(const Digest& parent) {
  for (Orphan& orphan : orphans_.take_children(parent)) {
    join(orphan.from, orphan.block.header, orphan.block.payload);
  }
}

void BlockIntake::advance() {
  orphans_.expire(state_.now);
  std::vector<Held> due;
  for (auto it = held_.begin(); it != held_.end();) {
    if (it->retry > state_.now) {
      ++it;
      continue;
    }
    due.push_back(std::move(*it));
    it = held_.erase(it);
  }
  for (const Held& entry : due) join(entry.from, entry.header, entry.payload);
}

std::optional<Instant> BlockIntake::next_deadline() const {
  std::optional<Instant> earliest;
  for (const Held& entry : held_) {
    if (!earliest || entry.retry < *earliest) earliest = entry.retry;
  }
  return earliest;
}

std::size_t BlockIntake::memory_bytes() const {
  std::size_t bytes = orphans_.memory_bytes();
  for (const Held& entry : held_) bytes += sizeof(Held) + size_of(entry.payload);
  return bytes;
}

}  // namespace quorate::consensus::pow
