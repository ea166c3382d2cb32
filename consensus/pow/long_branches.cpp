#include "consensus/pow/long_branches.hpp"

#include <algorithm>
#include <vector>

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pow {

namespace {

constexpr std::uint32_t kSilencesMax = 3;
// What is followed must come nearer within that time, by a 2048th of its work or of its blocks:
// that lets a catch-up take a day and a half, but nobody is kept from another branch for ever by a
// block now and then.
constexpr int kStepShift = 11;
constexpr Duration kNearerWithin = std::chrono::minutes(1);
constexpr Duration kNearerLook = std::chrono::seconds(5);
// While more of what is followed anyway is read, it is raised as seldom: that weighs
// thousands of blocks again.
constexpr Duration kRaiseEvery = std::chrono::seconds(1);
// Each time a peer leads nowhere it is left alone for twice as long: an hour at most.
constexpr std::uint32_t kDoublingsMax = 6;
// Marks of the way: so close that several lie within what the tree takes above the ledger.
constexpr std::uint64_t kMarksWithinReach = 16;
constexpr std::uint64_t kMarksApartMax = 256;

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
  const std::uint64_t reach = state_.settings.limits.ahead;
  probe->second.marks = {on->height(), std::min(reach / kMarksWithinReach, kMarksApartMax)};
  probe->second.turn.next = state_.now;
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
  probe.turn.wait(state_.now);
}

// ---- what they prove ----

bool LongBranches::on_headers(ReplicaId from, const Headers& answer, bool asked_elsewhere) {
  const auto found = probes_.find(from);
  Probe* probe = found == probes_.end() ? nullptr : &found->second;
  if (answer.headers.empty()) {  // it may as well answer somebody else's question here
    if (probe != nullptr && probe->turn.until && !asked_elsewhere) take(from, *probe, answer);
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
    probe->turn.rest(state_.now, kFollowEvery);
    return true;
  }
  // A late answer: nobody else knows what it stands on.
  return (probe != nullptr || is_left_alone(from)) && state_.tree->find(parent) == nullptr;
}

void LongBranches::take(ReplicaId from, Probe& probe, const Headers& page) {
  probe.turn.answered();
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
    prove_so_far(probe);
  }
  if (probe.complete) probe.marks.end(probe.at.height);
  probe.turn.rest(state_.now, probe.complete ? kFollowEvery : kPagePause);
}

void LongBranches::prove_so_far(Probe& probe) const {
  probe.proved = Proved{{}, probe.on, probe.at.total_work, probe.at.height};
  probe.end = probe.at.id;
  probe.most = std::max(probe.most, probe.at.total_work);
}

// False: it does not keep the rules, or is known to be invalid.
bool LongBranches::add(ReplicaId from, Probe& probe, const Identified& entry) {
  const auto extended = state_.settings.rules.extend(probe.at, entry.header, entry.id);
  const Block* known = state_.tree->find(entry.id);
  if (extended && (known == nullptr || !known->condemned)) {
    probe.at = *extended;
    // What was proved above was of another branch.
    if (!probe.marks.pass(probe.at.height, probe.at.id) && probe.proved) prove_so_far(probe);
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
  probe.turn.unanswered = 0;
}

void LongBranches::prove_again(const Digest& invalid) {
  const Block* block = state_.tree->find(invalid);
  if (block == nullptr) return;  // of a branch that is forgotten
  for (auto& [peer, probe] : probes_) {
    const Block* on = state_.tree->find(probe.on);
    if (on == nullptr || state_.tree->ancestor(*block, on->height()) != on) continue;
    begin_again(probe);
    probe.turn.rest(state_.now, Duration(0));
  }
}

// ---- what counts ----

// Its last block that the tree holds, as far as is known.
const Block& LongBranches::last_kept(Probe& probe) const {
  const Block& on = *state_.tree->find(probe.on);
  const Digest* mark = probe.marks.highest_in(*state_.tree);
  const Block& highest = mark == nullptr ? on : *state_.tree->find(*mark);
  return highest.height() < on.height() ? on : highest;
}

// It leads to that block, or stands on it.
bool LongBranches::is_on_way(const Block& block, const Block& end) const {
  const Block& shared = state_.tree->fork_point(block, end);
  return &shared == &block || &shared == &end;
}

// Of what is proved, while the tip itself does not have as much work. None: null.
LongBranches::Probe* LongBranches::heaviest() {
  Probe* best = nullptr;
  for (auto& [peer, probe] : probes_) {
    if (!probe.proved || probe.proved->total_work <= state_.tree->tip().total_work()) continue;
    if (best == nullptr || probe.proved->total_work > best->proved->total_work) best = &probe;
  }
  return best;
}

// What the tree should count.
Proved LongBranches::claim_of(Probe& probe) const {
  const BlockTree& tree = *state_.tree;
  const Block& to = last_kept(probe);
  Proved out = *probe.proved;
  out.to = to.id;
  if (tree.proved() && tree.proved()->to == to.id) {
    out.from = tree.proved()->from;
  } else if (is_on_way(tree.tip(), to)) {
    // The tip keeps its weight; what is below it is never preferred again.
    out.from = tree.connected_below(to).height();
  } else {
    out.from = tree.find(probe.on)->height();
  }
  return out;
}

void LongBranches::judge() {
  const BlockTree& tree = *state_.tree;
  // The ledger has yet to go where the preferred branch is.
  if (commits_.rewinding() || !tree.on_branch(tree.applied())) return;
  Probe* const leader = heaviest();
  const auto best = leader == nullptr ? std::nullopt : std::optional(claim_of(*leader));
  if (best == tree.proved()) return;
  const bool more = best && tree.proved() && best->total_work >= tree.proved()->total_work;
  const bool reads_on = more && best->to == tree.proved()->to && !leader->complete;
  if (reads_on && state_.now < raised_at_ + kRaiseEvery) return;
  raised_at_ = state_.now;
  const bool kept = more && is_on_way(tree.tip(), *tree.find(best->to));
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
  if (state_.tree->find(probe.on) == nullptr) {  // the root has passed it
    const Digest* higher = probe.marks.highest_in(*state_.tree);
    if (higher == nullptr) return false;
    probe.on = *higher;
  }
  if (state_.tree->find(probe.on)->condemned) return false;
  // While it is read, once more perhaps, nobody knows what it comes to.
  const Block* end = probe.proved && probe.complete ? state_.tree->find(probe.end) : nullptr;
  if (end == nullptr) return true;
  const auto& counts = state_.tree->proved();
  const bool followed = counts && probe.proved->total_work == counts->total_work;
  if (followed && !end->connected) return true;
  const bool all = probe.proved->total_work == probe.most;
  if (end->connected && probe.reached && all) left_alone_.erase(peer);  // it has kept its word
  return false;
}

// Whoever was followed and then proves less than it did before is not asked anew at once.
void LongBranches::drop_useless() {
  std::vector<ReplicaId> backed_out;
  for (auto it = probes_.begin(); it != probes_.end();) {
    auto& [peer, probe] = *it;
    const bool stays = useful(peer, probe);
    const bool less = !probe.proved || probe.proved->total_work < probe.most;
    if (!stays && probe.reached && less) backed_out.push_back(peer);
    it = stays ? std::next(it) : probes_.erase(it);
  }
  for (const ReplicaId peer : backed_out) leave_alone(peer);
}

// ---- whether it comes nearer ----

// While the ledger has much to do, peers are not to blame.
bool LongBranches::ledger_is_behind() const {
  const std::uint64_t much = state_.settings.limits.ahead / 2;
  const Height executed = state_.tree->applied().height();
  return commits_.rewinding() || state_.tree->tip().height() > executed.saturating_add(much);
}

void LongBranches::watch() {
  const BlockTree& tree = *state_.tree;
  const bool follows = tree.best_header().proved_above() || tree.tip().proved_above();
  if (!follows || state_.now < look_at_) return;
  look_at_ = state_.now + kNearerLook;
  std::vector<ReplicaId> leading_nowhere;
  for (auto& [peer, probe] : probes_) {
    if (!probe.proved || !is_on_way(tree.best_header(), last_kept(probe))) continue;
    if (comes_nearer(probe) || ledger_is_behind()) continue;
    probe.reached->idle = probe.reached->idle + kNearerLook;
    if (probe.reached->idle >= kNearerWithin) leading_nowhere.push_back(peer);
  }
  for (const ReplicaId peer : leading_nowhere) leave_alone(peer);
}

// By work or by height: the first blocks of a chain are a thousand times lighter than its last.
bool LongBranches::comes_nearer(Probe& probe) const {
  const BlockTree& tree = *state_.tree;
  const Block& here = tree.connected_below(tree.best_header());
  const work::Uint256& work = here.total_work();
  const auto missing = crypto::work::saturating_subtract(tree.best_header().weight, work);
  const auto work_step = crypto::work::scaled(missing, 1, -kStepShift);
  const std::uint64_t height_step =
      (tree.best_height().value() - here.height().value()) >> kStepShift;
  auto& reached = probe.reached;
  if (reached) {
    // Payloads that had come are gone: what comes again is nearer, but excuses nothing so far.
    const Block* at = tree.find(reached->at);
    if ((at == nullptr || !at->connected) && work < reached->work) {
      reached->at = here.id;
      reached->work = work;
      reached->height = here.height();
    }
    // Of all that ever was missing: while headers come in it becomes more.
    reached->work_step = std::max(work_step, reached->work_step);
    reached->height_step = std::max(height_step, reached->height_step);
    const auto nearer = crypto::work::saturating_add(reached->work, reached->work_step);
    const Height higher = reached->height.saturating_add(reached->height_step);
    if (work <= nearer && here.height() <= higher) return false;
  }
  reached = Reached{here.id, work, here.height(), work_step, height_step, Duration(0)};
  return true;
}

void LongBranches::advance() {
  drop_useless();
  std::vector<ReplicaId> silent;
  for (auto& [peer, probe] : probes_) {
    if (probe.turn.is_late(state_.now)) {
      const bool proves = probe.proved && !probe.doubted;
      if (++probe.turn.unanswered >= kSilencesMax && !proves) silent.push_back(peer);
      probe.turn.rest(state_.now, proves ? kFollowEvery : kPagePause);
    }
    if (probe.turn.may_ask(state_.now)) ask(peer, probe);
  }
  for (const ReplicaId peer : silent) leave_alone(peer);
  watch();
  judge();
}

std::optional<Instant> LongBranches::next_deadline() const {
  std::optional<Instant> earliest;
  const BlockTree& tree = *state_.tree;
  if (tree.best_header().proved_above() || tree.tip().proved_above()) earliest = look_at_;
  for (const auto& [peer, probe] : probes_) {
    const Instant due = probe.turn.deadline();
    if (!earliest || due < *earliest) earliest = due;
  }
  return earliest;
}

std::size_t LongBranches::memory_bytes() const {
  constexpr std::size_t kMapEntry = 64;
  std::size_t bytes = left_alone_.size() * (sizeof(LeftAlone) + kMapEntry);
  for (const auto& [peer, probe] : probes_) {
    bytes += sizeof(Probe) + kMapEntry + probe.marks.memory_bytes();
  }
  return bytes;
}

}  // namespace quorate::consensus::pow
