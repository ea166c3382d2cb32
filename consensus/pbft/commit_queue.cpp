#include "consensus/pbft/commit_queue.hpp"

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

void CommitQueue::restore(Height applied, const Digest& applied_id) {
  state_.last_committed = applied;
  state_.last_executed = applied;
  head_ = applied;
  head_id_ = applied_id;
}

std::optional<Digest> CommitQueue::decided_id(Height height) const {
  if (const Decided* decided = find(height)) return decided->id;
  if (height == head_ && head_ > Height(0)) return head_id_;
  return std::nullopt;
}

const Decided* CommitQueue::find(Height height) const {
  for (const auto* decided : {&waiting_, &recent_}) {
    const auto found = decided->find(height);
    if (found != decided->end()) return &found->second;
  }
  return nullptr;
}

const Decided* CommitQueue::newest() const {
  if (!waiting_.empty()) return &waiting_.rbegin()->second;
  return recent_.empty() ? nullptr : &recent_.rbegin()->second;
}

bool CommitQueue::contradicts(const CommitCertificate& certificate, const Digest& id) {
  const Height height = certificate.height;
  const std::optional<Digest> decided = decided_id(height);
  if (!decided || *decided == id) return false;
  if (const Decided* known = find(height)) {
    state_.accuse_all(double_votes(VoteKind::commit, {known->certificate.view, height, *decided},
                                   known->certificate.commits, {certificate.view, height, id},
                                   certificate.commits));
  }
  state_.halt("two proposals are committed at height " + std::to_string(height.value()) +
              ": more replicas are faulty than the protocol tolerates");
  return true;
}

void CommitQueue::add(CommitCertificate certificate, Payload payload) {
  const Height height = certificate.height;
  const Digest id = certified_id(state_.settings.membership, certificate);
  const bool late = height <= state_.last_committed && !QUORATE_MUTANT(decided_again);
  if (contradicts(certificate, id) || late) return;
  if (height > state_.last_committed.saturating_add(state_.settings.body_window())) return;
  Decided& decided =
      waiting_.try_emplace(height, Decided{id, std::move(certificate), nullptr}).first->second;
  if (!decided.payload) decided.payload = std::move(payload);
}

void CommitQueue::advance() {
  while (!state_.halted && state_.log_open && !waiting_.empty()) {
    const auto next = waiting_.begin();
    if (next->first != state_.last_committed.next() && !QUORATE_MUTANT(heights_skipped)) return;
    Decided& decided = next->second;
    if (!decided.payload && decided.certificate.header) {
      const StoredBody* stored = state_.log.body(decided.id);
      if (stored == nullptr) return;
      decided.payload = stored->body.payload;
    }
    const Height height = next->first;
    Decided taken = std::move(decided);
    waiting_.erase(next);
    commit(height, std::move(taken));
  }
}

void CommitQueue::commit(Height height, Decided decided) {
  state_.last_committed = height;
  executing_.emplace(height, decided.id);
  Commit out;
  out.height = height;
  out.id = decided.id;
  if (decided.certificate.header) {
    out.proposed_time = decided.certificate.header->time;
    out.proposer = decided.certificate.header->proposer;
    out.payload = *decided.payload;
  }
  out.commit_certificate =
      encode_certificate(state_.settings.membership.epoch, decided.certificate);
  out.view = decided.certificate.view;
  state_.progress(Progress::Phase::committed, height);
  state_.outbox.emit(std::move(out));
  decided.payload = nullptr;
  recent_.emplace(height, std::move(decided));
  while (recent_.size() > state_.settings.buffer_window()) recent_.erase(recent_.begin());
}

bool CommitQueue::remember(const Digest& id, CommitCertificate certificate) {
  const Height height = certificate.height;
  if (height > head_ || (height != head_ && height <= state_.low)) return false;
  if (certified_id(state_.settings.membership, certificate) != id) return false;
  return recent_.try_emplace(height, Decided{id, std::move(certificate), nullptr}).second;
}

void CommitQueue::on_executed(Height height, const Digest& id) {
  const auto next = executing_.begin();
  QUORATE_ASSERT(next != executing_.end() && next->first == height && next->second == id);
  executing_.erase(next);
  state_.last_executed = height;
  state_.log.release_bodies(height);
  state_.durable.release_payload(height, id);
  state_.progress(Progress::Phase::executed, height);
}

void CommitQueue::collect_garbage(Height low) {
  // The newest certificate stays: it is what a replica far behind is shown.
  while (recent_.size() > 1 && recent_.begin()->first <= low) recent_.erase(recent_.begin());
}

std::size_t CommitQueue::memory_bytes() const {
  constexpr std::size_t kNode = 48;
  std::size_t bytes = executing_.size() * (sizeof(Digest) + kNode);
  for (const auto* decided : {&waiting_, &recent_}) {
    for (const auto& [height, entry] : *decided) {
      bytes += sizeof(Decided) + kNode +
               entry.certificate.commits.size() * sizeof(crypto::ReplicaSignature) +
               (entry.payload ? entry.payload->size() : 0);
    }
  }
  return bytes;
}

}  // namespace quorate::consensus::pbft
