#include "consensus/pow/body_sync.hpp"

#include <algorithm>

namespace quorate::consensus::pow {

namespace {

constexpr Duration kGrace = std::chrono::milliseconds(250);
constexpr Duration kAnswerTime = std::chrono::seconds(2);
constexpr Duration kProgress = std::chrono::seconds(10);
constexpr std::size_t kWindow = 64;  // payloads on their way
constexpr std::size_t kAskedPerPeer = 16;
constexpr std::size_t kBodyBytesMax = 192U << 20U;  // held already: more is not asked for
constexpr std::uint64_t kBehind = 2;

}  // namespace

void BodySync::note_source(ReplicaId peer, const Digest& id) {
  if (state_.bodies.find(id) != nullptr || asked_.size() >= 2 * kWindow) return;
  asked_.try_emplace(id, Question{peer, 0, state_.now + kGrace});
}

bool BodySync::catching_up() const {
  const Block& best = state_.tree->best_header();
  return best.height().value() > state_.tree->tip().height().value() + kBehind &&
         state_.now - last_body_ < kProgress;
}

// From below, so that what comes in can be used at once.
std::vector<const Block*> BodySync::missing() const {
  std::vector<const Block*> out;
  if (state_.bodies.payload_bytes() > kBodyBytesMax) return out;
  const Block& tip = state_.tree->tip();
  const Height above = state_.tree->fork_point(commits_.committed(), tip).height();
  const Height last = std::min(tip.height(), above.saturating_add(kWindow));
  for (Height height = above.next(); height <= last; height = height.next()) {
    const Block* block = state_.tree->on_branch(height);
    if (state_.bodies.find(block->id) == nullptr) out.push_back(block);
  }
  if (state_.tree->best_header().id == tip.id) return out;
  for (const Block* block : state_.tree->wanted(2 * kWindow)) {
    if (out.size() >= kWindow) break;
    if (state_.bodies.find(block->id) == nullptr) out.push_back(block);
  }
  return out;
}

ReplicaId BodySync::choose_peer(const Question& question) {
  // The first try goes to whoever showed a single new block; a long branch is spread.
  if (question.tries == 0 && !catching_up()) return question.peer;
  const std::uint32_t members = state_.settings.members();
  ReplicaId peer(turn_++ % members);
  if (state_.settings.is_self(peer)) peer = ReplicaId(turn_++ % members);
  return peer;
}

void BodySync::advance() {
  due_.reset();
  const std::vector<const Block*> blocks = missing();
  std::map<Digest, Question> still;
  std::map<ReplicaId, std::size_t> busy;
  std::map<ReplicaId, AskBlocks> batches;
  for (const Block* block : blocks) {
    const auto known = asked_.find(block->id);
    if (known != asked_.end()) {
      still.insert(*known);
      if (known->second.tries > 0 && known->second.until > state_.now) ++busy[known->second.peer];
    } else {
      still.emplace(block->id, Question{ReplicaId(0), 1, state_.now});
    }
  }
  asked_ = std::move(still);
  for (const Block* block : blocks) {
    Question& question = asked_.at(block->id);
    const bool behind = catching_up();
    if (question.until <= state_.now || (behind && question.tries == 0)) {
      const ReplicaId peer = choose_peer(question);
      AskBlocks& batch = batches[peer];
      if (!state_.settings.is_self(peer) && busy[peer] < kAskedPerPeer &&
          batch.ids.size() < kAskedBlocksMax) {
        batch.ids.push_back(block->id);
        ++busy[peer];
        question = {peer, question.tries + 1, state_.now + kAnswerTime};
      } else {
        question.until = state_.now + kGrace;
      }
    }
    if (!due_ || question.until < *due_) due_ = question.until;
  }
  for (auto& [peer, batch] : batches) {
    if (!batch.ids.empty()) state_.outbox.send(peer, batch);
  }
}

}  // namespace quorate::consensus::pow
