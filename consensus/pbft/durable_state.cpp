#include "consensus/pbft/durable_state.hpp"

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

namespace {

using crypto::Reader;
using crypto::Writer;

constexpr std::uint8_t kVersion = 3;
enum class RecordType : std::uint8_t {
  snapshot = 1,
  accepted = 2,
  prepared = 3,
  sealed = 4,
  checkpointed = 5,
  view_changed = 6,
  entered = 7,
  replaced = 8,
  retired = 9,
};
// More than any snapshot holds; a length above it is damage.
constexpr std::uint32_t kEntriesMax = 1U << 24U;
constexpr std::uint32_t kReasonBytesMax = 1U << 16U;

Writer begin(RecordType type) {
  Writer out;
  out.u8(kVersion);
  out.u8(static_cast<std::uint8_t>(type));
  return out;
}

// Own messages are stored as they go over the wire, so that what is sent again is what was signed.
void put_message(Writer& out, const Message& message) { out.bytes(encode(Epoch(0), message)); }

template <class T>
T take_message(Reader& in, const DecodeLimits& limits) {
  const ByteView bytes = in.bytes(1U << 16U);
  T out{};
  if (!in.ok()) return out;
  Result<Envelope> envelope = decode(bytes, limits);
  if (!envelope || !std::holds_alternative<T>(envelope->message)) {
    in.reject("a vote log record holds a message of another kind");
    return out;
  }
  return std::get<T>(envelope->message);
}

void put(Writer& out, const AcceptedRecord& record) {
  encode(out, record.core);
  encode(out, record.header);
  out.u8(record.payload ? 1 : 0);
  if (record.payload) out.bytes(*record.payload);
  out.u8(record.prepare ? 1 : 0);
  if (record.prepare) put_message(out, *record.prepare);
}

AcceptedRecord take_accepted(Reader& in, const DecodeLimits& limits) {
  AcceptedRecord out;
  out.core = decode_core(in);
  out.header = decode_proposal_header(in);
  if (in.u8() != 0) {
    out.payload = std::make_shared<const Bytes>(to_bytes(in.bytes(limits.payload_bytes_max)));
  }
  if (in.u8() != 0) out.prepare = take_message<Vote>(in, limits);
  return out;
}

struct RecordEncoder {
  Writer operator()(const AcceptedRecord& record) const {
    Writer out = begin(RecordType::accepted);
    put(out, record);
    return out;
  }
  Writer operator()(const PreparedRecord& record) const {
    Writer out = begin(RecordType::prepared);
    encode(out, record.certificate);
    put_message(out, record.commit);
    return out;
  }
  Writer operator()(const SealedRecord& record) const {
    Writer out = begin(RecordType::sealed);
    put_message(out, record.seal);
    return out;
  }
  Writer operator()(const CheckpointedRecord& record) const {
    Writer out = begin(RecordType::checkpointed);
    put_message(out, record.vote);
    return out;
  }
  Writer operator()(const ViewChangedRecord& record) const {
    Writer out = begin(RecordType::view_changed);
    out.u32(record.timer_level);
    encode(out, *record.message);
    return out;
  }
  Writer operator()(const EnteredRecord& record) const {
    Writer out = begin(RecordType::entered);
    out.u32(record.timer_level);
    encode(out, *record.message);
    return out;
  }
  Writer operator()(const ReplacedRecord& record) const {
    Writer out = begin(RecordType::replaced);
    out.integer_of(record.executed_before);
    return out;
  }
  Writer operator()(const RetiredRecord& record) const {
    Writer out = begin(RecordType::retired);
    out.text(record.reason);
    return out;
  }
};

void put_count(Writer& out, std::size_t count) { out.u32(static_cast<std::uint32_t>(count)); }

template <class Map>
void put_messages(Writer& out, const Map& messages) {
  put_count(out, messages.size());
  for (const auto& entry : messages) put_message(out, entry.second);
}

void take_identity(Reader& in, const crypto::Membership& membership, bool& same_chain) {
  const auto chain_id = in.fixed<Digest>();
  const auto epoch = in.integer_of<Epoch>();
  const auto config_hash = in.fixed<Digest>();
  same_chain = chain_id == membership.chain_id && epoch == membership.epoch &&
               config_hash == membership.config_hash;
}

DurableState take_snapshot(Reader& in, const DecodeLimits& limits) {
  DurableState out;
  out.active_view = in.integer_of<View>();
  out.promise_view = in.integer_of<View>();
  out.timer_level = in.u32();
  if (in.u8() != 0) out.view_change = decode_view_change(in, limits);
  if (in.u8() != 0) out.new_view = decode_new_view(in, limits);
  out.sealed_max = in.integer_of<Height>();
  out.checkpointed_max = in.integer_of<Height>();
  out.executed_before = in.integer_of<Height>();
  if (in.u8() != 0) out.stable = decode_checkpoint_proof(in, limits.members);
  for (std::uint32_t left = in.count(0, kEntriesMax, 1); left > 0 && in.ok(); --left) {
    PreparedCertificate certificate = decode_prepared_certificate(in, limits.members);
    const Height height = certificate.core.ballot.height;
    out.prepared.emplace(height, std::move(certificate));
  }
  for (std::uint32_t left = in.count(0, kEntriesMax, 1); left > 0 && in.ok(); --left) {
    AcceptedRecord record = take_accepted(in, limits);
    const SlotKey key = key_of(record.core.ballot);
    out.accepted.emplace(key, std::move(record));
  }
  for (std::uint32_t left = in.count(0, kEntriesMax, 1); left > 0 && in.ok(); --left) {
    const Vote vote = take_message<Vote>(in, limits);
    out.commits.emplace(key_of(vote.ballot), vote);
  }
  for (std::uint32_t left = in.count(0, kEntriesMax, 1); left > 0 && in.ok(); --left) {
    const Seal seal = take_message<Seal>(in, limits);
    out.seals.emplace(seal.height, seal);
  }
  for (std::uint32_t left = in.count(0, kEntriesMax, 1); left > 0 && in.ok(); --left) {
    const auto vote = take_message<CheckpointVote>(in, limits);
    out.checkpoints.emplace(vote.claim.height, vote);
  }
  return out;
}

Record take_record(RecordType type, Reader& in, const DecodeLimits& limits) {
  switch (type) {
    case RecordType::accepted: return take_accepted(in, limits);
    case RecordType::prepared: {
      PreparedRecord out;
      out.certificate = decode_prepared_certificate(in, limits.members);
      out.commit = take_message<Vote>(in, limits);
      return out;
    }
    case RecordType::sealed: return SealedRecord{take_message<Seal>(in, limits)};
    case RecordType::checkpointed:
      return CheckpointedRecord{take_message<CheckpointVote>(in, limits)};
    case RecordType::view_changed: {
      ViewChangedRecord out;
      out.timer_level = in.u32();
      out.message = decode_view_change(in, limits);
      return out;
    }
    case RecordType::entered: {
      EnteredRecord out;
      out.timer_level = in.u32();
      out.message = decode_new_view(in, limits);
      return out;
    }
    case RecordType::replaced: return ReplacedRecord{in.integer_of<Height>()};
    case RecordType::retired: return RetiredRecord{in.text(kReasonBytesMax)};
    case RecordType::snapshot: break;
  }
  in.reject("unknown record type " + std::to_string(static_cast<int>(type)));
  return SealedRecord{};
}

Result<void> replay_one(DurableState& state, ByteView bytes, bool first,
                        const crypto::Membership& membership, const DecodeLimits& limits) {
  Reader in(bytes);
  const std::uint8_t version = in.u8();
  if (version != kVersion) {
    in.reject("it has record version " + std::to_string(version) + ", this program reads version " +
              std::to_string(kVersion) + "; run the program that wrote it");
  }
  const auto type = static_cast<RecordType>(in.u8());
  if (type != RecordType::snapshot) {
    const Record record = take_record(type, in, limits);
    QUORATE_CHECK(in.finish());
    if (first && type != RecordType::retired) {
      return fail(Errc::corrupt, "it does not begin with a snapshot");
    }
    state.apply(record);
    return {};
  }
  bool same_chain = false;
  take_identity(in, membership, same_chain);
  if (in.ok() && !same_chain) {
    return fail(Errc::conflict, "it belongs to another chain or configuration");
  }
  DurableState snapshot = take_snapshot(in, limits);
  QUORATE_CHECK(in.finish());
  state = std::move(snapshot);
  return {};
}

}  // namespace

// Until the snapshot of a checkpoint is durable, votes below it may still be logged behind it. Live
// they are cut off when it is adopted; in replay the snapshot comes first, so they must not come
// back: a VIEW-CHANGE that names a height at or below its own checkpoint is refused by everybody.
void DurableState::apply(const Record& record) {
  const Height low = QUORATE_MUTANT(votes_below_checkpoint_return) ? Height(0) : low_watermark();
  if (const auto* accepted_record = std::get_if<AcceptedRecord>(&record)) {
    if (accepted_record->core.ballot.height <= low) return;
    accepted.insert_or_assign(key_of(accepted_record->core.ballot), *accepted_record);
  } else if (const auto* prepared_record = std::get_if<PreparedRecord>(&record)) {
    const Ballot& ballot = prepared_record->commit.ballot;
    if (ballot.height <= low) return;
    const auto known = prepared.find(ballot.height);
    if (known == prepared.end() || (known->second.core.ballot.view <= ballot.view &&
                                    !QUORATE_MUTANT(first_certificate_kept))) {
      prepared.insert_or_assign(ballot.height, prepared_record->certificate);
    }
    commits.insert_or_assign(key_of(ballot), prepared_record->commit);
  } else if (const auto* sealed_record = std::get_if<SealedRecord>(&record)) {
    seals.insert_or_assign(sealed_record->seal.height, sealed_record->seal);
    sealed_max = std::max(sealed_max, sealed_record->seal.height);
  } else if (const auto* checkpointed = std::get_if<CheckpointedRecord>(&record)) {
    const Height height = checkpointed->vote.claim.height;
    checkpoints.insert_or_assign(height, checkpointed->vote);
    checkpointed_max = std::max(checkpointed_max, height);
  } else if (const auto* promised = std::get_if<ViewChangedRecord>(&record)) {
    if (!QUORATE_MUTANT(promise_not_raised)) {
      promise_view = std::max(promise_view, promised->message->view);
    }
    view_change = promised->message;
    timer_level = promised->timer_level;
  } else if (const auto* entered = std::get_if<EnteredRecord>(&record)) {
    enter(*entered);
  } else if (const auto* replaced = std::get_if<ReplacedRecord>(&record)) {
    executed_before = std::max(executed_before, replaced->executed_before);
  } else if (const auto* gone = std::get_if<RetiredRecord>(&record)) {
    retired = gone->reason;
  }
}

// Below the new view nothing is voted for any more, so what was signed there need not be known.
// But bodies stay, for the view that comes may have to fetch them from here: those that P names,
// and those of the view that was left, where a PREPARE that was logged in time may go out even now
// and become part of somebody's certificate. Others may go: a view is opened only upon bodies that
// are there (ViewChanging::usable).
void DurableState::enter(const EnteredRecord& record) {
  const View left = active_view;
  active_view = std::max(active_view, record.message->view);
  if (QUORATE_MUTANT(prepared_cleared_on_entry)) prepared.clear();
  new_view = record.message;
  timer_level = record.timer_level;
  std::erase_if(commits, [this](const auto& entry) { return entry.first.view < active_view; });
  std::erase_if(accepted, [this, left](const auto& entry) {
    const SlotKey& key = entry.first;
    if (key.view >= active_view) return false;
    if (QUORATE_MUTANT(prepared_bodies_dropped_on_entry)) return true;
    const auto certified = prepared.find(key.height);
    const bool named =
        certified != prepared.end() && certified->second.core.ballot == entry.second.core.ballot;
    return !named && (key.view < left || !entry.second.payload);
  });
}

void DurableState::adopt(const CheckpointProof& proof, std::uint64_t seals_kept) {
  const Height low = proof.claim.height;
  stable = proof;
  const SlotKey above{low, View::max()};
  prepared.erase(prepared.begin(), QUORATE_MUTANT(prepared_cleared_by_checkpoint)
                                       ? prepared.end()
                                       : prepared.upper_bound(low));
  accepted.erase(accepted.begin(), accepted.upper_bound(above));
  commits.erase(commits.begin(), commits.upper_bound(above));
  seals.erase(seals.begin(), seals.lower_bound(low.saturating_sub(seals_kept)));
  checkpoints.erase(checkpoints.begin(), checkpoints.lower_bound(low));
}

void DurableState::release_payload(Height height, const Digest& id) {
  const auto end = accepted.upper_bound(SlotKey{height, View::max()});
  for (auto it = accepted.lower_bound(SlotKey{height, View(0)}); it != end; ++it) {
    if (it->second.core.ballot.id == id) it->second.payload = nullptr;
  }
  std::size_t losers = 0;
  for (auto it = std::make_reverse_iterator(end); it != accepted.rend(); ++it) {
    Payload& payload = it->second.payload;
    if (!payload) continue;
    losers += payload->size();
    if (losers > kLosersBytesMax) payload = nullptr;
  }
}

void DurableState::release_payloads() {
  for (auto& [key, proposal] : accepted) proposal.payload = nullptr;
}

std::size_t DurableState::memory_bytes() const {
  constexpr std::size_t kNode = 48;  // of an ordered map
  std::size_t bytes =
      accepted.size() * (sizeof(AcceptedRecord) + kNode) + commits.size() * (sizeof(Vote) + kNode) +
      seals.size() * (sizeof(Seal) + kNode) + checkpoints.size() * (sizeof(CheckpointVote) + kNode);
  for (const auto& entry : prepared) {
    bytes += sizeof(PreparedCertificate) + kNode +
             entry.second.prepares.size() * sizeof(crypto::ReplicaSignature);
  }
  for (const auto& entry : accepted) {
    const Payload& payload = entry.second.payload;
    if (payload && payload.use_count() == 1) bytes += payload->size();
  }
  if (view_change) bytes += pbft::memory_bytes(*view_change);
  if (new_view) bytes += pbft::memory_bytes(*new_view);
  return bytes;
}

std::size_t memory_bytes(const ViewChange& message) {
  std::size_t bytes = sizeof(ViewChange);
  if (message.stable) bytes += message.stable->votes.size() * sizeof(crypto::ReplicaSignature);
  for (const PreparedCertificate& certificate : message.prepared) {
    bytes += sizeof(certificate) + certificate.prepares.size() * sizeof(crypto::ReplicaSignature);
  }
  return bytes;
}

std::size_t memory_bytes(const NewView& message) {
  std::size_t bytes = sizeof(NewView) + message.proposals.size() * sizeof(Core);
  for (const ViewChangePtr& entry : message.view_changes) bytes += memory_bytes(*entry);
  return bytes;
}

Bytes encode_record(const Record& record) { return std::visit(RecordEncoder{}, record).take(); }

Bytes encode_snapshot(const DurableState& state, const crypto::Membership& membership) {
  Writer out = begin(RecordType::snapshot);
  out.raw(membership.chain_id);
  out.integer_of(membership.epoch);
  out.raw(membership.config_hash);
  out.integer_of(state.active_view);
  out.integer_of(QUORATE_MUTANT(promise_not_in_snapshot) ? state.active_view : state.promise_view);
  out.u32(state.timer_level);
  out.u8(state.view_change ? 1 : 0);
  if (state.view_change) encode(out, *state.view_change);
  out.u8(state.new_view ? 1 : 0);
  if (state.new_view) encode(out, *state.new_view);
  out.integer_of(state.sealed_max);
  out.integer_of(state.checkpointed_max);
  out.integer_of(state.executed_before);
  out.u8(state.stable ? 1 : 0);
  if (state.stable) encode(out, *state.stable);
  put_count(out, state.prepared.size());
  for (const auto& entry : state.prepared) encode(out, entry.second);
  put_count(out, state.accepted.size());
  for (const auto& entry : state.accepted) put(out, entry.second);
  put_messages(out, state.commits);
  put_messages(out, state.seals);
  put_messages(out, state.checkpoints);
  return std::move(out).take();
}

Result<DurableState> replay(const std::vector<Bytes>& records, const crypto::Membership& membership,
                            std::uint32_t payload_bytes_max) {
  const DecodeLimits limits{membership.size(), payload_bytes_max};
  DurableState state;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Result<void> done = replay_one(state, records[i], i == 0, membership, limits);
    if (!done) {
      const Errc code = done.error().code == Errc::conflict ? Errc::conflict : Errc::corrupt;
      return fail(code, "record " + std::to_string(i) +
                            " of the vote log cannot be used: " + done.error().detail);
    }
  }
  return state;
}

}  // namespace quorate::consensus::pbft
