#include "consensus/pow/deep_forks.hpp"

#include <algorithm>

#include "crypto/work/bits.hpp"

namespace quorate::consensus::pow {

namespace {

constexpr std::uint32_t kUnansweredMax = 6;
constexpr std::uint64_t kFirstGap = 64;
// The root may rise so far before waypoints are looked up again.
constexpr std::uint64_t kWaypointsStale = 4'096;

std::vector<work::Header> decoded(const std::vector<Bytes>& certificates) {
  std::vector<work::Header> out;
  for (const Bytes& certificate : certificates) {
    auto header = crypto::work::decode_header(certificate);
    if (!header) break;  // the ledger holds checked ones only; it is damaged
    out.push_back(std::move(*header));
  }
  return out;
}

}  // namespace

void DeepForks::suspect(ReplicaId peer) {
  if (state_.tree->root().height() == Height(0) || probes_.count(peer) != 0) return;
  const auto alone = left_alone_.find(peer);
  if (alone != left_alone_.end() && state_.now < alone->second) return;
  probes_[peer].turn.next = state_.now;
}

void DeepForks::finish(ReplicaId peer) {
  probes_.erase(peer);
  left_alone_[peer] = state_.now + kLeftAlone;
}

void DeepForks::rest(Probe& probe, Duration time) {
  probe.turn.rest(state_.now, time);
  probe.page = {};
  probe.loading.reset();
}

// ---- where to look for the fork ----

bool DeepForks::waypoints_ready() {
  if (loading_ || !to_load_.empty()) return false;
  const Height root = state_.tree->root().height();
  if (!waypoints_.empty() && waypoints_.front().height.saturating_add(kWaypointsStale) >= root) {
    return true;
  }
  waypoints_.assign(1, {root, state_.tree->root().id});
  for (std::uint64_t gap = kFirstGap; gap < root.value(); gap *= 2) {
    to_load_.push_back(root.saturating_sub(gap));
  }
  std::reverse(to_load_.begin(), to_load_.end());
  build_waypoints();
  return false;
}

void DeepForks::build_waypoints() {
  if (to_load_.empty()) {
    waypoints_.push_back({Height(0), Digest{}});
    return;
  }
  loading_ = to_load_.back();
  to_load_.pop_back();
  state_.outbox.emit(LoadCertificates{*loading_, 1});
}

// ---- questions ----

void DeepForks::ask(ReplicaId peer, Probe& probe) {
  AskHeaders question;
  if (!probe.fork) {
    question.locator = waypoints_;
  } else {
    const auto waypoint = [](const work::Context& context) {
      return Waypoint{context.height, context.id};
    };
    question.locator.push_back(waypoint(probe.fork->at));
    const auto& parts = probe.fork->parts;
    if (parts && parts->height < probe.fork->at.height) {
      question.locator.push_back(waypoint(*parts));
    }
    if (question.locator.back().height > Height(0)) {
      question.locator.push_back({Height(0), Digest{}});
    }
  }
  state_.outbox.send(peer, question);
  probe.turn.wait(state_.now);
}

bool DeepForks::answers(const Probe& probe, const Digest& parent, bool asked_elsewhere) const {
  // Whoever shares nothing with a locator answers from genesis on.
  if (parent.is_zero() && asked_elsewhere) return false;
  if (probe.fork) {
    return parent == probe.fork->at.id || (probe.fork->parts && parent == probe.fork->parts->id);
  }
  return std::any_of(waypoints_.begin(), waypoints_.end(),
                     [&](const Waypoint& point) { return point.id == parent; });
}

bool DeepForks::on_headers(ReplicaId from, const Headers& answer, bool asked_elsewhere) {
  const auto found = probes_.find(from);
  if (found == probes_.end() || !found->second.turn.until) return false;
  Probe& probe = found->second;
  if (answer.headers.empty()) {  // it may as well answer somebody else's question here
    rest(probe, kFollowEvery);
    return false;
  }
  const Digest& parent = answer.headers.front().header.parent;
  if (!answers(probe, parent, asked_elsewhere)) return false;
  probe.turn.answered();
  if (!probe.fork && parent == state_.tree->root().id) {
    finish(from);  // it has the root: the block tree takes care of it
    return true;
  }
  if (probe.fork && parent != probe.fork->at.id) {
    // Its branch is another one now: from where it parts, but not again and again.
    probe.fork->at = *probe.fork->parts;
    probe.fork->theirs = {};
    rest(probe, kLeftAlone);
    return true;
  }
  probe.page = answer;
  load_beside(probe);
  if (!probe.loading) compare(from, probe, {});
  return true;
}

// The own headers of the page's heights, or those in front of it if its place is new.
void DeepForks::load_beside(Probe& probe) {
  const Height first = probe.page.headers.front().header.height;
  if (!probe.fork) {
    const std::uint64_t most = crypto::work::kHeadersToResume;
    const std::uint64_t below = first.value() - 1;  // heights in front of it
    const std::uint64_t count = std::min(below, most);
    if (count == 0) {
      probe.fork = Fork{state_.settings.rules.genesis(), {}, {}, {}, Height(0), {}};
    } else {
      probe.loading = Height(below - count + 1);
      state_.outbox.emit(LoadCertificates{*probe.loading, static_cast<std::uint32_t>(count)});
      return;
    }
  }
  if (probe.fork->complete || probe.page.headers.back().header.height <= probe.fork->counted_to) {
    return;
  }
  probe.loading = first;
  state_.outbox.emit(LoadCertificates{first, static_cast<std::uint32_t>(kHeadersMax)});
}

bool DeepForks::on_loaded(const CertificatesLoaded& loaded) {
  if (loading_ == loaded.first) {
    loading_.reset();
    const auto own = decoded(loaded.certificates);
    if (!own.empty()) waypoints_.push_back({loaded.first, crypto::work::id_of(own.front())});
    build_waypoints();
    return true;
  }
  for (auto& [peer, probe] : probes_) {
    if (probe.loading != loaded.first) continue;
    probe.loading.reset();
    const auto own = decoded(loaded.certificates);
    if (probe.fork) {
      compare(peer, probe, own);
    } else if (begin_fork(probe, own)) {
      load_beside(probe);
    } else {
      rest(probe, kFollowEvery);
    }
    return true;
  }
  return false;
}

// The context of the last of these headers, which the page stands on.
bool DeepForks::begin_fork(Probe& probe, const std::vector<work::Header>& own) {
  const work::HeaderRules& rules = state_.settings.rules;
  auto resumed = rules.resume(own);
  if (own.empty() || !resumed) return false;
  work::Context context = resumed->context;
  for (std::size_t i = resumed->next; i < own.size(); ++i) {
    const auto extended = rules.extend(context, own[i], crypto::work::id_of(own[i]));
    if (!extended) return false;
    context = *extended;
  }
  if (context.id != probe.page.headers.front().header.parent) return false;
  const Height height = context.height;
  probe.fork = Fork{std::move(context), {}, {}, {}, height, {}};
  return true;
}

// ---- the comparison ----

// `own`: of the page's heights, as far as the ledger has them; none if they were not asked for.
void DeepForks::compare(ReplicaId peer, Probe& probe, const std::vector<work::Header>& own) {
  Fork& fork = *probe.fork;
  const Headers page = std::move(probe.page);
  const Height root = state_.tree->root().height();
  for (std::size_t i = 0; i < page.headers.size(); ++i) {
    const Height height = page.headers[i].header.height;
    const bool beside = !fork.complete && height > fork.counted_to && height <= root;
    if (beside && (i >= own.size() || own[i].height != height)) {
      return rest(probe, kFollowEvery);  // the ledger goes back just now
    }
    if (!add(fork, page.headers[i], beside ? &own[i] : nullptr)) {
      // What was proved stays so.
      return fork.complete ? rest(probe, kFollowEvery) : finish(peer);
    }
  }
  if (!fork.parts && fork.at.height >= root) return finish(peer);
  if (!page.more) {
    // One that is behind and on the same branch is nobody's concern here.
    return fork.parts ? rest(probe, kFollowEvery) : finish(peer);
  }
  rest(probe, kPagePause);
}

// False: it does not keep the rules.
bool DeepForks::add(Fork& fork, const Identified& entry, const work::Header* own) {
  const work::HeaderRules& rules = state_.settings.rules;
  const auto extended = rules.extend(fork.at, entry.header, entry.id);
  if (!extended || rules.too_early(entry.header, state_.wall)) return false;
  if (own != nullptr) {
    if (!fork.parts && crypto::work::id_of(*own) != entry.id) fork.parts = fork.at;
    if (fork.parts) {
      fork.ours = crypto::work::saturating_add(fork.ours, crypto::work::work_of_bits(own->bits));
    }
    fork.counted_to = own->height;
    const Block& root = state_.tree->root();
    if (fork.counted_to == root.height()) fork.complete = root.total_work();
  }
  fork.at = *extended;
  if (fork.parts) {
    const auto work = crypto::work::work_of_bits(entry.header.bits);
    fork.theirs = crypto::work::saturating_add(fork.theirs, work);
  }
  return true;
}

// Own work above the fork is `ours`, and what the tree has above where that ends.
bool DeepForks::heavier(const Fork& fork) const {
  if (!fork.parts || !fork.complete) return false;
  using crypto::work::saturating_add;
  return saturating_add(fork.theirs, *fork.complete) >
         saturating_add(fork.ours, state_.tree->tip().weight);
}

void DeepForks::judge() {
  std::optional<Height> now;
  for (const auto& [peer, probe] : probes_) {
    if (!now && probe.fork && heavier(*probe.fork)) now = probe.fork->parts->height;
  }
  if (now.has_value() != parted_at_.has_value()) {
    state_.progress(now ? Progress::Phase::parted : Progress::Phase::reunited,
                    now.value_or(Height(0)));
  }
  parted_at_ = now;
}

void DeepForks::advance() {
  std::vector<ReplicaId> silent;
  for (auto& [peer, probe] : probes_) {
    if (probe.turn.is_late(state_.now)) {
      const bool proves = probe.fork && probe.fork->complete;
      if (++probe.turn.unanswered >= kUnansweredMax && !proves) silent.push_back(peer);
      rest(probe, kFollowEvery);
    }
    if (probe.loading || !probe.turn.may_ask(state_.now)) continue;
    if (probe.fork || waypoints_ready()) ask(peer, probe);
  }
  for (const ReplicaId peer : silent) finish(peer);
  judge();
}

std::optional<Instant> DeepForks::next_deadline() const {
  std::optional<Instant> earliest;
  for (const auto& [peer, probe] : probes_) {
    if (probe.loading || (!probe.fork && !probe.turn.until && loading_)) continue;
    const Instant due = probe.turn.deadline();
    if (!earliest || due < *earliest) earliest = due;
  }
  return earliest;
}

std::size_t DeepForks::memory_bytes() const {
  std::size_t bytes = waypoints_.size() * sizeof(Waypoint) + left_alone_.size() * 64;
  for (const auto& [peer, probe] : probes_) {
    bytes += sizeof(Probe) + 64 + probe.page.headers.size() * sizeof(Identified);
  }
  return bytes;
}

}  // namespace quorate::consensus::pow
