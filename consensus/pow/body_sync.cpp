#include "consensus/pow/body_sync.hpp"

#include <algorithm>

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pow {

namespace {

constexpr Duration kGrace = std::chrono::milliseconds(250);
constexpr Duration kBodyAnswerTime = std::chrono::seconds(2);
constexpr int kPatienceEarnedIn = 20;
constexpr std::size_t kWindow = 64;  // payloads on their way
constexpr std::size_t kAskedPerPeerMin = 16;
constexpr std::uint64_t kBehind = 2;
// Questions to one peer: less than half of what hosts let pass, and 3072 payloads a second. In a
// catch-up of empty blocks between processes of one machine 80 a second were measured.
constexpr std::uint64_t kQuestionsAtOnce = 64;
constexpr std::uint64_t kQuestionsPerSecond = 192;

}  // namespace

void BodySync::note_source(ReplicaId peer, const Digest& id) {
  if (state_.bodies.find(id) != nullptr || asked_.size() >= 2 * kWindow) return;
  asked_.try_emplace(id, Question{peer, 0, state_.now + kGrace});
}

bool BodySync::behind() const {
  const BlockTree& tree = *state_.tree;
  return tree.best_height().value() > tree.tip().height().value() + kBehind;
}

void BodySync::account() {
  const Duration passed = state_.now - accounted_;
  accounted_ = state_.now;
  if (catching_up_) {
    patience_ -= std::min(patience_, passed);
  } else {
    patience_ = std::min(kPatience, patience_ + passed / kPatienceEarnedIn);
  }
}

// Worth half of the time in which a block is mined: who hands out a branch slowly, or not at all,
// stops nobody.
void BodySync::on_body(const Digest& id) {
  if (asked_.count(id) == 0) return;
  const auto interval = state_.settings.rules.parameters().interval_ms;
  const Duration worth = std::chrono::milliseconds(static_cast<std::int64_t>(interval)) / 2;
  patience_ = std::min(kPatience, patience_ + worth);
}

// From below, so that what comes in can be used at once.
std::vector<const Block*> BodySync::missing() const {
  std::vector<const Block*> out;
  if (state_.bodies.payload_bytes() > kPayloadBytesAsked) return out;
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

// Below that height a peer has what lies on the heaviest branch.
Height BodySync::at_hand(ReplicaId peer) {
  const Block* head = state_.heads.of(peer, *state_.tree);
  if (head == nullptr) return Height(0);
  const Block& best = state_.tree->best_header();
  Reach& known = reach_[peer];
  if (known.head != head->id || known.best != best.id) {
    known = {head->id, best.id, state_.tree->fork_point(*head, best).height()};
  }
  return known.height;
}

// None: all who may be asked have enough to answer already.
std::optional<ReplicaId> BodySync::choose_peer(const Question& question, Height height,
                                               std::map<ReplicaId, std::size_t>& busy) {
  // The first try goes to whoever showed a single new block; a long branch is spread.
  if (question.tries == 0 && question.peer && !behind()) return *question.peer;
  const std::uint32_t members = state_.settings.members();
  std::vector<ReplicaId> among;
  // What a peer shows it need not give: one round of questions goes to everybody.
  const bool to_holders = question.tries % members == 0;
  state_.for_each_peer([&](ReplicaId peer) {
    if (to_holders && at_hand(peer) >= height) among.push_back(peer);
  });
  std::uint32_t& turn = among.empty() ? turn_ : holders_turn_;
  if (among.empty()) state_.for_each_peer([&](ReplicaId peer) { among.push_back(peer); });
  const std::size_t most =
      std::max(kAskedPerPeerMin, kWindow / std::max<std::size_t>(1, among.size()));
  for (std::size_t i = 0; i < among.size(); ++i) {
    const ReplicaId peer = among[turn++ % among.size()];
    if (busy[peer] < most) return peer;
  }
  return std::nullopt;
}

// What came in, or lost its place among what is missing, is no longer waited for.
void BodySync::forget(const std::vector<const Block*>& missing) {
  std::map<Digest, Question> still;
  for (const Block* block : missing) {
    const auto known = asked_.find(block->id);
    still.emplace(block->id,
                  known != asked_.end() ? known->second : Question{std::nullopt, 0, state_.now});
  }
  asked_ = std::move(still);
}

void BodySync::advance() {
  account();
  if (!QUORATE_MUTANT(payloads_never_asked)) ask_for_missing();
  catching_up_ = behind() && (patience_ > Duration(0) || QUORATE_MUTANT(withheld_payloads_awaited));
}

std::optional<Instant> BodySync::next_deadline() const {
  if (!catching_up_) return due_;
  const Instant over = accounted_ + patience_;
  return due_ ? std::min(*due_, over) : over;
}

void BodySync::ask_for_missing() {
  std::erase_if(asked_,
                [this](const auto& entry) { return state_.bodies.find(entry.first) != nullptr; });
  if (asked_.size() > kWindow / 2 && due_ && state_.now < *due_) return;
  const std::vector<const Block*> blocks = missing();
  forget(blocks);
  due_.reset();
  std::map<ReplicaId, std::size_t> busy;
  for (const auto& [id, question] : asked_) {
    if (question.tries > 0 && question.until > state_.now) ++busy[*question.peer];
  }
  const bool eager = behind();
  std::map<ReplicaId, AskBlocks> batches;
  for (const Block* block : blocks) {
    Question& question = asked_.at(block->id);
    if (question.until <= state_.now || (eager && question.tries == 0)) {
      const auto peer = choose_peer(question, block->height(), busy);
      const bool begins = peer && batches[*peer].ids.size() % kAskedBlocksMax == 0;
      if (peer && (!begins || may_ask(*peer))) {
        ++busy[*peer];
        batches[*peer].ids.push_back(block->id);
        question = {*peer, question.tries + 1, state_.now + kBodyAnswerTime};
      } else {
        question = {std::nullopt, 0, state_.now + kGrace};
      }
    }
    if (!due_ || question.until < *due_) due_ = question.until;
  }
  for (const auto& [peer, batch] : batches) send(peer, batch);
}

bool BodySync::may_ask(ReplicaId peer) {
  const TokenBucket full(kQuestionsAtOnce, kQuestionsPerSecond);
  return allowances_.try_emplace(peer, full).first->second.take(1, state_.now);
}

void BodySync::send(ReplicaId peer, const AskBlocks& batch) {
  for (std::size_t first = 0; first < batch.ids.size(); first += kAskedBlocksMax) {
    const std::size_t last = std::min(first + kAskedBlocksMax, batch.ids.size());
    AskBlocks part;
    part.ids.assign(batch.ids.begin() + static_cast<std::ptrdiff_t>(first),
                    batch.ids.begin() + static_cast<std::ptrdiff_t>(last));
    state_.outbox.send(peer, part);
  }
}

}  // namespace quorate::consensus::pow
