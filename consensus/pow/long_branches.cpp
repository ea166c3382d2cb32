#include "consensus/pow/long_branches.hpp"

#include <algorithm>
#include <vector>

#include "consensus/pow/page_pace.hpp"
#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pow {

namespace {

constexpr std::uint32_t kSilencesMax = 3;
// What is followed must come nearer within that time, by a 4096th of the way: that lets a catch-up
// take three days, but nobody is kept from another branch for ever by a block now and then.
constexpr int kStepShift = 12;
constexpr Duration kNearerWithin = std::chrono::minutes(1);
constexpr Duration kNearerLook = std::chrono::seconds(5);
// Each time a peer leads nowhere it is left alone for twice as long: an hour at most.
constexpr std::uint32_t kDoublingsMax = 6;

}  // namespace

// ---- whom to ask ----

const Block* LongBranches::last_kept(const Headers& shown) const {
  const Block* last = state_.tree->find(shown.headers.front().header.parent);
  for (const Identified& entry : shown.headers) {
    const Block* known = state_.tree->find(entry.id);
    if (known == nullptr) break;
    last = known;
  }
  return last;
}

// The heaviest branch needs no proof.
void LongBranches::suspect(ReplicaId peer, const Headers& shown) {
  if (is_left_alone(peer)) return;
  const Block* on = last_kept(shown);
  if (on == nullptr || on->condemned || on->weight >= state_.tree->best_header().weight) return;
  if (QUORATE_MUTANT(far_work_ignored)) return;
  const auto [probe, begins] = probes_.try_emplace(peer);
  if (!begins) return;
  probe->second.on = on->id;
  probe->second.at = on->context;
  probe->second.next = state_.now;
}

bool LongBranches::is_left_alone(ReplicaId peer) const {
  const auto alone = left_alone_.find(peer);
  return alone != left_alone_.end() && state_.now < alone->second.until;
}

void LongBranches::leave_alone(ReplicaId peer) {
  probes_.erase(peer);
  LeftAlone& alone = left_alone_[peer];
  alone.until = state_.now + kLeftAlone * (1U << alone.times);
  alone.times = std::min(alone.times + 1, kDoublingsMax);
}

void LongBranches::rest(Probe& probe, Duration time) {
  probe.until.reset();
  probe.next = state_.now + time;
}

void LongBranches::ask(ReplicaId peer, Probe& probe) {
  const Block* on = state_.tree->find(probe.on);
  AskHeaders question;
  question.locator.push_back({probe.at.height, probe.at.id});
  const Block& root = state_.tree->root();
  for (const Waypoint& lower : {Waypoint{on->height(), on->id}, Waypoint{root.height(), root.id},
                                Waypoint{Height(0), Digest{}}}) {
    if (lower.height < question.locator.back().height) question.locator.push_back(lower);
  }
  state_.outbox.send(peer, question);
  probe.until = state_.now + kPageTime;
}

// ---- what they prove ----

bool LongBranches::on_headers(ReplicaId from, const Headers& answer, bool asked_elsewhere) {
  const auto found = probes_.find(from);
  Probe* probe = found == probes_.end() ? nullptr : &found->second;
  if (answer.headers.empty()) {  // it may as well answer somebody else's question here
    if (probe != nullptr && probe->until && !asked_elsewhere) take(from, *probe, answer);
    return false;
  }
  const Digest& parent = answer.headers.front().header.parent;
  if (probe != nullptr && parent == probe->at.id) {
    take(from, *probe, answer);
    return true;
  }
  if (asked_elsewhere) return false;
  if (probe != nullptr && parent == probe->on && probe->complete) {
    begin_again(*probe);  // its branch is another one now
    rest(*probe, kFollowEvery);
    return true;
  }
  // A late answer: nobody else knows what it stands on.
  return (probe != nullptr || is_left_alone(from)) && state_.tree->find(parent) == nullptr;
}

void LongBranches::take(ReplicaId from, Probe& probe, const Headers& page) {
  probe.unanswered = 0;
  bool held = false;
  for (const Identified& entry : page.headers) {
    held = state_.settings.rules.too_early(entry.header, state_.wall);
    if (held) break;
    if (!add(from, probe, entry)) return leave_alone(from);
  }
  probe.complete = held || !page.more;
  const work::Uint256& work = probe.at.total_work;
  if (probe.complete || !probe.proved || work > probe.proved->total_work) {
    probe.doubted = false;
    probe.proved = Proved{probe.on, work, probe.at.height};
    probe.end = probe.at.id;
  }
  rest(probe, probe.complete ? kFollowEvery : kPagePause);
}

// False: it does not keep the rules, or is known to be invalid.
bool LongBranches::add(ReplicaId from, Probe& probe, const Identified& entry) {
  const auto extended = state_.settings.rules.extend(probe.at, entry.header, entry.id);
  const Block* known = state_.tree->find(entry.id);
  if (extended && (known == nullptr || !known->condemned)) {
    probe.at = *extended;
    return true;
  }
  state_.reject(from, extended ? "goes on above an invalid block" : extended.error().detail);
  return false;
}

void LongBranches::begin_again(Probe& probe) {
  const Block* on = state_.tree->find(probe.on);
  if (on == nullptr) return;
  probe.at = on->context;
  probe.doubted = probe.proved.has_value();
  probe.complete = false;
  probe.unanswered = 0;
}

void LongBranches::prove_again() {
  for (auto& [peer, probe] : probes_) {
    begin_again(probe);
    rest(probe, Duration(0));
  }
}

// ---- what counts ----

// The heaviest of what is proved, while the tip itself does not have as much work.
void LongBranches::judge() {
  const BlockTree& tree = *state_.tree;
  // The ledger has yet to go where the preferred branch is.
  if (commits_.rewinding() || !tree.on_branch(tree.applied())) return;
  std::optional<Proved> best;
  for (const auto& [peer, probe] : probes_) {
    if (!probe.proved || probe.proved->total_work <= tree.tip().total_work()) continue;
    if (!best || probe.proved->total_work > best->total_work) best = probe.proved;
  }
  // A higher place on the same branch would leave what is below it without its weight.
  if (best && tree.proved()) {
    const Block& lower = *tree.find(tree.proved()->on);
    if (tree.ancestor(*tree.find(best->on), lower.height()) == &lower) best->on = lower.id;
  }
  if (best == tree.proved()) return;
  const bool kept = best && tree.proved() && best->on == tree.proved()->on &&
                    best->total_work >= tree.proved()->total_work;
  if (tree.tip().proved_above() && !kept) forget_lost_payloads();
  state_.tree->set_proved(best);
}

// The tip may fall back on what is valid, but not on what nobody here could commit.
void LongBranches::forget_lost_payloads() {
  std::vector<Digest> lost;
  for (const Block* block : state_.tree->all()) {
    const bool valid = block->body == Block::Body::valid && !state_.tree->on_branch(*block);
    if (valid && state_.bodies.find(block->id) == nullptr) lost.push_back(block->id);
  }
  for (const Digest& id : lost) state_.tree->set_unknown(id);
}

// False: nothing is to be had from it any more.
bool LongBranches::useful(ReplicaId peer, Probe& probe) {
  const Block* on = state_.tree->find(probe.on);
  if (on == nullptr || on->condemned) return false;
  const Block* end = probe.proved ? state_.tree->find(probe.end) : nullptr;
  if (end == nullptr) return true;
  const auto& counts = state_.tree->proved();
  const bool followed = counts && probe.proved->total_work == counts->total_work;
  if (followed && !end->connected) return true;
  if (end->connected) left_alone_.erase(peer);  // it has kept its word
  return false;
}

void LongBranches::drop_useless() {
  for (auto it = probes_.begin(); it != probes_.end();) {
    it = useful(it->first, it->second) ? std::next(it) : probes_.erase(it);
  }
}

// ---- whether it comes nearer ----

void LongBranches::watch() {
  const BlockTree& tree = *state_.tree;
  if (!tree.best_header().proved_above() && !tree.tip().proved_above()) return reached_.reset();
  if (reached_ && state_.now < reached_->look) return;
  const Block* connected = &tree.best_header();
  while (!connected->connected) connected = connected->parent;
  const work::Uint256& work = connected->total_work();
  const Digest on = tree.proved() ? tree.proved()->on : Digest{};
  const bool other = !reached_ || reached_->on != on;
  const auto missing = crypto::work::saturating_subtract(tree.best_header().weight, work);
  // Of all that ever was missing: while headers come in it becomes more.
  const auto part = crypto::work::scaled(missing, 1, -kStepShift);
  const auto step = other ? part : std::max(part, reached_->step);
  // While the ledger works, peers are not to blame.
  const bool busy = commits_.rewinding() || &commits_.executed() != &commits_.committed();
  const Instant look = state_.now + kNearerLook;
  if (other || busy || work > crypto::work::saturating_add(reached_->work, step)) {
    reached_ = Reached{on, work, step, state_.now, look};
    return;
  }
  reached_->look = look;
  reached_->step = step;
  if (state_.now - reached_->since >= kNearerWithin) give_up();
}

// Of all who proved the same branch.
void LongBranches::give_up() {
  const BlockTree& tree = *state_.tree;
  reached_.reset();
  if (!tree.proved()) return;
  const Block& followed = *tree.find(tree.proved()->on);
  std::vector<ReplicaId> leading;
  for (const auto& [peer, probe] : probes_) {
    const Block& on = *tree.find(probe.on);
    const Block& shared = tree.fork_point(followed, on);
    if (probe.proved && (&shared == &followed || &shared == &on)) leading.push_back(peer);
  }
  for (const ReplicaId peer : leading) leave_alone(peer);
}

void LongBranches::advance() {
  drop_useless();
  std::vector<ReplicaId> silent;
  for (auto& [peer, probe] : probes_) {
    if (probe.until && state_.now >= *probe.until) {
      const bool proves = probe.proved && !probe.doubted;
      if (++probe.unanswered >= kSilencesMax && !proves) silent.push_back(peer);
      rest(probe, proves ? kFollowEvery : kPagePause);
    }
    if (!probe.until && state_.now >= probe.next) ask(peer, probe);
  }
  for (const ReplicaId peer : silent) leave_alone(peer);
  watch();
  judge();
}

std::optional<Instant> LongBranches::next_deadline() const {
  std::optional<Instant> earliest;
  if (reached_) earliest = reached_->look;
  for (const auto& [peer, probe] : probes_) {
    const Instant due = probe.until.value_or(probe.next);
    if (!earliest || due < *earliest) earliest = due;
  }
  return earliest;
}

std::size_t LongBranches::memory_bytes() const {
  constexpr std::size_t kMapEntry = 64;
  return probes_.size() * (sizeof(Probe) + kMapEntry) +
         left_alone_.size() * (sizeof(LeftAlone) + kMapEntry);
}

}  // namespace quorate::consensus::pow
