#include "consensus/pbft/normal_case.hpp"

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

namespace {

Slot::Votes& votes_of(Slot& slot, VoteKind kind) {
  return kind == VoteKind::prepare ? slot.prepares : slot.commits;
}

constexpr std::uint64_t kHourMs = 3'600'000;
// As long as a SUSPECT counts: on a chain that has nothing to do nobody is suspected for long.
constexpr std::chrono::seconds kLatenessCounts(10);

}  // namespace

// ---- messages ----

void NormalCase::on_pre_prepare(const PrePrepare& message) {
  const Ballot& ballot = message.core.ballot;
  const SlotKey key = key_of(ballot);
  if (!state_.buffers(key)) return;
  Slot& slot = state_.log.slot(key);
  if (!slot.core) {
    // Only this engine proposes with its own key, and it knows what it proposed.
    if (state_.settings.is_self(state_.settings.primary(key.view))) return;
    slot.core = message.core;
    for (const auto& [voter, vote] : slot.prepares) {
      if (vote.id != ballot.id) state_.outbox.send(voter, message);
    }
  } else if (slot.core->ballot.id != ballot.id) {
    if (!slot.equivocation && !QUORATE_MUTANT(equivocation_unseen)) {
      report_equivocation(slot, message);
    }
    return;
  }
  if (key.view == state_.view() && state_.keeps_body(key.height)) {
    state_.log.store(ballot.id, message.body);
  }
  advance(key);
}

void NormalCase::on_vote(const Vote& message) {
  const SlotKey key = key_of(message.ballot);
  if (!state_.buffers(key)) return;
  Slot& slot = state_.log.slot(key);
  const Slot::Signed entry{message.ballot.id, message.signature};
  const auto [known, added] = votes_of(slot, message.kind).try_emplace(message.replica, entry);
  if (added) {
    confront(slot, message);
    advance(key);
  } else if (known->second.id != message.ballot.id &&
             state_.evidence.first(message.replica, offence(message.kind), key.height)) {
    const Vote first{message.kind,
                     {key.view, key.height, known->second.id},
                     message.replica,
                     known->second.signature};
    state_.accuse(message.replica,
                  "two votes for height " + std::to_string(key.height.value()) + " in view " +
                      std::to_string(key.view.value()),
                  first, message);
  }
}

void NormalCase::on_body(const Body& body) {
  const Digest id = proposal_id(state_.settings.membership, body.header);
  bool wanted = false;
  for (const auto& [height, missing] : missing_bodies()) wanted = wanted || missing == id;
  if (!wanted) return;
  state_.log.store(id, body);
  for (const View view : {state_.view(), state_.view().saturating_add(1)}) {
    if (state_.log.find({body.header.height, view}) != nullptr) {
      advance({body.header.height, view});
    }
  }
}

void NormalCase::on_validated(const Digest& id, bool valid) {
  StoredBody* stored = state_.log.body(id);
  if (stored == nullptr || stored->validity == Validity::valid) return;
  const bool accepted = valid || QUORATE_MUTANT(invalid_payload_accepted);
  stored->validity = accepted ? Validity::valid : Validity::invalid;
  const SlotKey key{stored->body.header.height, state_.view()};
  if (state_.log.find(key) != nullptr) advance(key);
}

void NormalCase::on_own_commit_durable(const Ballot& ballot) {
  Slot* slot = state_.log.find(key_of(ballot));
  const auto own = state_.durable.commits.find(key_of(ballot));
  if (slot == nullptr || own == state_.durable.commits.end()) return;
  slot->commits.insert_or_assign(state_.self(), Slot::Signed{ballot.id, own->second.signature});
  advance(key_of(ballot));
}

// ---- a slot moves on ----

void NormalCase::advance(SlotKey key) {
  Slot& slot = state_.log.slot(key);
  accept(key, slot);
  prepare(key, slot);
  commit(key, slot);
}

void NormalCase::revisit() {
  std::vector<SlotKey> keys;
  for (const auto& entry : state_.log.slots()) keys.push_back(entry.first);
  for (const SlotKey& key : keys) advance(key);
}

// Accepts the PRE-PREPARE once everything that allows a PREPARE holds.
void NormalCase::accept(SlotKey key, Slot& slot) {
  if (slot.accepted || slot.refused || !slot.core || !state_.may_vote(key)) return;
  if (!slot.reproposed && key.height <= view_low_) return;
  const Digest& id = slot.core->ballot.id;
  const bool null = is_null(slot.core->ballot);
  if (null && !slot.reproposed) return;  // only a view change may leave a height empty
  if (QUORATE_MUTANT(lock_without_highest_certificate) &&
      state_.durable.prepared.count(key.height) != 0 &&
      state_.durable.prepared.at(key.height).core.ballot.id != id) {
    return;
  }
  if (key.height <= state_.last_committed) {
    // Decided already: agree with it for the sake of others, or ignore the proposal.
    const Decided* decided = commits_.find(key.height);
    if (decided == nullptr || decided->id != id) return;
    if (null) return log_and_prepare(key, slot, ProposalHeader{}, nullptr);
    Payload payload;  // null once the ledger holds it durably; until then it goes into the log
    if (key.height > state_.last_executed) {
      const StoredBody* stored = state_.log.body(id);
      if (stored == nullptr) return;
      payload = stored->body.payload;
    }
    log_and_prepare(key, slot, *decided->certificate.header, std::move(payload));
    return;
  }
  if (null) return log_and_prepare(key, slot, ProposalHeader{}, nullptr);
  if (QUORATE_MUTANT(vote_without_body) && state_.log.body(id) == nullptr) {
    return log_and_prepare(key, slot, ProposalHeader{}, nullptr);
  }
  if (!acceptable(key, slot)) return;
  const Body body = state_.log.body(id)->body;
  if (!slot.reproposed) note_lateness(body.header);
  log_and_prepare(key, slot, body.header,
                  QUORATE_MUTANT(payload_not_logged) ? nullptr : body.payload);
}

bool NormalCase::acceptable(SlotKey key, Slot& slot) {
  const Digest id = slot.core->ballot.id;
  const StoredBody* stored = state_.log.body(id);
  if (stored == nullptr) return false;  // never vote without the body
  const ProposalHeader header = stored->body.header;
  // What the NEW-VIEW proposes keeps its first proposer and time, however long ago that was.
  const bool timely = (slot.reproposed && !QUORATE_MUTANT(reproposal_judged_as_fresh)) ||
                      (fresh(key, slot, header) && due(key, header));
  return timely && valid(key, slot, id);
}

bool NormalCase::fresh(const SlotKey& key, Slot& slot, const ProposalHeader& header) {
  const ReplicaId primary = state_.settings.primary(key.view);
  if (QUORATE_MUTANT(proposer_unchecked)) return true;
  if (header.orig_view == key.view && header.proposer == state_.settings.membership.key(primary)) {
    return true;
  }
  slot.refused = true;
  state_.reject(primary, "a proposal in the name of another replica or view");
  return false;
}

// A time ahead of this replica's clock is held back until it is due; a time in the past never
// costs the vote, for a proposal sent again after a restart is late through nobody's fault.
bool NormalCase::due(const SlotKey& key, const ProposalHeader& header) {
  const auto ahead =
      std::chrono::duration_cast<std::chrono::milliseconds>(state_.settings.proposal_ahead_max);
  const WallMs latest = state_.wall.saturating_add(static_cast<std::uint64_t>(ahead.count()));
  held_.erase(key);
  if (header.time <= latest || QUORATE_MUTANT(future_time_accepted)) return true;
  const std::uint64_t wait = std::min(header.time.value() - latest.value(), kHourMs);
  held_.insert_or_assign(key, state_.now + std::chrono::milliseconds(wait));
  return false;
}

void NormalCase::note_lateness(const ProposalHeader& header) {
  const auto behind =
      std::chrono::duration_cast<std::chrono::milliseconds>(state_.settings.proposal_ahead_max);
  const bool late =
      header.time.saturating_add(static_cast<std::uint64_t>(behind.count())) < state_.wall;
  late_in_a_row_ = late ? late_in_a_row_ + 1 : 0;
  if (late) late_until_ = state_.now + kLatenessCounts;
}

bool NormalCase::valid(SlotKey key, Slot& slot, const Digest& id) {
  StoredBody* stored = state_.log.body(id);
  switch (stored->validity) {
    case Validity::valid: return true;
    case Validity::asked: return false;
    case Validity::unknown:
      stored->validity = Validity::asked;
      slot.check_began = state_.now;
      state_.outbox.emit(Validate{key.height, id, *stored->body.payload});
      return false;
    case Validity::invalid:
      slot.refused = true;
      state_.reject(state_.settings.primary(key.view), "a proposal with an invalid payload");
      return false;
  }
  return false;
}

void NormalCase::log_and_prepare(SlotKey key, Slot& slot, const ProposalHeader& header,
                                 Payload payload) {
  const Ballot& ballot = slot.core->ballot;
  slot.accepted = true;
  slot.accepted_at = slot.changed = state_.now;
  state_.progress(Progress::Phase::pre_prepared, key.height);
  if (state_.is_primary() && !QUORATE_MUTANT(prepare_of_primary_counts)) {
    // Of its own NEW-VIEW: the core there is its vote.
    state_.record(AcceptedRecord{*slot.core, header, std::move(payload), std::nullopt});
    return;
  }
  Vote vote{VoteKind::prepare, ballot, state_.self(), {}};
  vote.signature =
      state_.sign(vote_signing_digest(state_.settings.membership, VoteKind::prepare, ballot));
  state_.record(AcceptedRecord{*slot.core, header, std::move(payload), vote});
  state_.outbox.send_durably(std::nullopt, vote);
  slot.prepares.insert_or_assign(state_.self(), Slot::Signed{ballot.id, vote.signature});
}

bool NormalCase::is_null(const Ballot& ballot) const {
  return ballot.id == null_id(state_.settings.membership, ballot.height);
}

// Prepared: the accepted PRE-PREPARE and PREPAREs of q-1 replicas other than the primary, whose
// PRE-PREPARE is its vote already. P is set in the step that emits the COMMIT.
void NormalCase::prepare(SlotKey key, Slot& slot) {
  if (!slot.accepted || slot.prepared || !state_.may_vote(key)) return;
  const Ballot& ballot = slot.core->ballot;
  std::optional<ReplicaId> except = state_.settings.primary(key.view);
  if (QUORATE_MUTANT(prepare_of_primary_counts)) except.reset();
  auto prepares = matching(slot.prepares, ballot.id, except);
  const std::uint32_t needed =
      state_.settings.quorum() - (QUORATE_MUTANT(prepared_one_short) ? 2U : 1U);
  if (prepares.size() < needed) return;
  prepares.resize(needed);
  Vote vote{VoteKind::commit, ballot, state_.self(), {}};
  vote.signature =
      state_.sign(vote_signing_digest(state_.settings.membership, VoteKind::commit, ballot));
  slot.prepared = true;
  slot.changed = state_.now;
  if (QUORATE_MUTANT(certificate_not_logged)) prepares.clear();
  state_.record(PreparedRecord{{*slot.core, std::move(prepares)}, vote}, OwnCommitDurable{ballot});
  state_.outbox.send_durably(std::nullopt, vote);
  if (QUORATE_MUTANT(own_commit_counts_at_once)) {
    slot.commits.insert_or_assign(state_.self(), Slot::Signed{ballot.id, vote.signature});
  }
  state_.progress(Progress::Phase::prepared, key.height);
}

std::optional<Digest> NormalCase::committed_id(const Slot& slot) const {
  const std::uint32_t needed =
      state_.settings.quorum() - (QUORATE_MUTANT(commit_one_short) ? 1U : 0U);
  if (slot.commits.size() < needed) return std::nullopt;
  for (const auto& entry : slot.commits) {
    const Digest& id = entry.second.id;
    if (matching(slot.commits, id).size() >= needed) return id;
  }
  return std::nullopt;
}

// Committed: COMMITs of q replicas, whether or not this replica took part.
void NormalCase::commit(SlotKey key, Slot& slot) {
  if (commits_.find(key.height) != nullptr || key.height <= state_.last_committed) return;
  const std::optional<Digest> id = committed_id(slot);
  if (!id) return;
  CommitCertificate certificate;
  certificate.view = key.view;
  certificate.height = key.height;
  if (*id != null_id(state_.settings.membership, key.height)) {
    const StoredBody* stored = state_.log.body(*id);
    if (stored == nullptr) return;  // fetched by id; then this runs again
    certificate.header = stored->body.header;
  }
  certificate.commits = matching(slot.commits, *id);
  certificate.commits.resize(state_.settings.quorum());
  if (slot.accepted) {
    state_.commit_latency.add(state_.now - slot.check_began.value_or(slot.accepted_at));
  }
  commits_.add(std::move(certificate), nullptr);
}

// ---- proposing ----

void NormalCase::request_proposal() {
  if (request_ || !state_.eligible || !state_.is_primary()) return;
  Height next = std::max({last_proposed_, state_.last_committed, state_.low}).next();
  if (QUORATE_MUTANT(proposal_leaves_gap) && next.value() % 16 == 0) next = next.next();
  if (!state_.may_vote({next, state_.view()})) return;
  if (next > state_.last_executed.saturating_add(state_.settings.proposals_in_flight)) return;
  request_ = {next, state_.view()};
  last_proposed_ = next.previous();
  state_.outbox.emit(RequestProposal{next, state_.view(), false, ahead()});
}

std::vector<Digest> NormalCase::ahead() const {
  std::vector<Digest> out;
  for (const auto& [key, slot] : state_.log.slots()) {
    if (key.height > state_.last_executed && key.view == state_.view() && slot.core) {
      out.push_back(slot.core->ballot.id);
    }
  }
  return out;
}

void NormalCase::on_proposal(ProposalReady proposal) {
  const SlotKey key{proposal.height, proposal.view};
  if (request_ != key) return;  // cancelled meanwhile
  request_.reset();
  // Meanwhile the height may have been committed without this replica, or the permission is gone.
  if (proposal.height != last_proposed_.next() || !state_.may_vote(key) ||
      proposal.height <= state_.last_committed) {
    return;
  }
  ProposalHeader header;
  header.height = proposal.height;
  header.time = state_.wall;
  header.proposer = state_.signer->public_key();
  header.orig_view = proposal.view;
  header.payload_digest = proposal.payload_digest;
  propose(header, std::make_shared<const Bytes>(std::move(proposal.payload)));
}

void NormalCase::propose(const ProposalHeader& header, Payload payload) {
  Ballot ballot{header.orig_view, header.height, proposal_id(state_.settings.membership, header)};
  Core core{ballot, state_.sign(core_signing_digest(state_.settings.membership, ballot))};
  const Body body{header, std::move(payload)};
  state_.record(AcceptedRecord{core, header, body.payload, std::nullopt});
  state_.outbox.send_durably(std::nullopt, PrePrepare{core, body});
  state_.log.store(ballot.id, body).validity = Validity::valid;
  Slot& slot = state_.log.slot(key_of(ballot));
  slot.core = core;
  slot.accepted = true;
  slot.accepted_at = slot.changed = state_.now;
  last_proposed_ = header.height;
  state_.progress(Progress::Phase::proposed, header.height);
  advance(key_of(ballot));
}

void NormalCase::cancel_request() {
  if (!request_) return;
  state_.outbox.emit(CancelProposal{request_->height, request_->view});
  request_.reset();
}

// ---- time, bodies ----

void NormalCase::on_tick() {
  std::vector<SlotKey> ripe;
  for (const auto& [key, until] : held_) {
    if (until <= state_.now) ripe.push_back(key);
  }
  for (const SlotKey& key : ripe) {
    held_.erase(key);
    if (state_.log.find(key) != nullptr) advance(key);
  }
}

std::optional<Instant> NormalCase::next_deadline() const {
  std::optional<Instant> earliest;
  for (const auto& entry : held_) {
    if (!earliest || entry.second < *earliest) earliest = entry.second;
  }
  return earliest;
}

std::vector<std::pair<Height, Digest>> NormalCase::missing_bodies() const {
  std::vector<std::pair<Height, Digest>> out;
  const auto add = [&](Height height, const Digest& id) {
    if (state_.keeps_body(height) && height > state_.last_committed &&
        state_.log.body(id) == nullptr && id != null_id(state_.settings.membership, height)) {
      out.emplace_back(height, id);
    }
  };
  for (const auto& [height, id] : wanted_) add(height, id);
  for (const auto& [height, decided] : commits_.waiting()) {
    if (!decided.payload && decided.certificate.header) add(height, decided.id);
  }
  for (const auto& [key, slot] : state_.log.slots()) {
    if (commits_.find(key.height) != nullptr) continue;
    if (const std::optional<Digest> id = committed_id(slot)) {
      add(key.height, *id);
    } else if (slot.core && key.view == state_.view()) {
      add(key.height, slot.core->ballot.id);
    }
  }
  return out;
}

}  // namespace quorate::consensus::pbft
