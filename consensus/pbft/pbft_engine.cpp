#include "consensus/pbft/pbft_engine.hpp"

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

PbftEngine::PbftEngine(Settings settings, const crypto::Signer* signer)
    : state_(std::move(settings), signer),
      commits_(state_),
      normal_case_(state_, commits_),
      checkpointing_(state_),
      sealing_(state_),
      catch_up_(state_),
      startup_(state_),
      view_changing_(state_, commits_, normal_case_, checkpointing_, catch_up_),
      retransmission_(state_, Parts{commits_, normal_case_, checkpointing_, sealing_, catch_up_,
                                    startup_, view_changing_}) {}

void PbftEngine::step(const Event& event, std::vector<Output>& out) {
  state_.now = event.now;
  state_.wall = event.wall;
  state_.outbox.open(out);
  if (state_.halted) return;
  std::visit([this](const auto& input) { on(input); }, event.input);
  if (!state_.halted) settle();
  assert_bounds();
}

// What any change may have made possible, in a fixed order.
void PbftEngine::settle() {
  commits_.advance();
  while (state_.low != collected_to_ && !state_.halted) {
    collect_garbage();
    normal_case_.revisit();
    commits_.advance();
  }
  if (state_.halted) return;
  view_changing_.advance();
  if (state_.halted) return;
  commits_.advance();
  normal_case_.request_proposal();
  if (const Decided* newest = commits_.newest()) catch_up_.raise(newest->certificate.height);
  catch_up_.advance();
  if (hurried_ != state_.view()) {
    hurried_ = state_.view();
    retransmission_.hurry();
  }
  retransmission_.advance();
}

void PbftEngine::collect_garbage() {
  collected_to_ = state_.low;
  state_.log.collect_garbage(state_.low);
  state_.evidence.collect_garbage(state_.low);
  commits_.collect_garbage(state_.low);
  sealing_.collect_garbage(state_.low);
}

// What others can make this replica hold, in entries; each is a message's worth (n of them in a
// slot). memory_bytes() counts, and the simulator checks, the bytes.
void PbftEngine::assert_bounds() const {
  const Settings& settings = state_.settings;
  QUORATE_ASSERT(state_.log.slots().size() <= 3 * settings.buffer_window() + settings.window());
  QUORATE_ASSERT(state_.durable.prepared.size() <= settings.window());
  // Of the active view, of the one that was left, and what P names.
  QUORATE_ASSERT(state_.durable.accepted.size() <= 3 * settings.window());
  // A replaced ledger may find what was accepted further up.
  QUORATE_ASSERT(state_.log.bodies() <=
                 3 * settings.window() + (3 + settings.members()) * settings.body_window());
  QUORATE_ASSERT(commits_.waiting().size() <= settings.body_window());
  sealing_.assert_bounds();
  checkpointing_.assert_bounds();
}

// ---- a life begins ----

void PbftEngine::on(const Started& started) {
  commits_.restore(started.applied, started.applied_id);
  state_.life = started.life;
  retransmission_.begin(started.life);
  open_vote_log(started);
  if (state_.halted) return;
  note_replaced_ledger(started);
  state_.low = state_.durable.low_watermark();
  collected_to_ = state_.low;
  startup_.restore();
  remember_certificates(started.certificates);
  normal_case_.restore();
  checkpointing_.restore(started.checkpoint_digest);
  sealing_.restore(started.block_hash);
  view_changing_.restore();
  hurried_ = state_.view();
  if (state_.durable.stable) catch_up_.raise(state_.low);
  // Its certificate is what replicas far behind are shown.
  if (started.applied > Height(0) && commits_.find(started.applied) == nullptr) {
    state_.outbox.emit(LoadPayload{started.applied_id});
  }
  if (startup_.try_finish()) finish_start();
}

void PbftEngine::open_vote_log(const Started& started) {
  state_.log_open = true;
  if (!state_.settings.self || state_.signer == nullptr) {
    state_.observe("this node has no validator key");
  } else if (started.observer) {
    state_.observe("the host decided that this replica must not vote");
  } else if (started.durable.empty() &&
             std::max(started.applied, started.executed_before) > Height(0)) {
    state_.retire("the vote log is missing although the ledger was at height " +
                  std::to_string(std::max(started.applied, started.executed_before).value()) +
                  ": this key may have signed what is forgotten (one that never signed anything "
                  "starts with an empty ledger)");
  } else if (started.durable.empty()) {
    state_.log_open = false;
    state_.outbox.persist(encode_snapshot(state_.durable, state_.settings.membership), true,
                          LogOpened{});
  } else {
    auto durable =
        replay(started.durable, state_.settings.membership, state_.settings.payload_bytes_max);
    if (durable) {
      state_.durable = std::move(*durable);
      if (!state_.durable.retired.empty()) state_.observe(state_.durable.retired);
      if (QUORATE_MUTANT(prepared_lost_at_restart)) state_.durable.prepared.clear();
      if (QUORATE_MUTANT(promise_lost_at_restart)) state_.durable.promise_view = state_.view();
    } else {
      state_.halt(durable.error().detail);
    }
  }
}

// From the own ledger, where only verified ones are stored.
void PbftEngine::remember_certificates(const std::vector<Bytes>& certificates) {
  for (const Bytes& bytes : certificates) {
    auto stored = decode_certificate(bytes, state_.settings.members());
    if (!stored) continue;
    const Digest id = certified_id(state_.settings.membership, stored->second);
    startup_.note(id, stored->second);
    state_.durable.release_payload(stored->second.height, id);
    commits_.remember(id, std::move(stored->second));
  }
}

// Also without a word from the host: a ledger that lacks what this replica signed was lost,
// restored from a copy, or moved aside by hand.
void PbftEngine::note_replaced_ledger(const Started& started) {
  const DurableState& durable = state_.durable;
  state_.executed_before = std::max(started.executed_before, durable.executed_before);
  if (started.applied < durable.executed_at_least()) {
    state_.executed_before = std::max(state_.executed_before, durable.executed_at_least());
  }
  if (state_.executed_before > durable.executed_before && state_.settings.self &&
      !state_.observer && !started.durable.empty()) {
    state_.record(ReplacedRecord{state_.executed_before});
  }
}

void PbftEngine::finish_start() {
  checkpointing_.sign_pending();
  sealing_.sign_pending();
  normal_case_.revisit();
}

// ---- inputs ----

void PbftEngine::on(const MessageReceived& received) {
  const auto* message = dynamic_cast<const PbftMessage*>(received.message.get());
  if (message == nullptr) {
    state_.reject(received.from, "a message of another engine");
    return;
  }
  std::visit([&](const auto& content) { on_message(received.from, content); }, message->content());
}

void PbftEngine::on(const ProposalReady& proposal) { normal_case_.on_proposal(proposal); }

void PbftEngine::on(const Validated& answer) { normal_case_.on_validated(answer.id, answer.valid); }

void PbftEngine::on(const Persisted& persisted) {
  for (const DurableAction& action : state_.outbox.durable_up_to(persisted.token)) {
    on_durable(action);
  }
}

void PbftEngine::on_durable(const DurableAction& action) {
  if (const auto* commit = std::get_if<OwnCommitDurable>(&action)) {
    normal_case_.on_own_commit_durable(commit->ballot);
  } else if (const auto* seal = std::get_if<OwnSealDurable>(&action)) {
    sealing_.on_own_seal_durable(seal->height);
  } else if (const auto* checkpoint = std::get_if<OwnCheckpointDurable>(&action)) {
    checkpointing_.on_own_vote_durable(checkpoint->height);
  } else if (const auto* adopted = std::get_if<CheckpointAdopted>(&action)) {
    checkpointing_.on_adopted(adopted->height);
    view_changing_.on_checkpoint();
  } else if (std::holds_alternative<LogOpened>(action)) {
    state_.log_open = true;
    if (startup_.try_finish()) finish_start();
  }
}

void PbftEngine::on(const Executed& executed) {
  const bool again = state_.executes_again();
  commits_.on_executed(executed.height, executed.id);
  view_changing_.on_executed(executed.height, executed.empty);
  sealing_.on_executed(executed.height, executed.block_hash);
  if (state_.halted) return;
  checkpointing_.on_executed(executed.height, executed.checkpoint_digest);
  // A replaced ledger is where the old one was: votes are given again.
  if (again && !state_.executes_again() && !state_.halted) normal_case_.revisit();
}

void PbftEngine::on(const PayloadLoaded& loaded) {
  std::optional<Body> body;
  if (loaded.body) {
    // From the own ledger, where only verified certificates are stored.
    auto stored = decode_certificate(loaded.body->commit_certificate, state_.settings.members());
    if (stored && stored->second.header) {
      body = Body{*stored->second.header, std::make_shared<const Bytes>(loaded.body->payload)};
    }
    if (stored && commits_.remember(loaded.id, std::move(stored->second))) normal_case_.revisit();
  }
  retransmission_.on_payload(loaded.id, body);
}

void PbftEngine::on(const SyncFinished&) { catch_up_.on_finished(); }

void PbftEngine::on(const DivergenceFound& found) {
  state_.diverge(found.height, "a quorum sealed another block than this replica's");
}

void PbftEngine::on(const PendingChanged& pending) { state_.eligible = pending.eligible; }

void PbftEngine::on(const PrimarySuspected& suspected) { view_changing_.on_suspicion(suspected); }

void PbftEngine::on(const Ticked&) { normal_case_.on_tick(); }

// ---- messages; an own one that comes back was counted when it became durable ----

void PbftEngine::on_message(ReplicaId, const PrePrepare& message) {
  startup_.note(message.core);
  normal_case_.on_pre_prepare(message);
}

void PbftEngine::on_message(ReplicaId, const Vote& message) {
  if (state_.settings.is_self(message.replica)) return;
  startup_.note(message);
  normal_case_.on_vote(message);
}

void PbftEngine::on_message(ReplicaId, const Seal& message) {
  if (state_.settings.is_self(message.replica)) return;
  startup_.note(message);
  sealing_.on_seal(message);
}

void PbftEngine::on_message(ReplicaId from, const CheckpointVote& message) {
  if (state_.settings.is_self(message.replica)) return;
  startup_.note(message);
  checkpointing_.on_vote(from, message);
}

void PbftEngine::on_message(ReplicaId from, const StatusReport& message) {
  if (startup_.on_answer(from, message)) finish_start();
  if (QUORATE_MUTANT(claimed_height_trusted)) catch_up_.raise(message.last_executed);
  retransmission_.on_status(from, message);
}

void PbftEngine::on_message(ReplicaId from, const Fetch& message) {
  retransmission_.on_fetch(from, message.id);
}

void PbftEngine::on_message(ReplicaId, const Data& message) { normal_case_.on_body(message.body); }

void PbftEngine::on_message(ReplicaId, const CommitCertificate& message) {
  catch_up_.raise(message.height);
  commits_.add(message, nullptr);
}

void PbftEngine::on_message(ReplicaId, const CheckpointProof& message) {
  catch_up_.raise(message.claim.height);
  checkpointing_.on_proof(message);
}

void PbftEngine::on_message(ReplicaId, const Committed& message) {
  catch_up_.raise(message.certificate.height);
  commits_.add(message.certificate, message.payload);
}

void PbftEngine::on_message(ReplicaId, const Suspect& message) {
  if (!state_.settings.is_self(message.replica)) view_changing_.on_suspect(message);
}

void PbftEngine::on_message(ReplicaId, const ViewChangePtr& message) {
  if (state_.settings.is_self(message->replica)) return;
  startup_.note(stub_of(*message));
  view_changing_.on_view_change(message);
}

void PbftEngine::on_message(ReplicaId from, const NewViewPtr& message) {
  startup_.note(stub_of(*message));
  view_changing_.on_new_view(from, message);
}

// ---- outside view ----

std::optional<Instant> PbftEngine::next_deadline() const {
  if (state_.halted) return std::nullopt;
  std::optional<Instant> earliest;
  for (const std::optional<Instant>& deadline :
       {normal_case_.next_deadline(), catch_up_.next_deadline(), retransmission_.next_deadline(),
        view_changing_.next_deadline()}) {
    if (deadline && (!earliest || *deadline < *earliest)) earliest = deadline;
  }
  return earliest;
}

Status PbftEngine::status() const {
  Status out;
  out.epoch = state_.settings.membership.epoch;
  out.view = state_.view();
  out.promise_view = state_.durable.promise_view;
  out.primary = state_.primary();
  out.last_executed = state_.last_executed;
  out.sealed_to = sealing_.sealed_to();
  out.low_watermark = state_.low;
  out.high_watermark = state_.high();
  out.highest_evidence = catch_up_.evidence();
  if (state_.executes_again()) out.executing_again_to = state_.executed_before;
  out.starting = state_.starting && state_.settings.self && !state_.observer;
  out.last_committed = state_.last_committed;
  view_changing_.describe(out);
  out.unanswered = retransmission_.unanswered();
  out.claimed_height = retransmission_.claimed();
  if (const auto due = retransmission_.next_deadline()) out.timers.push_back({"status", *due});
  if (const auto due = catch_up_.next_deadline()) out.timers.push_back({"sync", *due});
  out.observer = state_.observer;
  out.observer_reason = state_.observer_reason;
  return out;
}

std::size_t PbftEngine::memory_bytes() const {
  return state_.log.memory_bytes() + state_.evidence.memory_bytes() +
         state_.durable.memory_bytes() + commits_.memory_bytes() + checkpointing_.memory_bytes() +
         sealing_.memory_bytes() + retransmission_.memory_bytes() + view_changing_.memory_bytes() +
         startup_.memory_bytes();
}

}  // namespace quorate::consensus::pbft
