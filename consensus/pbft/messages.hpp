// The messages of the PBFT engine: their fields, their one encoding, and the digests they sign.
//
// On the wire every message is
//   type u8 || epoch u64 || fields
// in the canonical encoding (crypto/codec). Signatures cover consensus_signing_digest() of the
// type, the chain, the epoch, the configuration and the fields, so bytes signed for one purpose
// mean nothing for another. Decoding checks form and caps only; MessageVerifier checks signatures.
// Plain values; any thread.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "consensus/engine.hpp"
#include "consensus/pbft/replica_set.hpp"
#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"
#include "crypto/base/strong_int.hpp"
#include "crypto/certificate/membership.hpp"
#include "crypto/certificate/seal.hpp"
#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"

namespace quorate::consensus::pbft {

// ---- proposals ----

using Payload = std::shared_ptr<const Bytes>;

// What a proposal's id hashes. A proposal keeps it, unchanged, when a later view proposes it again.
struct ProposalHeader {
  Height height;
  WallMs time;
  PublicKey proposer;
  View orig_view;  // the view in which it was proposed first
  Digest payload_digest;
  bool operator==(const ProposalHeader&) const = default;
};
constexpr std::size_t kProposalHeaderSize = 8 + 8 + 32 + 8 + 32;

// A proposal's header with the payload it commits to.
struct Body {
  ProposalHeader header;
  Payload payload;
};

// H("quorate/payload/1", payload).
Digest payload_digest(ByteView payload);
// H("quorate/prop/1", chain_id || epoch || header).
Digest proposal_id(const crypto::Membership& membership, const ProposalHeader& header);
// H("quorate/null/1", chain_id || epoch || height): the proposal without a body that a view change
// may put into a slot.
Digest null_id(const crypto::Membership& membership, Height height);

// ---- votes ----

// What a PRE-PREPARE, PREPARE or COMMIT is about.
struct Ballot {
  View view;
  Height height;
  Digest id;
  auto operator<=>(const Ballot&) const = default;
};

// The signed part of a PRE-PREPARE, by primary(view). The body travels beside it, unsigned.
struct Core {
  Ballot ballot;
  Signature signature;
};
struct PrePrepare {
  Core core;
  Body body;
};
enum class VoteKind : std::uint8_t { prepare = 2, commit = 3 };
struct Vote {
  VoteKind kind;
  Ballot ballot;
  ReplicaId replica;
  Signature signature;
};
struct Seal {
  Height height;
  Digest block_hash;
  ReplicaId replica;
  Signature signature;
};
// What q replicas agree on at a checkpoint. `epoch_last` is the last height of the epoch (the
// maximum while no new configuration is pending).
struct CheckpointClaim {
  Height height;
  Digest digest;
  Height epoch_last = Height::max();
  auto operator<=>(const CheckpointClaim&) const = default;
};
struct CheckpointVote {
  CheckpointClaim claim;
  ReplicaId replica;
  Signature signature;
};

// ---- certificates ----

// A PRE-PREPARE core and matching PREPAREs of q-1 replicas other than its primary.
struct PreparedCertificate {
  Core core;
  std::vector<crypto::ReplicaSignature> prepares;
};
// q COMMITs of one view for one proposal. With the payload it proves and gives all of a block's
// order. Without a header it is the null proposal of the height.
struct CommitCertificate {
  View view;
  Height height;
  std::optional<ProposalHeader> header;
  std::vector<crypto::ReplicaSignature> commits;
};
struct CheckpointProof {
  CheckpointClaim claim;
  std::vector<crypto::ReplicaSignature> votes;
};
Digest certified_id(const crypto::Membership& membership, const CommitCertificate& certificate);

// ---- view changes ----

// Not binding: "I would leave this view".
struct Suspect {
  View view;
  SuspicionReason reason;
  ReplicaId replica;
  Signature signature;
};
// Binding: its sender votes in no view below `view` any more. Carries what the next primary must
// keep: the last stable checkpoint (none at genesis) and P, one certificate per height above it.
struct ViewChange {
  View view;
  std::optional<CheckpointProof> stable;
  std::vector<PreparedCertificate> prepared;  // by height
  ReplicaId replica;
  Signature signature;

  Height low_watermark() const { return stable ? stable->claim.height : Height(0); }
};
using ViewChangePtr = std::shared_ptr<const ViewChange>;
// Opens a view: q VIEW-CHANGEs for it, and the proposals that compute_new_view makes of them, each
// signed as a PRE-PREPARE of the view. By primary(view).
struct NewView {
  View view;
  std::vector<ViewChangePtr> view_changes;  // by replica
  std::vector<Core> proposals;              // by height
  Signature signature;
};
using NewViewPtr = std::shared_ptr<const NewView>;

// Both are signed over a hash of what they carry, so that these few bytes prove that one was sent.
struct ViewChangeStub {
  View view;
  Digest content;
  ReplicaId replica;
  Signature signature;
};
struct NewViewStub {
  View view;
  Digest content;
  Signature signature;
};
ViewChangeStub stub_of(const ViewChange& message);
NewViewStub stub_of(const NewView& message);

// ---- retransmission ----

// What the sender holds for one height, so that others send only what is missing.
struct SlotReport {
  bool pre_prepare = false;  // with its body
  bool prepared = false;
  bool committed = false;
  ReplicaSet prepares;
  ReplicaSet commits;
};
// A message as proof that its signer sent it. Of a PRE-PREPARE the core is enough.
using Witness = std::variant<Core, Vote, Seal, CheckpointVote, ViewChangeStub, NewViewStub>;

// Not signed: believed only from the authenticated peer itself, and never part of a proof.
struct StatusReport {
  View view;
  View promise_view;
  Height low_watermark;
  Height last_executed;
  Height last_committed;
  Height sealed_to;
  Digest new_view;           // the content of the NEW-VIEW that opened `view`; zero in view 0
  bool starting = false;     // asks for `witnesses` before its first vote
  std::uint64_t life = 0;    // of whoever asks, in its question and in the answer to it
  std::uint64_t number = 0;  // one above that of the sender's STATUS before
  std::vector<std::uint64_t> heard;     // by replica: the number of the newest STATUS heard of it
  std::vector<SlotReport> slots;        // of heights last_committed + 1, + 2, ...
  std::vector<ReplicaSet> seals;        // of heights sealed_to + 1, + 2, ...
  std::vector<ReplicaSet> checkpoints;  // of the checkpoints above the low watermark
  ReplicaSet view_changes;  // whose VIEW-CHANGE for promise_view or above is here, while it waits
  ReplicaSet suspects;      // who suspects the primary of `view`
  // Present in the answer to a starting replica: the newest messages of each type, signed by it,
  // that the sender holds.
  std::optional<std::vector<Witness>> witnesses;
};
struct Fetch {
  Digest id;
};
struct Data {
  Body body;
};

// A commit certificate with its payload; made by block catch-up, never sent as such.
struct Committed {
  CommitCertificate certificate;
  Payload payload;  // empty for a null proposal
};

using Message =
    std::variant<PrePrepare, Vote, Seal, CheckpointVote, StatusReport, Fetch, Data,
                 CommitCertificate, CheckpointProof, Suspect, ViewChangePtr, NewViewPtr>;

struct Envelope {
  Epoch epoch;
  Message message;
};

// Caps that hold before anything is allocated.
struct DecodeLimits {
  std::uint32_t members = 0;
  std::uint32_t payload_bytes_max = 0;
  std::uint32_t window = 1U << 21U;  // L: the certificates of one VIEW-CHANGE
};
constexpr std::uint32_t kSlotReportsMax = 256;
constexpr std::uint32_t kSealReportsMax = 256;
constexpr std::uint32_t kCheckpointReportsMax = 4;
constexpr std::uint32_t kWitnessesMax = 8;

Bytes encode(Epoch epoch, const Message& message);
Result<Envelope> decode(ByteView bytes, const DecodeLimits& limits);

// Parts that records, certificates and signed digests share with messages.
void encode(crypto::Writer& out, const Ballot& ballot);
void encode(crypto::Writer& out, const CheckpointClaim& claim);
void encode(crypto::Writer& out, const ProposalHeader& header);
ProposalHeader decode_proposal_header(crypto::Reader& in);
void encode(crypto::Writer& out, const Core& core);
Core decode_core(crypto::Reader& in);
void encode(crypto::Writer& out, const PreparedCertificate& certificate);
PreparedCertificate decode_prepared_certificate(crypto::Reader& in, std::uint32_t members);
void encode(crypto::Writer& out, const CheckpointProof& proof);
CheckpointProof decode_checkpoint_proof(crypto::Reader& in, std::uint32_t members);
void encode(crypto::Writer& out, const Suspect& message);
Suspect decode_suspect(crypto::Reader& in);
void encode(crypto::Writer& out, const ViewChange& message);
ViewChangePtr decode_view_change(crypto::Reader& in, const DecodeLimits& limits);
void encode(crypto::Writer& out, const NewView& message);
NewViewPtr decode_new_view(crypto::Reader& in, const DecodeLimits& limits);
void encode(crypto::Writer& out, const ViewChangeStub& stub);
ViewChangeStub decode_view_change_stub(crypto::Reader& in);
void encode(crypto::Writer& out, const NewViewStub& stub);
NewViewStub decode_new_view_stub(crypto::Reader& in);
// A type u8 as on the wire, then the fields of the message.
void encode_witness(crypto::Writer& out, const Witness& witness);
Witness decode_witness(crypto::Reader& in);
// No VIEW-CHANGE or NEW-VIEW of such an epoch is longer.
std::size_t view_message_bytes_max(const DecodeLimits& limits, std::uint32_t quorum);

// A commit certificate as it is stored with its block: epoch u64, height u64, view u64, kind u8
// (0 null, 1 proposal), the header unless null, the signatures.
Bytes encode_certificate(Epoch epoch, const CommitCertificate& certificate);
Result<std::pair<Epoch, CommitCertificate>> decode_certificate(ByteView bytes,
                                                               std::uint32_t members);

// ---- signed digests ----

Digest core_signing_digest(const crypto::Membership& membership, const Ballot& ballot);
Digest vote_signing_digest(const crypto::Membership& membership, VoteKind kind,
                           const Ballot& ballot);
Digest checkpoint_signing_digest(const crypto::Membership& membership,
                                 const CheckpointClaim& claim);
Digest suspect_signing_digest(const crypto::Membership& membership, View view,
                              SuspicionReason reason);
Digest view_change_signing_digest(const crypto::Membership& membership, const ViewChangeStub& stub);
Digest new_view_signing_digest(const crypto::Membership& membership, const NewViewStub& stub);

}  // namespace quorate::consensus::pbft
