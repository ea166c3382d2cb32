#include "consensus/pbft/retransmission.hpp"

#include <algorithm>

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

namespace {

// One token is a small message; a body costs one more per 16 KiB.
constexpr std::uint64_t kBucketCapacity = 2'048;
constexpr std::uint64_t kBucketPerSecond = 2'048;
constexpr std::uint64_t kBytesPerToken = 16U << 10U;
constexpr std::uint64_t kCertificatesPerReply = 8;
constexpr std::size_t kLoadsPerPeer = 16;
constexpr std::size_t kFetchesPerRound = 64;
// Of STATUS, in which the primary alone repeats its proposal.
constexpr std::int64_t kRoundsOfPrimary = 2;

std::uint64_t body_cost(const Payload& payload) { return 1 + payload->size() / kBytesPerToken; }

const SlotReport& report_of(const StatusReport& report, Height height) {
  static const SlotReport kNothing{};
  const std::uint64_t index = height.value() - report.last_committed.value() - 1;
  return index < report.slots.size() ? report.slots[index] : kNothing;
}

}  // namespace

// ---- asking ----

bool Retransmission::work_pending() const {
  if (state_.starting && !state_.observer) return true;
  if (parts_.view_changing.changing()) return true;
  if (peer_ahead_ || state_.eligible || parts_.catch_up.behind()) return true;
  if (!parts_.commits.waiting().empty() || parts_.checkpointing.unstable()) return true;
  if (parts_.sealing.newest_sealed() < state_.last_executed) return true;
  const auto& slots = state_.log.slots();
  return slots.upper_bound(SlotKey{state_.last_committed, View::max()}) != slots.end();
}

// Spread by replica and count, so that replicas do not all send at the same moment.
Duration Retransmission::interval(bool busy) const {
  const Duration base =
      busy ? state_.settings.status_interval_busy : state_.settings.status_interval_idle;
  const auto step = (state_.self().value() * 37 + sent_ * 17) % 64;
  return base - base / 8 + base / 4 * static_cast<std::int64_t>(step) / 64;
}

void Retransmission::advance() {
  if (!state_.settings.self || state_.settings.members() == 1 || state_.halted) {
    due_.reset();
    return;
  }
  const Instant latest = state_.now + interval(work_pending());
  if (!due_ || *due_ > latest) due_ = latest;
  if (state_.now < *due_) return;
  send_status();
  fetch_bodies();
  due_ = state_.now + interval(work_pending());
}

void Retransmission::send_status() {
  ++sent_;
  peer_ahead_ = false;
  echoes_.send(state_.now);
  state_.outbox.send(std::nullopt, report());
}

StatusReport Retransmission::report() const {
  StatusReport out;
  out.view = state_.view();
  out.promise_view = state_.durable.promise_view;
  out.low_watermark = state_.low;
  out.last_executed = state_.last_executed;
  out.last_committed = state_.last_committed;
  out.sealed_to = parts_.sealing.sealed_to();
  out.new_view = parts_.view_changing.opened();
  out.starting = state_.starting && !state_.observer;
  if (out.starting) out.life = state_.life;
  out.number = echoes_.newest();
  out.heard = echoes_.heard();
  const auto& slots = state_.log.slots();
  if (!slots.empty()) {
    for (Height height = state_.last_committed.saturating_add(1);
         height <= slots.rbegin()->first.height && out.slots.size() < kSlotReportsMax;
         height = height.next()) {
      out.slots.push_back(slot_report(height));
    }
  }
  out.seals = parts_.sealing.report();
  out.checkpoints = parts_.checkpointing.report();
  out.view_changes = parts_.view_changing.view_changes();
  out.suspects = ReplicaSet(state_.settings.members());
  for (const ReplicaId replica : parts_.view_changing.suspects()) out.suspects.insert(replica);
  return out;
}

SlotReport Retransmission::slot_report(Height height) const {
  SlotReport out;
  out.prepares = ReplicaSet(state_.settings.members());
  out.commits = ReplicaSet(state_.settings.members());
  out.committed = parts_.commits.find(height) != nullptr;
  const Slot* slot = state_.log.find({height, state_.view()});
  if (slot == nullptr) return out;
  out.pre_prepare =
      slot->core && (state_.log.body(slot->core->ballot.id) != nullptr ||
                     slot->core->ballot.id == null_id(state_.settings.membership, height));
  out.prepared = slot->prepared;
  for (const auto& vote : slot->prepares) out.prepares.insert(vote.first);
  for (const auto& vote : slot->commits) out.commits.insert(vote.first);
  return out;
}

// Asks one replica after the other; whoever lacks the body stays silent.
void Retransmission::fetch_bodies() {
  if (QUORATE_MUTANT(bodies_never_fetched)) return;
  std::size_t asked = 0;
  for (const auto& missing : parts_.normal_case.missing_bodies()) {
    if (++asked > kFetchesPerRound) return;
    const std::uint32_t members = state_.settings.members();
    auto target = static_cast<std::uint32_t>((state_.primary().value() + fetches_++) % members);
    if (state_.settings.is_self(ReplicaId(target))) target = (target + 1) % members;
    state_.outbox.send(ReplicaId(target), Fetch{missing.second});
  }
}

// ---- answering ----

bool Retransmission::afford(ReplicaId to, std::uint64_t cost) {
  const auto bucket =
      buckets_.try_emplace(to, TokenBucket(kBucketCapacity, kBucketPerSecond)).first;
  return bucket->second.take(std::min(cost, kBucketCapacity), state_.now);
}

bool Retransmission::send_own(ReplicaId to, const Message& message, std::uint64_t cost) {
  if (!afford(to, cost)) return false;
  state_.outbox.send_durably(to, message);
  return true;
}

// What was sent a moment ago is probably still on its way.
bool Retransmission::settled_down(Instant since) const {
  return state_.now - since >= state_.settings.status_interval_busy / 2;
}

void Retransmission::on_status(ReplicaId from, const StatusReport& report) {
  if (state_.settings.is_self(from) || !state_.settings.self) return;
  echoes_.receive(from, state_.self(), report);
  if (report.last_committed > state_.last_committed || report.view > state_.view()) {
    peer_ahead_ = true;
  }
  if (report.starting && afford(from, 1)) {
    StatusReport answer = this->report();
    answer.starting = false;  // an answer is no question, or two starting replicas never stop
    answer.life = report.life;
    answer.witnesses = parts_.startup.witnesses(from);
    state_.outbox.send(from, answer);
  }
  send_checkpoints(from, report);
  send_certificates(from, report);
  send_view_messages(from, report);
  // The own messages of a starting replica wait for the end of its check.
  if (!state_.may_sign()) return;
  send_votes(from, report);
  send_seals(from, report);
}

void Retransmission::send_checkpoints(ReplicaId to, const StatusReport& report) {
  const auto& proof = parts_.checkpointing.newest();
  if (proof && proof->claim.height > report.low_watermark && afford(to, 1)) {
    state_.outbox.send(to, *proof);
  }
  if (!state_.may_sign()) return;
  std::uint64_t index = 0;
  const std::uint64_t interval = state_.settings.checkpoint_interval;
  for (Height height =
           Height(report.low_watermark.value() / interval * interval).saturating_add(interval);
       index < report.checkpoints.size(); height = height.saturating_add(interval), ++index) {
    const auto own = state_.durable.checkpoints.find(height);
    if (own == state_.durable.checkpoints.end()) continue;
    if (!report.checkpoints[index].contains(state_.self())) send_own(to, own->second);
  }
}

// A few heights are repaired with their certificates. Somebody further behind is shown the newest
// one, which is all the evidence that block catch-up needs.
void Retransmission::send_certificates(ReplicaId to, const StatusReport& report) {
  const Decided* newest = parts_.commits.newest();
  if (newest == nullptr || newest->certificate.height <= report.last_committed) return;
  if (QUORATE_MUTANT(certificates_not_shown)) return;
  Height height = report.last_committed;
  for (std::uint64_t i = 0; i < kCertificatesPerReply; ++i) {
    height = height.saturating_add(1);
    const Decided* decided = parts_.commits.find(height);
    if (decided == nullptr || report_of(report, height).committed) continue;
    if (!afford(to, 1)) return;
    state_.outbox.send(to, decided->certificate);
  }
  if (newest->certificate.height > height && afford(to, 1)) {
    state_.outbox.send(to, newest->certificate);
  }
}

// Whoever is in an earlier view gets the message that opened this one, whoever made it, and so does
// whoever was told another one, for two of a view prove that its primary lies. Whoever is about to
// change views gets this replica's own VIEW-CHANGE.
void Retransmission::send_view_messages(ReplicaId to, const StatusReport& report) {
  const NewViewPtr& opened = state_.durable.new_view;
  const bool earlier = opened && report.view < opened->view && report.promise_view <= opened->view;
  const bool other =
      opened && report.view == opened->view && report.new_view != parts_.view_changing.opened();
  if ((earlier && !QUORATE_MUTANT(new_view_not_shown)) || other) {
    Instant& last = new_view_sent_[to];
    const std::uint64_t cost = 1 + pbft::memory_bytes(*opened) / kBytesPerToken;
    if ((last == Instant{} || settled_down(last)) && send_own(to, opened, cost)) last = state_.now;
    if (earlier) return;
  }
  const ViewChangePtr& own = state_.durable.view_change;
  if (QUORATE_MUTANT(view_change_sent_once) || !state_.may_sign() ||
      !parts_.view_changing.changing() || own->view <= report.view ||
      own->view < report.promise_view || report.view_changes.contains(state_.self()) ||
      !settled_down(parts_.view_changing.sent_at())) {
    return;
  }
  send_own(to, own, 1 + pbft::memory_bytes(*own) / kBytesPerToken);
}

void Retransmission::send_votes(ReplicaId to, const StatusReport& report) {
  if (QUORATE_MUTANT(votes_sent_once)) return;
  // Of another view the report says nothing, and there these votes are of no use.
  if (report.view != state_.view() || parts_.view_changing.changing()) return;
  const auto& slots = state_.log.slots();
  for (auto it = slots.upper_bound(SlotKey{report.last_committed, View::max()}); it != slots.end();
       ++it) {
    const auto& [key, slot] = *it;
    if (key.view != state_.view() || !settled_down(slot.changed)) continue;
    if (parts_.commits.find(key.height) != nullptr) continue;  // its certificate says more
    const SlotReport& has = report_of(report, key.height);
    if (!has.committed) send_slot(to, has, key, slot);
  }
}

void Retransmission::send_slot(ReplicaId to, const SlotReport& has, const SlotKey& key,
                               const Slot& slot) {
  const auto own = state_.durable.accepted.find(key);
  if (own != state_.durable.accepted.end()) {
    const AcceptedRecord& accepted = own->second;
    if (accepted.prepare) {
      if (!has.prepared && !has.prepares.contains(state_.self())) send_own(to, *accepted.prepare);
    }
    const bool owes = !accepted.prepare || passes_on(to, slot);
    if (owes && !has.pre_prepare && accepted.payload) {
      send_own(to, PrePrepare{accepted.core, Body{accepted.header, accepted.payload}},
               body_cost(accepted.payload));
    }
  }
  if (!slot.prepared || has.commits.contains(state_.self())) return;
  const auto commit = state_.durable.commits.find(key);
  if (commit != state_.durable.commits.end()) send_own(to, commit->second);
}

// A proposal is the primary's to repeat. Where it does not, whoever voted for it does: two of them
// at first, then twice as many each time, so that a body is not sent by everybody at once.
bool Retransmission::passes_on(ReplicaId to, const Slot& slot) const {
  if (QUORATE_MUTANT(proposal_never_passed_on)) return false;
  const auto rounds = (state_.now - slot.accepted_at) / state_.settings.status_interval_busy;
  if (rounds < kRoundsOfPrimary) return false;
  const auto doublings =
      static_cast<unsigned>(std::min<std::int64_t>(rounds - kRoundsOfPrimary, 16));
  const std::uint32_t members = state_.settings.members();
  const std::uint32_t distance = (state_.self().value() + members - to.value()) % members;
  return distance <= 2U << doublings;
}

void Retransmission::send_seals(ReplicaId to, const StatusReport& report) {
  Height height = report.sealed_to;
  for (const ReplicaSet& has : report.seals) {
    height = height.saturating_add(1);
    const auto own = state_.durable.seals.find(height);
    if (own == state_.durable.seals.end() || has.contains(state_.self())) continue;
    if (settled_down(parts_.sealing.signed_at(height)) && !send_own(to, own->second)) return;
  }
}

std::vector<std::optional<Instant>> Retransmission::unanswered() const {
  std::vector<std::optional<Instant>> out(state_.settings.members());
  for (std::uint32_t i = 0; i < out.size(); ++i) {
    if (!state_.settings.is_self(ReplicaId(i))) out[i] = echoes_.unanswered_since(ReplicaId(i));
  }
  return out;
}

// ---- bodies ----

void Retransmission::on_fetch(ReplicaId from, const Digest& id) {
  if (state_.settings.is_self(from)) return;
  if (const StoredBody* stored = state_.log.body(id)) {
    if (afford(from, body_cost(stored->body.payload))) state_.outbox.send(from, Data{stored->body});
    return;
  }
  const auto loads = std::count_if(loading_.begin(), loading_.end(), [from](const auto& entry) {
    return entry.second.count(from) > 0;
  });
  if (static_cast<std::size_t>(loads) >= kLoadsPerPeer || !afford(from, 1)) return;
  std::set<ReplicaId>& peers = loading_[id];
  if (peers.empty()) state_.outbox.emit(LoadPayload{id});
  peers.insert(from);
}

void Retransmission::on_payload(const Digest& id, const std::optional<Body>& body) {
  const auto waiting = loading_.find(id);
  if (waiting == loading_.end()) return;
  const std::set<ReplicaId> peers = std::move(waiting->second);
  loading_.erase(waiting);
  if (!body) return;
  for (const ReplicaId peer : peers) {
    if (afford(peer, body_cost(body->payload))) state_.outbox.send(peer, Data{*body});
  }
}

std::size_t Retransmission::memory_bytes() const {
  constexpr std::size_t kNode = 48;
  std::size_t bytes = buckets_.size() * (sizeof(TokenBucket) + kNode) + echoes_.memory_bytes();
  for (const auto& entry : loading_) {
    bytes += sizeof(Digest) + kNode + entry.second.size() * (sizeof(ReplicaId) + kNode);
  }
  return bytes;
}

}  // namespace quorate::consensus::pbft
