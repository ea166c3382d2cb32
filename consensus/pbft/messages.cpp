#include "consensus/pbft/messages.hpp"

namespace quorate::consensus::pbft {

namespace {

using crypto::Reader;
using crypto::Writer;

constexpr std::uint8_t value(crypto::SignedType type) { return static_cast<std::uint8_t>(type); }

// The first byte on the wire: the type inside the signed bytes, and above them what nobody signs.
enum class WireType : std::uint8_t {
  pre_prepare = value(crypto::SignedType::pre_prepare),
  prepare = value(crypto::SignedType::prepare),
  commit = value(crypto::SignedType::commit),
  seal = value(crypto::SignedType::seal),
  checkpoint = value(crypto::SignedType::checkpoint),
  suspect = value(crypto::SignedType::suspect),
  view_change = value(crypto::SignedType::view_change),
  new_view = value(crypto::SignedType::new_view),
  status = 9,
  fetch = 10,
  data = 11,
  commit_certificate = 12,
  checkpoint_proof = 13,
};
static_assert(static_cast<std::uint8_t>(VoteKind::prepare) == value(crypto::SignedType::prepare) &&
              static_cast<std::uint8_t>(VoteKind::commit) == value(crypto::SignedType::commit));

Ballot decode_ballot(Reader& in) {
  Ballot out;
  out.view = in.integer_of<View>();
  out.height = in.integer_of<Height>();
  out.id = in.fixed<Digest>();
  return out;
}

CheckpointClaim decode_claim(Reader& in) {
  CheckpointClaim out;
  out.height = in.integer_of<Height>();
  out.digest = in.fixed<Digest>();
  out.epoch_last = in.integer_of<Height>();
  return out;
}

void put_body(Writer& out, const Body& body) {
  encode(out, body.header);
  out.bytes(*body.payload);
}

Body decode_body(Reader& in, const DecodeLimits& limits) {
  Body out;
  out.header = decode_proposal_header(in);
  out.payload = std::make_shared<const Bytes>(to_bytes(in.bytes(limits.payload_bytes_max)));
  return out;
}

// ---- each message's fields ----

struct WireTypeOf {
  WireType operator()(const Core&) const { return WireType::pre_prepare; }
  WireType operator()(const PrePrepare&) const { return WireType::pre_prepare; }
  WireType operator()(const Vote& m) const { return static_cast<WireType>(m.kind); }
  WireType operator()(const Seal&) const { return WireType::seal; }
  WireType operator()(const CheckpointVote&) const { return WireType::checkpoint; }
  WireType operator()(const StatusReport&) const { return WireType::status; }
  WireType operator()(const Fetch&) const { return WireType::fetch; }
  WireType operator()(const Data&) const { return WireType::data; }
  WireType operator()(const CommitCertificate&) const { return WireType::commit_certificate; }
  WireType operator()(const CheckpointProof&) const { return WireType::checkpoint_proof; }
  WireType operator()(const Suspect&) const { return WireType::suspect; }
  WireType operator()(const ViewChangePtr&) const { return WireType::view_change; }
  WireType operator()(const ViewChangeStub&) const { return WireType::view_change; }
  WireType operator()(const NewViewPtr&) const { return WireType::new_view; }
  WireType operator()(const NewViewStub&) const { return WireType::new_view; }
};

struct Encoder {
  Writer& out;

  void operator()(const Core& m) { encode(out, m); }
  void operator()(const PrePrepare& m) {
    encode(out, m.core);
    put_body(out, m.body);
  }
  void operator()(const Vote& m) {
    encode(out, m.ballot);
    out.integer_of(m.replica);
    out.raw(m.signature);
  }
  void operator()(const Seal& m) {
    out.integer_of(m.height);
    out.raw(m.block_hash);
    out.integer_of(m.replica);
    out.raw(m.signature);
  }
  void operator()(const CheckpointVote& m) {
    encode(out, m.claim);
    out.integer_of(m.replica);
    out.raw(m.signature);
  }
  void operator()(const StatusReport& m);
  void operator()(const Fetch& m) { out.raw(m.id); }
  void operator()(const Data& m) { put_body(out, m.body); }
  void operator()(const CommitCertificate& m);
  void operator()(const CheckpointProof& m) { encode(out, m); }
  void operator()(const Suspect& m) { encode(out, m); }
  void operator()(const ViewChangePtr& m) { encode(out, *m); }
  void operator()(const ViewChangeStub& m) { encode(out, m); }
  void operator()(const NewViewPtr& m) { encode(out, *m); }
  void operator()(const NewViewStub& m) { encode(out, m); }
};

void Encoder::operator()(const StatusReport& m) {
  out.integer_of(m.view);
  out.integer_of(m.promise_view);
  out.integer_of(m.low_watermark);
  out.integer_of(m.last_executed);
  out.integer_of(m.last_committed);
  out.integer_of(m.sealed_to);
  out.raw(m.new_view);
  out.u8(m.starting ? 1 : 0);
  out.u64(m.life);
  out.u64(m.number);
  for (const std::uint64_t number : m.heard) out.u64(number);
  out.u32(static_cast<std::uint32_t>(m.slots.size()));
  for (const SlotReport& slot : m.slots) {
    out.u8(static_cast<std::uint8_t>((slot.pre_prepare ? 1U : 0U) | (slot.prepared ? 2U : 0U) |
                                     (slot.committed ? 4U : 0U)));
    slot.prepares.encode(out);
    slot.commits.encode(out);
  }
  out.u32(static_cast<std::uint32_t>(m.seals.size()));
  for (const ReplicaSet& seals : m.seals) seals.encode(out);
  out.u32(static_cast<std::uint32_t>(m.checkpoints.size()));
  for (const ReplicaSet& votes : m.checkpoints) votes.encode(out);
  m.view_changes.encode(out);
  m.suspects.encode(out);
  out.u8(m.witnesses ? 1 : 0);
  if (!m.witnesses) return;
  out.u32(static_cast<std::uint32_t>(m.witnesses->size()));
  for (const Witness& witness : *m.witnesses) encode_witness(out, witness);
}

void Encoder::operator()(const CommitCertificate& m) {
  out.integer_of(m.height);
  out.integer_of(m.view);
  out.u8(m.header ? 1 : 0);
  if (m.header) encode(out, *m.header);
  crypto::encode(out, m.commits);
}

PrePrepare decode_pre_prepare(Reader& in, const DecodeLimits& limits) {
  PrePrepare out;
  out.core = decode_core(in);
  out.body = decode_body(in, limits);
  return out;
}

Vote decode_vote(Reader& in, VoteKind kind) {
  Vote out{};
  out.kind = kind;
  out.ballot = decode_ballot(in);
  out.replica = in.integer_of<ReplicaId>();
  out.signature = in.fixed<Signature>();
  return out;
}

Seal decode_seal(Reader& in) {
  Seal out;
  out.height = in.integer_of<Height>();
  out.block_hash = in.fixed<Digest>();
  out.replica = in.integer_of<ReplicaId>();
  out.signature = in.fixed<Signature>();
  return out;
}

CheckpointVote decode_checkpoint_vote(Reader& in) {
  CheckpointVote out;
  out.claim = decode_claim(in);
  out.replica = in.integer_of<ReplicaId>();
  out.signature = in.fixed<Signature>();
  return out;
}

bool decode_flag(Reader& in) {
  const std::uint8_t value = in.u8();
  if (value > 1) in.reject("a flag that is neither 0 nor 1");
  return value == 1;
}

SlotReport decode_slot_report(Reader& in, std::uint32_t members) {
  SlotReport out;
  const std::uint8_t flags = in.u8();
  if (flags > 7) in.reject("unknown flags in a slot report");
  out.pre_prepare = (flags & 1U) != 0;
  out.prepared = (flags & 2U) != 0;
  out.committed = (flags & 4U) != 0;
  out.prepares = ReplicaSet::decode(in, members);
  out.commits = ReplicaSet::decode(in, members);
  return out;
}

std::vector<ReplicaSet> decode_sets(Reader& in, std::uint32_t max, std::uint32_t members) {
  std::vector<ReplicaSet> out;
  const std::uint32_t count = in.count(0, max, (members + 7) / 8);
  for (std::uint32_t i = 0; i < count; ++i) out.push_back(ReplicaSet::decode(in, members));
  return out;
}

StatusReport decode_status(Reader& in, std::uint32_t members) {
  StatusReport out;
  out.view = in.integer_of<View>();
  out.promise_view = in.integer_of<View>();
  out.low_watermark = in.integer_of<Height>();
  out.last_executed = in.integer_of<Height>();
  out.last_committed = in.integer_of<Height>();
  out.sealed_to = in.integer_of<Height>();
  out.new_view = in.fixed<Digest>();
  out.starting = decode_flag(in);
  out.life = in.u64();
  out.number = in.u64();
  for (std::uint32_t i = 0; i < members && in.ok(); ++i) out.heard.push_back(in.u64());
  const std::uint32_t slots = in.count(0, kSlotReportsMax, 1 + 2 * ((members + 7) / 8));
  for (std::uint32_t i = 0; i < slots; ++i) out.slots.push_back(decode_slot_report(in, members));
  out.seals = decode_sets(in, kSealReportsMax, members);
  out.checkpoints = decode_sets(in, kCheckpointReportsMax, members);
  out.view_changes = ReplicaSet::decode(in, members);
  out.suspects = ReplicaSet::decode(in, members);
  if (decode_flag(in)) {
    out.witnesses.emplace();
    const std::uint32_t witnesses = in.count(0, kWitnessesMax, 1);
    for (std::uint32_t i = 0; i < witnesses; ++i) out.witnesses->push_back(decode_witness(in));
  }
  return out;
}

CommitCertificate decode_commit_certificate(Reader& in, std::uint32_t members) {
  CommitCertificate out;
  out.height = in.integer_of<Height>();
  out.view = in.integer_of<View>();
  if (decode_flag(in)) {
    out.header = decode_proposal_header(in);
    if (out.header->height != out.height) in.reject("a certificate's header has another height");
  }
  out.commits = crypto::decode_signatures(in, members);
  return out;
}

Message decode_fields(WireType type, Reader& in, const DecodeLimits& limits) {
  switch (type) {
    case WireType::pre_prepare: return decode_pre_prepare(in, limits);
    case WireType::prepare:
    case WireType::commit: return decode_vote(in, static_cast<VoteKind>(type));
    case WireType::seal: return decode_seal(in);
    case WireType::checkpoint: return decode_checkpoint_vote(in);
    case WireType::status: return decode_status(in, limits.members);
    case WireType::fetch: return Fetch{in.fixed<Digest>()};
    case WireType::data: return Data{decode_body(in, limits)};
    case WireType::commit_certificate: return decode_commit_certificate(in, limits.members);
    case WireType::checkpoint_proof: return decode_checkpoint_proof(in, limits.members);
    case WireType::suspect: return decode_suspect(in);
    case WireType::view_change: return decode_view_change(in, limits);
    case WireType::new_view: return decode_new_view(in, limits);
  }
  in.reject("unknown message type " + std::to_string(static_cast<int>(type)));
  return Fetch{};
}

}  // namespace

// ---- parts ----

void encode(Writer& out, const Ballot& ballot) {
  out.integer_of(ballot.view);
  out.integer_of(ballot.height);
  out.raw(ballot.id);
}

void encode(Writer& out, const CheckpointClaim& claim) {
  out.integer_of(claim.height);
  out.raw(claim.digest);
  out.integer_of(claim.epoch_last);
}

void encode(Writer& out, const ProposalHeader& header) {
  out.integer_of(header.height);
  out.integer_of(header.time);
  out.raw(header.proposer);
  out.integer_of(header.orig_view);
  out.raw(header.payload_digest);
}

ProposalHeader decode_proposal_header(Reader& in) {
  ProposalHeader out;
  out.height = in.integer_of<Height>();
  out.time = in.integer_of<WallMs>();
  out.proposer = in.fixed<PublicKey>();
  out.orig_view = in.integer_of<View>();
  out.payload_digest = in.fixed<Digest>();
  return out;
}

void encode(Writer& out, const Core& core) {
  encode(out, core.ballot);
  out.raw(core.signature);
}

Core decode_core(Reader& in) {
  Core out;
  out.ballot = decode_ballot(in);
  out.signature = in.fixed<Signature>();
  return out;
}

void encode(Writer& out, const PreparedCertificate& certificate) {
  encode(out, certificate.core);
  crypto::encode(out, certificate.prepares);
}

PreparedCertificate decode_prepared_certificate(Reader& in, std::uint32_t members) {
  PreparedCertificate out;
  out.core = decode_core(in);
  out.prepares = crypto::decode_signatures(in, members);
  return out;
}

void encode(Writer& out, const CheckpointProof& proof) {
  encode(out, proof.claim);
  crypto::encode(out, proof.votes);
}

CheckpointProof decode_checkpoint_proof(Reader& in, std::uint32_t members) {
  CheckpointProof out;
  out.claim = decode_claim(in);
  out.votes = crypto::decode_signatures(in, members);
  return out;
}

void encode_witness(Writer& out, const Witness& witness) {
  out.u8(static_cast<std::uint8_t>(std::visit(WireTypeOf{}, witness)));
  std::visit(Encoder{out}, witness);
}

Witness decode_witness(Reader& in) {
  const auto type = static_cast<WireType>(in.u8());
  switch (type) {
    case WireType::pre_prepare: return decode_core(in);
    case WireType::prepare:
    case WireType::commit: return decode_vote(in, static_cast<VoteKind>(type));
    case WireType::seal: return decode_seal(in);
    case WireType::checkpoint: return decode_checkpoint_vote(in);
    case WireType::view_change: return decode_view_change_stub(in);
    case WireType::new_view: return decode_new_view_stub(in);
    default: in.reject("a witness that is not a signed message"); return Core{};
  }
}

// ---- messages ----

Bytes encode(Epoch epoch, const Message& message) {
  Writer out;
  out.u8(static_cast<std::uint8_t>(std::visit(WireTypeOf{}, message)));
  out.integer_of(epoch);
  std::visit(Encoder{out}, message);
  return std::move(out).take();
}

Result<Envelope> decode(ByteView bytes, const DecodeLimits& limits) {
  Reader in(bytes);
  const auto type = static_cast<WireType>(in.u8());
  Envelope out;
  out.epoch = in.integer_of<Epoch>();
  out.message = decode_fields(type, in, limits);
  QUORATE_CHECK(in.finish());
  return out;
}

Bytes encode_certificate(Epoch epoch, const CommitCertificate& certificate) {
  Writer out;
  out.integer_of(epoch);
  Encoder{out}(certificate);
  return std::move(out).take();
}

Result<std::pair<Epoch, CommitCertificate>> decode_certificate(ByteView bytes,
                                                               std::uint32_t members) {
  Reader in(bytes);
  const auto epoch = in.integer_of<Epoch>();
  CommitCertificate certificate = decode_commit_certificate(in, members);
  QUORATE_CHECK(in.finish());
  return std::pair{epoch, std::move(certificate)};
}

}  // namespace quorate::consensus::pbft
