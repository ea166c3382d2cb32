#include "consensus/pbft/startup.hpp"

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

namespace {

// Later views come after earlier ones, whatever their heights.
bool newer(const Ballot& a, const Ballot& b) {
  return std::pair(a.view, a.height) > std::pair(b.view, b.height);
}

struct SignerOf {
  const Settings& settings;
  ReplicaId operator()(const Core& m) const { return settings.primary(m.ballot.view); }
  ReplicaId operator()(const Vote& m) const { return m.replica; }
  ReplicaId operator()(const Seal& m) const { return m.replica; }
  ReplicaId operator()(const CheckpointVote& m) const { return m.replica; }
  ReplicaId operator()(const ViewChangeStub& m) const { return m.replica; }
  ReplicaId operator()(const NewViewStub& m) const { return settings.primary(m.view); }
};

template <class T>
void append(std::vector<Witness>& out, const std::optional<T>& message) {
  if (message) out.emplace_back(*message);
}

}  // namespace

// What others signed is in the own log too, and in the ledger: whoever asks is told of it although
// this replica was down meanwhile.
void Startup::restore() {
  if (!state_.observer) {
    logged_ = state_.durable;
    logged_.prepared.clear();
    logged_.release_payloads();
  }
  for (const auto& [height, certificate] : state_.durable.prepared) {
    note(certificate.core);
    for (const auto& [replica, signature] : certificate.prepares) {
      note(Vote{VoteKind::prepare, certificate.core.ballot, replica, signature});
    }
  }
  if (const auto& stable = state_.durable.stable) {
    for (const auto& [replica, signature] : stable->votes) {
      note(CheckpointVote{stable->claim, replica, signature});
    }
  }
  const NewViewPtr& opened = state_.durable.new_view;
  if (!opened) return;
  note(stub_of(*opened));
  for (const ViewChangePtr& entry : opened->view_changes) note(stub_of(*entry));
}

void Startup::note(const Digest& id, const CommitCertificate& certificate) {
  for (const auto& [replica, signature] : certificate.commits) {
    note(Vote{VoteKind::commit, {certificate.view, certificate.height, id}, replica, signature});
  }
}

void Startup::note(const Core& core) {
  auto& held = newest_[state_.settings.primary(core.ballot.view)].core;
  if (!held || newer(core.ballot, held->ballot)) held = core;
}

void Startup::note(const Vote& vote) {
  Newest& newest = newest_[vote.replica];
  auto& held = vote.kind == VoteKind::prepare ? newest.prepare : newest.commit;
  if (!held || newer(vote.ballot, held->ballot)) held = vote;
}

void Startup::note(const Seal& seal) {
  auto& held = newest_[seal.replica].seal;
  if (!held || seal.height > held->height) held = seal;
}

void Startup::note(const CheckpointVote& vote) {
  auto& held = newest_[vote.replica].checkpoint;
  if (!held || vote.claim.height > held->claim.height) held = vote;
}

void Startup::note(const ViewChangeStub& stub) {
  auto& held = newest_[stub.replica].view_change;
  if (!held || stub.view > held->view) held = stub;
}

void Startup::note(const NewViewStub& stub) {
  auto& held = newest_[state_.settings.primary(stub.view)].new_view;
  if (!held || stub.view > held->view) held = stub;
}

std::vector<Witness> Startup::witnesses(ReplicaId replica) const {
  std::vector<Witness> out;
  const auto found = newest_.find(replica);
  if (found == newest_.end()) return out;
  const Newest& newest = found->second;
  append(out, newest.core);
  append(out, newest.prepare);
  append(out, newest.commit);
  append(out, newest.seal);
  append(out, newest.checkpoint);
  append(out, newest.view_change);
  append(out, newest.new_view);
  return out;
}

bool Startup::on_answer(ReplicaId from, const StatusReport& report) {
  if (!report.witnesses || report.life != state_.life) return false;
  if (!state_.starting || state_.observer) return false;
  const SignerOf signer_of{state_.settings};
  for (const Witness& witness : *report.witnesses) {
    if (!state_.settings.is_self(std::visit(signer_of, witness))) continue;
    if (QUORATE_MUTANT(amnesia_ignored)) continue;
    if (std::visit([this](const auto& m) { return known(m); }, witness)) continue;
    logged_ = {};
    state_.retire(
        "replica " + std::to_string(from.value()) +
        " holds a message signed with this validator key that the vote log does not know: "
        "the log was lost, restored from a copy, or the key runs twice");
    return false;
  }
  answered_.insert(from);
  return try_finish();
}

bool Startup::try_finish() {
  if (!state_.starting || state_.observer || !state_.log_open) return false;
  const bool enough = answered_.size() + 1 >= state_.settings.quorum();
  if (!enough && !QUORATE_MUTANT(start_asks_nobody)) return false;
  state_.starting = false;
  logged_ = {};
  return true;
}

// Below the stable checkpoint nothing is remembered, and above the view nothing was ever signed.
std::optional<bool> Startup::settled(const Ballot& ballot) const {
  if (ballot.view > logged_.active_view) return false;
  if (ballot.view < logged_.active_view || ballot.height <= logged_.low_watermark()) return true;
  return std::nullopt;
}

bool Startup::known(const Core& core) const {
  if (const auto answer = settled(core.ballot)) return *answer;
  // Of its own NEW-VIEW: signed with it, and accepted only once the body is there. Anybody can send
  // the two together as a PRE-PREPARE.
  if (logged_.new_view) {
    for (const Core& opened : logged_.new_view->proposals) {
      if (opened.ballot == core.ballot && opened.signature == core.signature) return true;
    }
  }
  const auto own = logged_.accepted.find(key_of(core.ballot));
  return own != logged_.accepted.end() && own->second.core.ballot == core.ballot &&
         own->second.core.signature == core.signature;
}

bool Startup::known(const Vote& vote) const {
  if (const auto answer = settled(vote.ballot)) return *answer;
  const SlotKey key = key_of(vote.ballot);
  if (vote.kind == VoteKind::commit) {
    const auto own = logged_.commits.find(key);
    return own != logged_.commits.end() && own->second.ballot == vote.ballot &&
           own->second.signature == vote.signature;
  }
  const auto own = logged_.accepted.find(key);
  return own != logged_.accepted.end() && own->second.prepare &&
         own->second.prepare->ballot == vote.ballot &&
         own->second.prepare->signature == vote.signature;
}

bool Startup::known(const Seal& seal) const {
  if (seal.height > logged_.sealed_max) return false;
  const auto own = logged_.seals.find(seal.height);
  return own == logged_.seals.end() ||
         (own->second.block_hash == seal.block_hash && own->second.signature == seal.signature);
}

// An earlier one than the last is forgotten, and binds no further than the last.
bool Startup::known(const ViewChangeStub& stub) const {
  const ViewChangePtr& own = logged_.view_change;
  return own &&
         (stub.view < own->view || (stub.view == own->view && stub.signature == own->signature));
}

bool Startup::known(const NewViewStub& stub) const {
  const NewViewPtr& opened = logged_.new_view;
  return opened && (stub.view < opened->view ||
                    (stub.view == opened->view && stub.signature == opened->signature));
}

bool Startup::known(const CheckpointVote& vote) const {
  if (vote.claim.height > logged_.checkpointed_max) return false;
  const auto own = logged_.checkpoints.find(vote.claim.height);
  return own == logged_.checkpoints.end() ||
         (own->second.claim == vote.claim && own->second.signature == vote.signature);
}

}  // namespace quorate::consensus::pbft
