#include "consensus/pbft/view_change.hpp"

#include <algorithm>

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

namespace {

constexpr Duration kSuspectInterval = std::chrono::seconds(1);
constexpr Duration kSuspectLives = std::chrono::seconds(10);
// The host repeats its reason every second while it holds.
constexpr Duration kHostReasonLives = std::chrono::seconds(3);
constexpr Duration kResendMax = std::chrono::seconds(1);
constexpr std::size_t kResendSmall = 64U << 10U;

}  // namespace

bool ViewChanging::enabled() const {
  return state_.settings.self && state_.settings.members() > 1 && !state_.halted;
}

void ViewChanging::restore() {
  timer_.restore();
  executed_mark_ = state_.last_executed;
  if (state_.durable.new_view) opened_ = stub_of(*state_.durable.new_view).content;
  if (changing() && state_.durable.view_change) note(state_.durable.view_change);
}

// ---- messages ----

void ViewChanging::on_suspect(const Suspect& message) {
  if (message.view != state_.view()) return;
  suspicions_.insert_or_assign(message.replica,
                               Suspicion{message.reason, state_.now + kSuspectLives});
}

void ViewChanging::on_view_change(const ViewChangePtr& message) { note(message); }

// Only the highest of each replica: whoever asked for a view no longer wants an earlier one.
void ViewChanging::note(const ViewChangePtr& message) {
  compare_with_own(*message);
  if (message->view <= state_.view()) return;
  ++view_changes_seen_;
  const auto [known, added] = highest_.try_emplace(message->replica, message);
  if (added || message->view < known->second->view) return;
  if (message->view == known->second->view) return accuse_view_change(*known->second, *message);
  known->second = message;
}

void ViewChanging::on_suspicion(const PrimarySuspected& suspicion) {
  if (suspicion.view != state_.view()) return;
  host_reason_ = {suspicion.reason, state_.now + kHostReasonLives};
}

// ---- what keeps a view alive ----

// Client work, a gap below what is committed, or what the view took over and must finish.
bool ViewChanging::work() const {
  if (QUORATE_MUTANT(idle_chain_suspects)) return true;
  if (state_.eligible || catch_up_.behind()) return true;
  const NewViewPtr& opened = state_.durable.new_view;
  return opened && !opened->proposals.empty() &&
         opened->proposals.back().ballot.height > state_.last_committed;
}

// Why no progress can be expected of the primary: empty when it can. The own executor, a full
// window and a lag behind the others are not its fault; but a gap that no peer can fill is.
const char* ViewChanging::untimed() const {
  if (!state_.may_sign()) return "this replica does not vote";
  if (changing()) return "the view is changing";
  if (!work()) return "no work waits";
  if (catch_up_.behind() && !catch_up_.fruitless()) return "this replica is behind";
  if (state_.last_committed != state_.last_executed) return "the ledger executes";
  if (state_.last_committed >= state_.high()) return "the window is full until a checkpoint";
  return "";
}

void ViewChanging::watch_progress() {
  const bool here = state_.may_sign() && !changing();
  timer_.watch(here && work(), *untimed() != '\0');
  if (timer_.take_relay() && state_.eligible) state_.outbox.emit(RelayPending{});
  if (timer_.expired()) timer_.on_expiry();
}

std::optional<SuspicionReason> ViewChanging::own_reason() const {
  if (!state_.may_sign() || changing()) return std::nullopt;
  if (state_.equivocation_proved == state_.view()) return SuspicionReason::equivocation;
  if (host_reason_ && state_.now < host_reason_->second) return host_reason_->first;
  if (timer_.expired() && !QUORATE_MUTANT(dead_primary_trusted)) return SuspicionReason::progress;
  if (normal_case_.keeps_coming_late()) return SuspicionReason::late_proposals;
  return std::nullopt;
}

void ViewChanging::suspect() {
  const auto reason = own_reason();
  if (reason != voiced_) {
    voiced_ = reason;
    if (reason) {
      state_.outbox.emit(Progress{Progress::Phase::suspected, state_.last_executed, state_.view(),
                                  to_string(*reason)});
    }
  }
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
    if (state_.now < suspicion.until) out.insert(replica);
  }
  return out;
}

void ViewChanging::leave_if_enough() {
  if (changing()) return;
  const View next = state_.view().saturating_add(1);
  const auto reason = own_reason();
  const char* cause = reason ? to_string(*reason) : "others";
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
  const bool fruitless = state_.last_executed <= executed_mark_;
  const std::uint32_t level = fruitless ? timer_.raised_level() : state_.durable.timer_level;
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
  timer_.restart();
  voiced_.reset();
  // What came for a view that never opened would pile up.
  for (const Digest& id : asked_for_) state_.log.drop_body(id);
  asked_for_.clear();
  normal_case_.cancel_request();
  normal_case_.want_bodies({});
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
  if (!countdown_) countdown_ = state_.now + timer_.timeout();
  if (state_.now < *countdown_) return;
  countdown_.reset();
  send_view_change(state_.durable.promise_view.saturating_add(1), "not_opened");
}

// A long one not as often: whoever lacks it says so in its STATUS, too.
Duration ViewChanging::resend_interval() const {
  const ViewChangePtr& own = state_.durable.view_change;
  if (own && pbft::memory_bytes(*own) > kResendSmall) return kResendMax;
  return std::min(timer_.timeout() / 4, kResendMax);
}

void ViewChanging::send_again() {
  if (!changing() || !state_.may_sign() || state_.now < sent_at_ + resend_interval()) return;
  sent_at_ = state_.now;
  if (QUORATE_MUTANT(view_change_sent_once)) return;
  state_.outbox.send_durably(std::nullopt, state_.durable.view_change);
}

void ViewChanging::advance() {
  if (!enabled()) return;
  if (!changing()) timer_.calm_with_time();
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
    if (countdown_ && !asked_for_.empty() && state_.now < patient_until()) {
      consider(patient_until());
    }
    if (state_.may_sign()) consider(sent_at_ + resend_interval());
    return earliest;
  }
  consider(timer_.relay_due());
  if (own_reason()) {
    consider(suspect_at_);
  } else {
    consider(timer_.due());
  }
  consider(timer_.calm_due());
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

void ViewChanging::describe(Status& out) const {
  out.changing = changing();
  out.view_timeout = timer_.timeout();
  out.timeout_level = state_.durable.timer_level;
  out.untimed = untimed();
  if (const auto reason = own_reason()) {
    out.suspicions.push_back({state_.self(), *reason, state_.now + kSuspectLives});
  }
  for (const auto& [replica, suspicion] : suspicions_) {
    if (state_.now >= suspicion.until) continue;
    out.suspicions.push_back({replica, suspicion.reason, suspicion.until});
  }
  for (const auto& [replica, message] : highest_) {
    out.view_changes.push_back({replica, message->view});
  }
  const auto add = [&out](const char* name, const std::optional<Instant>& due) {
    if (due) out.timers.push_back({name, *due});
  };
  if (!changing()) {
    add("progress", timer_.due());
    add("calm", timer_.calm_due());
    return;
  }
  add("new_view", countdown_);
  if (state_.may_sign()) add("resend", sent_at_ + resend_interval());
}

std::size_t ViewChanging::memory_bytes() const {
  constexpr std::size_t kNode = 48;
  std::size_t bytes = suspicions_.size() * (sizeof(Suspicion) + kNode);
  for (const auto& entry : highest_) bytes += kNode + pbft::memory_bytes(*entry.second);
  return bytes;
}

}  // namespace quorate::consensus::pbft
