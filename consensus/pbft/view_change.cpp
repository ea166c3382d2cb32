#include "consensus/pbft/view_change.hpp"

#include <algorithm>

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

namespace {

constexpr Duration kSuspectInterval = std::chrono::seconds(1);
constexpr Duration kSuspectLives = std::chrono::seconds(10);
constexpr Duration kSendAgain = std::chrono::seconds(1);
constexpr Duration kCalm = std::chrono::seconds(60);
constexpr std::uint32_t kLevelMax = 16;

const char* name_of(std::optional<SuspicionReason> reason) {
  if (!reason) return "others";
  switch (*reason) {
    case SuspicionReason::progress: return "progress";
    case SuspicionReason::censorship: return "censorship";
    case SuspicionReason::throughput: return "throughput";
    case SuspicionReason::equivocation: return "equivocation";
  }
  return "others";
}

}  // namespace

bool ViewChanging::enabled() const {
  return state_.settings.self && state_.settings.members() > 1 && !state_.halted;
}

Duration ViewChanging::timeout() const {
  Duration out = state_.settings.view_timeout;
  for (std::uint32_t i = 0; i < state_.durable.timer_level; ++i) {
    if (out >= state_.settings.view_timeout_max) break;
    out *= 2;
  }
  return std::min(out, state_.settings.view_timeout_max);
}

void ViewChanging::restore() {
  executed_mark_ = state_.last_executed;
  calm_at_ = state_.now + kCalm;
  if (changing() && state_.durable.view_change) note(state_.durable.view_change);
}

// ---- messages ----

void ViewChanging::on_suspect(const Suspect& message) {
  if (message.view != state_.view()) return;
  suspicions_.insert_or_assign(message.replica,
                               Suspicion{message.view, state_.now + kSuspectLives});
}

void ViewChanging::on_view_change(const ViewChangePtr& message) { note(message); }

// Only the highest of each replica: whoever asked for a view no longer wants an earlier one.
void ViewChanging::note(const ViewChangePtr& message) {
  if (message->view <= state_.view()) return;
  const auto [known, added] = highest_.try_emplace(message->replica, message);
  if (!added && known->second->view < message->view) known->second = message;
}

void ViewChanging::on_suspicion(const PrimarySuspected& suspicion) {
  if (suspicion.view != state_.view()) return;
  host_reason_ = {suspicion.reason, state_.now + kSuspectLives};
}

// ---- what keeps a view alive ----

// Client work, a gap below what is committed, or what the view took over and must finish.
bool ViewChanging::work() const {
  if (state_.eligible || catch_up_.behind()) return true;
  const NewViewPtr& opened = state_.durable.new_view;
  return opened && !opened->proposals.empty() &&
         opened->proposals.back().ballot.height > state_.last_committed;
}

// Whether progress can be expected of the primary. The own executor, a full window and a lag behind
// the others are not its fault; but a gap that no peer can fill is.
bool ViewChanging::timed() const {
  const bool lags = catch_up_.behind() && !catch_up_.fruitless();
  return state_.may_sign() && !changing() && work() && !lags &&
         state_.last_committed == state_.last_executed && state_.last_committed < state_.high();
}

void ViewChanging::watch_progress() {
  if (!timed()) {
    progress_due_.reset();
    relay_due_.reset();
    return;
  }
  if (!progress_due_ || watched_ != state_.last_committed) {
    watched_ = state_.last_committed;
    progress_due_ = state_.now + timeout();
    relay_due_ = state_.now + timeout() / 2;
  }
  if (relay_due_ && state_.now >= *relay_due_) {
    relay_due_.reset();
    if (state_.eligible) state_.outbox.emit(RelayPending{});
  }
  if (state_.now >= *progress_due_) calm_at_ = state_.now + kCalm;
}

std::optional<SuspicionReason> ViewChanging::own_reason() const {
  if (!state_.may_sign() || changing()) return std::nullopt;
  if (state_.equivocation_proved == state_.view()) return SuspicionReason::equivocation;
  if (host_reason_ && state_.now < host_reason_->second) return host_reason_->first;
  if (progress_due_ && state_.now >= *progress_due_ && !QUORATE_MUTANT(dead_primary_trusted)) {
    return SuspicionReason::progress;
  }
  return std::nullopt;
}

void ViewChanging::suspect() {
  const auto reason = own_reason();
  if (!reason || state_.now < suspect_at_) return;
  suspect_at_ = state_.now + kSuspectInterval;
  Suspect message{state_.view(), *reason, state_.self(), {}};
  message.signature =
      state_.sign(suspect_signing_digest(state_.settings.membership, state_.view(), *reason));
  state_.outbox.send(std::nullopt, message);
}

// ---- leaving ----

std::set<ReplicaId> ViewChanging::suspects() const {
  std::set<ReplicaId> out;
  if (own_reason()) out.insert(state_.self());
  for (const auto& [replica, suspicion] : suspicions_) {
    if (suspicion.view == state_.view() && state_.now < suspicion.until) out.insert(replica);
  }
  return out;
}

void ViewChanging::leave_if_enough() {
  if (changing()) return;
  const View next = state_.view().saturating_add(1);
  const char* cause = name_of(own_reason());
  // The proof is enough by itself: everybody else gets it too.
  if (state_.equivocation_proved == state_.view()) return send_view_change(next, cause);
  std::set<ReplicaId> against = suspects();
  for (const auto& entry : highest_) against.insert(entry.first);
  const std::uint32_t weak = state_.settings.membership.weak_quorum();
  if (against.size() >= (QUORATE_MUTANT(one_suspect_suffices) ? 1 : weak)) {
    send_view_change(next, cause);
  }
}

// The (f+1)-th highest view is wanted by somebody correct. The highest may be a lie.
void ViewChanging::join() {
  const std::uint32_t weak = state_.settings.membership.weak_quorum();
  if (highest_.size() < weak) return;
  std::vector<View> wanted;
  for (const auto& entry : highest_) wanted.push_back(entry.second->view);
  std::sort(wanted.begin(), wanted.end(), std::greater<>());
  send_view_change(wanted[QUORATE_MUTANT(highest_view_joined) ? 0 : weak - 1], "joined");
}

void ViewChanging::send_view_change(View view, const char* cause) {
  if (!state_.may_sign() || view <= std::max(state_.durable.promise_view, state_.view())) return;
  if (QUORATE_MUTANT(commit_pins_view) && !state_.durable.commits.empty()) return;
  std::uint32_t level = state_.durable.timer_level;
  if (state_.last_executed <= executed_mark_) level = std::min(level + 1, kLevelMax);
  executed_mark_ = state_.last_executed;
  auto message = std::make_shared<ViewChange>();
  message->view = view;
  message->stable = state_.durable.stable;
  for (const auto& entry : state_.durable.prepared) {
    if (QUORATE_MUTANT(view_change_without_prepared)) break;
    const Slot* slot = state_.log.find(key_of(entry.second.core.ballot));
    if (QUORATE_MUTANT(prepared_only_once_durable) && slot != nullptr &&
        slot->commits.count(state_.self()) == 0) {
      continue;
    }
    message->prepared.push_back(entry.second);
  }
  message->replica = state_.self();
  message->signature =
      state_.sign(view_change_signing_digest(state_.settings.membership, stub_of(*message)));
  state_.record(ViewChangedRecord{message, level});
  state_.outbox.send_durably(std::nullopt, ViewChangePtr(message));
  note(message);
  sent_at_ = state_.now;
  countdown_.reset();
  progress_due_.reset();
  normal_case_.cancel_request();
  state_.log.keep_views(state_.view(), view);
  state_.outbox.emit(Progress{Progress::Phase::view_left, state_.last_executed, view, cause});
}

// ---- between views ----

void ViewChanging::count_down() {
  if (!changing()) return;
  const auto wanted = std::count_if(highest_.begin(), highest_.end(), [this](const auto& entry) {
    if (QUORATE_MUTANT(countdown_wants_exact_view)) {
      return entry.second->view == state_.durable.promise_view;
    }
    return entry.second->view >= state_.durable.promise_view;
  });
  const std::uint32_t needed =
      QUORATE_MUTANT(countdown_without_quorum) ? 1 : state_.settings.quorum();
  if (wanted < static_cast<std::ptrdiff_t>(needed)) return;
  if (!countdown_) countdown_ = state_.now + timeout();
  if (state_.now < *countdown_) return;
  countdown_.reset();
  calm_at_ = state_.now + kCalm;
  send_view_change(state_.durable.promise_view.saturating_add(1), "not_opened");
}

void ViewChanging::send_again() {
  if (!changing() || !state_.may_sign() || state_.now < sent_at_ + kSendAgain) return;
  sent_at_ = state_.now;
  if (QUORATE_MUTANT(view_change_sent_once)) return;
  state_.outbox.send_durably(std::nullopt, state_.durable.view_change);
}

void ViewChanging::calm_down() {
  if (state_.durable.timer_level > 0) --state_.durable.timer_level;
}

void ViewChanging::calm_with_time() {
  if (changing() || state_.now < calm_at_) return;
  calm_at_ = state_.now + kCalm;
  calm_down();
}

void ViewChanging::advance() {
  if (!enabled()) return;
  calm_with_time();
  watch_progress();
  suspect();
  join();  // before the next rule, which would send a VIEW-CHANGE for a view between as well
  leave_if_enough();
  open_view();
  count_down();
  send_again();
}

std::optional<Instant> ViewChanging::next_deadline() const {
  if (!enabled()) return std::nullopt;
  std::optional<Instant> earliest;
  const auto consider = [&earliest](const std::optional<Instant>& at) {
    if (at && (!earliest || *at < *earliest)) earliest = at;
  };
  if (changing()) {
    consider(countdown_);
    if (state_.may_sign()) consider(sent_at_ + kSendAgain);
    return earliest;
  }
  consider(relay_due_);
  if (own_reason()) {
    consider(suspect_at_);
  } else {
    consider(progress_due_);
  }
  if (state_.durable.timer_level > 0) consider(calm_at_);
  return earliest;
}

// ---- outside view ----

ReplicaSet ViewChanging::view_changes() const {
  ReplicaSet out(state_.settings.members());
  for (const auto& [replica, message] : highest_) {
    if (message->view >= state_.durable.promise_view) out.insert(replica);
  }
  return out;
}

std::size_t ViewChanging::memory_bytes() const {
  constexpr std::size_t kNode = 48;
  std::size_t bytes = suspicions_.size() * (sizeof(Suspicion) + kNode);
  for (const auto& entry : highest_) bytes += kNode + pbft::memory_bytes(*entry.second);
  return bytes;
}

}  // namespace quorate::consensus::pbft
