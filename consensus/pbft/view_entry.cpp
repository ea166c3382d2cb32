// The second half of a view change: making a NEW-VIEW, and entering the view that it opens.
#include "consensus/pbft/new_view.hpp"
#include "consensus/pbft/view_change.hpp"
#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

// The primary of the promised view, once q replicas asked for exactly that view.
void ViewChanging::open_view() {
  const View view = state_.durable.promise_view;
  if (!changing() || !state_.may_sign()) return;
  if (!state_.settings.is_self(state_.settings.primary(view))) return;
  std::uint32_t needed = state_.settings.quorum();
  if (QUORATE_MUTANT(new_view_one_short)) --needed;
  if (QUORATE_MUTANT(new_view_waits_for_all)) needed = state_.settings.members();
  // Asked after every event, for as long as bodies are awaited, and it is no small question.
  const Waiting now{view,
                    view_changes_seen_,
                    state_.log.body_changes(),
                    state_.last_executed,
                    state_.last_committed,
                    patient()};
  if (waiting_ == now) return;
  auto message = std::make_shared<NewView>();
  message->view = view;
  message->view_changes = usable(view, needed);
  if (message->view_changes.size() < needed) {
    waiting_ = now;
    return;
  }
  waiting_.reset();
  const crypto::Membership& membership = state_.settings.membership;
  const auto plan = compute_new_view(membership, view, message->view_changes);
  if (!plan) {
    accuse_prepared(message->view_changes);
    return state_.halt(plan.error().detail);
  }
  for (const Ballot& ballot : plan->ballots) {
    message->proposals.push_back({ballot, state_.sign(core_signing_digest(membership, ballot))});
  }
  message->signature = state_.sign(new_view_signing_digest(membership, stub_of(*message)));
  if (contradicts(state_.self(), *message)) return;
  enter(message);
  state_.outbox.send_durably(std::nullopt, NewViewPtr(message));
  normal_case_.revisit();
}

// The bodies that it may bring back and that are not here.
std::vector<std::pair<Height, Digest>> ViewChanging::missing_bodies(
    const ViewChange& message) const {
  std::vector<std::pair<Height, Digest>> out;
  for (const PreparedCertificate& certificate : message.prepared) {
    const Ballot& ballot = certificate.core.ballot;
    if (!state_.keeps_body(ballot.height) || ballot.height <= state_.last_committed ||
        ballot.id == null_id(state_.settings.membership, ballot.height) ||
        state_.log.body(ballot.id) != nullptr) {
      continue;
    }
    out.emplace_back(ballot.height, ballot.id);
  }
  return out;
}

// VIEW-CHANGEs for the view, by replica. A certificate that only liars still have may name a body
// that is nowhere any more, and every view that is made to bring it back is stuck. What a correct
// replica certifies it also holds: so a VIEW-CHANGE counts once its bodies are here, and they are
// asked for. Not for ever: the others may reach whom this replica does not.
std::vector<ViewChangePtr> ViewChanging::usable(View view, std::uint32_t needed) {
  std::vector<ViewChangePtr> all;
  std::vector<ViewChangePtr> backed;
  std::vector<std::pair<Height, Digest>> wanted;
  for (const auto& [replica, message] : highest_) {
    if (message->view != view) continue;
    const auto missing = missing_bodies(*message);
    for (const auto& [height, id] : missing) {
      const bool ask = !QUORATE_MUTANT(bodies_never_fetched) && asked_for_.insert(id).second;
      if (ask) state_.outbox.send(replica, Fetch{id});
    }
    wanted.insert(wanted.end(), missing.begin(), missing.end());
    all.push_back(message);
    const bool counts = missing.empty() || QUORATE_MUTANT(view_opened_without_bodies);
    if (counts) backed.push_back(message);
  }
  normal_case_.want_bodies(std::move(wanted));
  // A contradiction needs no bodies to be seen.
  if (all.size() >= needed && !compute_new_view(state_.settings.membership, view, all)) return all;
  std::vector<ViewChangePtr>& out = backed.size() >= needed || patient() ? backed : all;
  if (out.size() > needed) out.resize(needed);
  return std::move(out);
}

// The verifier recomputed it already, from the VIEW-CHANGEs inside; what counts here is only
// whether this replica may still go there.
void ViewChanging::on_new_view(ReplicaId from, const NewViewPtr& message) {
  compare(message);
  if (message->view <= state_.view() || message->view < state_.durable.promise_view) return;
  // Only open_view() opens a view of this replica's own.
  if (state_.settings.is_self(state_.settings.primary(message->view))) return;
  // The views that a starting replica left would hide what it forgot of them, also from the next
  // life. Peers show this one again.
  if ((!state_.log_open || state_.starting) && !state_.observer) return;
  if (contradicts(from, *message)) return;
  normal_case_.cancel_request();
  enter(message);
  normal_case_.revisit();
}

// Whoever made another NEW-VIEW for this view, or signed another VIEW-CHANGE than the one inside,
// is caught. A primary with two is left at once, and everybody gets both.
void ViewChanging::compare(const NewViewPtr& message) {
  for (const ViewChangePtr& inside : message->view_changes) {
    const auto known = highest_.find(inside->replica);
    if (known != highest_.end() && known->second->view == inside->view) {
      accuse_view_change(*known->second, *inside);
    }
  }
  const NewViewPtr& opened = state_.durable.new_view;
  if (!opened || message->view != opened->view || state_.equivocation_proved == opened->view) {
    return;
  }
  const NewViewStub second = stub_of(*message);
  if (opened_ == second.content) return;
  const NewViewStub first = stub_of(*opened);
  state_.equivocation_proved = opened->view;
  state_.accuse(state_.settings.primary(opened->view),
                "two NEW-VIEWs for view " + std::to_string(opened->view.value()), first, second);
  state_.outbox.send(std::nullopt, opened);
  state_.outbox.send(std::nullopt, message);
}

// Two proposals were prepared in one view: its primary signed both, and so did whoever prepared
// both.
void ViewChanging::accuse_prepared(const std::vector<ViewChangePtr>& view_changes) {
  std::map<SlotKey, const PreparedCertificate*> seen;
  for (const ViewChangePtr& message : view_changes) {
    for (const PreparedCertificate& certificate : message->prepared) {
      const Ballot& ballot = certificate.core.ballot;
      const PreparedCertificate& first =
          *seen.try_emplace(key_of(ballot), &certificate).first->second;
      if (first.core.ballot.id == ballot.id) continue;
      state_.accuse(state_.settings.primary(ballot.view),
                    "two proposals for height " + std::to_string(ballot.height.value()) +
                        " in view " + std::to_string(ballot.view.value()),
                    first.core, certificate.core);
      state_.accuse_all(double_votes(VoteKind::prepare, first.core.ballot, first.prepares, ballot,
                                     certificate.prepares));
    }
  }
}

// Others prepared one proposal where the primary gave this replica another: a primary that shows
// each of its proposals to different replicas is caught here.
void ViewChanging::compare_with_own(const ViewChange& message) {
  for (const PreparedCertificate& certificate : message.prepared) {
    const Ballot& ballot = certificate.core.ballot;
    const ReplicaId primary = state_.settings.primary(ballot.view);
    Slot* slot = state_.log.find(key_of(ballot));
    if (slot == nullptr || !slot->core || slot->core->ballot.id == ballot.id ||
        slot->equivocation || state_.settings.is_self(primary)) {
      continue;
    }
    slot->equivocation = true;
    state_.accuse(primary,
                  "two proposals for height " + std::to_string(ballot.height.value()) +
                      " in view " + std::to_string(ballot.view.value()),
                  *slot->core, certificate.core);
  }
}

// Signed twice is proof by itself; the same content may come often.
void ViewChanging::accuse_view_change(const ViewChange& first, const ViewChange& second) {
  if (first.signature == second.signature) return;
  const ViewChangeStub one = stub_of(first);
  const ViewChangeStub other = stub_of(second);
  const auto known = accused_.find(first.replica);
  const bool reported = known != accused_.end() && known->second == first.view;
  if (one.content == other.content || reported) return;
  accused_.insert_or_assign(first.replica, first.view);
  state_.accuse(first.replica, "two VIEW-CHANGEs for view " + std::to_string(first.view.value()),
                one, other);
}

// A committed height must appear in every later view with its proposal. If it was committed in this
// view or a later one, the message is merely late, or one of two: its view is of no use any more,
// and peers send the NEW-VIEW of the later one.
bool ViewChanging::contradicts(ReplicaId from, const NewView& message) {
  for (const Core& core : message.proposals) {
    const Ballot& ballot = core.ballot;
    const std::optional<Digest> decided_id = commits_.decided_id(ballot.height);
    if (ballot.height <= state_.low || !decided_id || *decided_id == ballot.id) continue;
    const Decided* decided = commits_.find(ballot.height);
    if (decided != nullptr && decided->certificate.view < message.view) {
      state_.halt("the NEW-VIEW of view " + std::to_string(message.view.value()) +
                  " replaces the proposal committed at height " +
                  std::to_string(ballot.height.value()) +
                  ": more replicas are faulty than the protocol tolerates");
    } else {
      state_.reject(from, "a NEW-VIEW that a later view has overtaken");
    }
    return true;
  }
  return false;
}

void ViewChanging::enter(const NewViewPtr& message) {
  const EnteredRecord record{message, state_.durable.timer_level};
  if (state_.observer || QUORATE_MUTANT(new_view_not_logged)) {
    state_.durable.apply(record);  // it never votes, so it has no vote log to bind
  } else {
    state_.record(record);
  }
  for (const ViewChangePtr& entry : message->view_changes) note(entry);
  std::erase_if(highest_, [this](const auto& entry) {
    return entry.second->view <= state_.view() && !QUORATE_MUTANT(old_view_changes_count);
  });
  opened_ = stub_of(*message).content;
  suspicions_.clear();
  host_reason_.reset();
  voiced_.reset();
  countdown_.reset();
  asked_for_.clear();  // entering keeps the bodies that the view needs
  timer_.restart();
  suspect_at_ = state_.now;
  executed_mark_ = state_.last_executed;
  const auto plan =
      compute_new_view(state_.settings.membership, message->view, message->view_changes);
  if (plan && plan->stable != nullptr) {
    catch_up_.raise(plan->low);
    checkpointing_.on_proof(*plan->stable);
  }
  if (QUORATE_MUTANT(watermark_reset_on_entry)) state_.low = Height(0);
  normal_case_.enter_view();
  state_.progress(Progress::Phase::view_entered, state_.last_executed);
}

}  // namespace quorate::consensus::pbft
