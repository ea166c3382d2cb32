#include "consensus/pow/header_sync.hpp"

#include <algorithm>

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pow {

namespace {

constexpr Duration kAnswerTime = std::chrono::seconds(2);
constexpr Duration kFirstAnswerTime = std::chrono::milliseconds(500);
// Then this replica begins without having heard of anybody.
constexpr std::uint32_t kFirstQuestions = 4;
constexpr std::size_t kLocatorWithoutGaps = 10;
// Of headers, full ones, from one peer before it is the next one's turn.
constexpr std::uint32_t kPagesInTurn = 16;

}  // namespace

// Itself first, then with growing gaps; genesis is always the last.
std::vector<Waypoint> HeaderSync::locator(const Block& from) const {
  std::vector<Waypoint> out;
  std::uint64_t step = 1;
  const Block* block = &from;
  const Block& root = state_.tree->root();
  while (block != &root && out.size() + 2 < kLocatorMax) {
    out.push_back({block->height(), block->id});
    if (out.size() >= kLocatorWithoutGaps) step *= 2;
    const std::uint64_t above = block->height().value() - root.height().value();
    block = state_.tree->ancestor(*block, block->height().saturating_sub(std::min(step, above)));
  }
  if (root.height() > Height(0)) out.push_back({root.height(), root.id});
  out.push_back({Height(0), Digest{}});
  return out;
}

void HeaderSync::ask(ReplicaId peer, const Block& from) {
  state_.outbox.send(peer, AskHeaders{locator(from)});
  question_ = Question{peer, from.id, state_.now + (answered_ ? kAnswerTime : kFirstAnswerTime)};
  asked_at_ = state_.now;
  ++questions_;
}

bool HeaderSync::asking_first() const { return !answered_ && questions_ <= kFirstQuestions; }

// Whoever says that it is ahead gets every second question at most.
std::optional<ReplicaId> HeaderSync::next_peer() {
  asked_ahead_ = !ahead_.empty() && !asked_ahead_;
  if (!asked_ahead_) return peer_in_turn();
  const auto above = last_ahead_ ? ahead_.upper_bound(*last_ahead_) : ahead_.begin();
  last_ahead_ = above == ahead_.end() ? *ahead_.begin() : *above;
  ahead_.erase(*last_ahead_);
  return last_ahead_;
}

std::optional<ReplicaId> HeaderSync::peer_in_turn() {
  const std::uint32_t members = state_.settings.members();
  for (std::uint32_t i = 0; i < members; ++i) {
    const ReplicaId peer(turn_++ % members);
    if (state_.settings.is_self(peer)) continue;
    ahead_.erase(peer);
    return peer;
  }
  return std::nullopt;
}

// Where the question to a peer begins: what it has shown may lie on another branch than the
// heaviest header, and be more than one turn's pages long.
const Block& HeaderSync::beginning(ReplicaId peer) const {
  const Block& best = state_.tree->best_header();
  const Block* head = state_.heads.of(peer, *state_.tree);
  if (head == nullptr || &state_.tree->fork_point(*head, best) == head) return best;
  return *head;
}

BlockIntake::Seen HeaderSync::on_headers(ReplicaId from, const Headers& answer) {
  const bool asked_for = awaits(from);
  if (asked_for) {
    // It has left the branch on which it was asked.
    const bool left = !answer.headers.empty() &&
                      answer.headers.front().header.parent != question_->from &&
                      question_->from != state_.tree->best_header().id;
    if (left) state_.heads.forget(from);
    question_.reset();
    answered_ = true;
  }
  // One that comes late is as good as any.
  const std::uint64_t joined = intake_.joined();
  const Block* last = nullptr;
  for (const Identified& header : answer.headers) {
    const BlockIntake::Seen seen = intake_.on_header(from, header);
    if (seen == BlockIntake::Seen::detached) {
      state_.reject(from, "headers that join no block of the locator");
      return seen;
    }
    if (seen == BlockIntake::Seen::too_far_ahead) {
      too_far_ = TooFar{from, header.header.height};
      if (last != nullptr) state_.heads.note(from, *state_.tree, last->id);
    }
    if (seen != BlockIntake::Seen::joined) return seen;
    last = state_.tree->find(header.id);
  }
  if (last == nullptr) return BlockIntake::Seen::joined;
  state_.heads.note(from, *state_.tree, last->id);
  if (answer.more) follow(from, answer, *last, asked_for, intake_.joined() > joined);
  return BlockIntake::Seen::joined;
}

// Only a full page leads on, to the next one above it: whoever hands out headers one by one, or
// known ones again, does not keep this replica from asking others.
void HeaderSync::follow(ReplicaId from, const Headers& answer, const Block& last, bool asked_for,
                        bool news) {
  more_to_come_ = more_to_come_ || news;
  const bool full = answer.headers.size() == kHeadersMax;
  const bool higher = news || last.height() > page_end_;
  const bool leads_on = asked_for && full && higher;
  const bool once_more = leads_on && ++pages_ < kPagesInTurn;
  if (leads_on && news && !once_more) ahead_.insert(from);
  if (!once_more && !QUORATE_MUTANT(liar_led_on)) return;
  page_end_ = last.height();
  ask(from, last);
}

void HeaderSync::advance(Instant news) {
  if (state_.settings.members() <= (state_.settings.self ? 1U : 0U)) {
    answered_ = true;  // there is nobody to ask
    return;
  }
  if (question_ && state_.now >= question_->until) question_.reset();
  if (question_) return;
  if (QUORATE_MUTANT(headers_never_asked)) {
    answered_ = true;
    return;
  }
  const std::uint64_t near = state_.settings.limits.ahead / 2;
  if (too_far_ && too_far_->height <= state_.tree->applied().height().saturating_add(near)) {
    ahead_.insert(too_far_->peer);
    too_far_.reset();
  }
  const Duration interval = state_.settings.status_interval;
  due_ = answered_
             ? std::min(std::max(asked_at_, news) + interval, asked_at_ + interval * kIntervalsBusy)
             : state_.now;
  if (ahead_.empty() && !more_to_come_ && state_.now < due_) return;
  page_end_ = Height(0);
  pages_ = 0;
  more_to_come_ = false;
  if (const auto peer = next_peer()) ask(*peer, beginning(*peer));
}

std::optional<Instant> HeaderSync::next_deadline() const {
  if (question_) return question_->until;
  if (state_.settings.members() <= (state_.settings.self ? 1U : 0U)) return std::nullopt;
  return due_;
}

}  // namespace quorate::consensus::pow
