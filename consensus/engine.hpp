// The one interface of every ordering engine.
//
// An engine is a deterministic state machine: it owns no thread, socket, file, clock, log or random
// source. The host calls step() from a single thread, performs the outputs in order and feeds the
// completions back as later events. Payloads are opaque: the engine orders them, the ledger
// executes them, and neither knows the other.
//
// Contract:
//  1. step never blocks, throws, logs, reads a clock or draws randomness. Bad messages give
//  Rejected.
//  2. Every request output (Persist, RequestProposal, Validate, Commit, LoadPayload,
//     LoadCertificates, RequestSync, Rewind) gets exactly one answer, unless it was cancelled (a
//     RequestProposal by CancelProposal, a Commit by a Rewind below it).
//  3. The host must not release a Send before Persisted{*after}; the vote log is FIFO.
//  4. There is one timer: next_deadline(). At or after it the host sends Ticked. Deadlines are
//  engine
//     state, so a stale timer cannot exist.
//  5. Every message was verified, certificates inside it included, before it reaches step: only a
//     MessageVerifier makes a VerifiedMessage.
//  6. The host answers Commit in order of height, once the block is durable. An Executed that
//     arrives between Rewind and Rewound belongs to what was withdrawn and counts for nothing.
//  7. What a host must know of an engine beyond these events stands in its EngineTraits; a host
//     never asks for an engine's name.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crypto/base/bytes.hpp"
#include "crypto/base/instant.hpp"
#include "crypto/base/result.hpp"
#include "crypto/base/strong_int.hpp"
#include "crypto/certificate/seal.hpp"

namespace quorate::consensus {

using PersistToken = StrongInt<struct PersistTokenTag, std::uint64_t>;  // increases by one
using WorkToken = StrongInt<struct WorkTokenTag, std::uint64_t>;        // increases

// A message whose signatures hold. Each engine derives its own; the base keeps it opaque to hosts.
class VerifiedMessage {
 public:
  virtual ~VerifiedMessage() = default;
  // For logs and metrics: "prepare", "commit", ... A name of the engine's, with static lifetime.
  virtual const char* type_name() const = 0;
  // No signature stands behind it, so it costs its sender nothing to make: hosts bound how many of
  // these they take from one peer. Correct replicas send a few hundred a second at the very most.
  virtual bool is_unsigned() const { return false; }
};
using VerifiedMessagePtr = std::shared_ptr<const VerifiedMessage>;

// ---- in ----

// First event of a life. `durable` holds what Persist wrote, oldest first, from the newest
// snapshot.
struct Started {
  std::vector<Bytes> durable;
  Height applied;     // the ledger's head
  Digest applied_id;  // its payload id; zero at genesis
  Digest block_hash;
  Digest checkpoint_digest;  // of the head, as in Executed
  // The stored commit certificates of the newest heights up to `applied`, oldest first: what a
  // later view proposes for those heights is judged by them.
  std::vector<Bytes> certificates = {};
  // The block hashes of the same heights.
  std::vector<Digest> block_hashes = {};
  Digest genesis_hash = {};  // the block hash of height 0
  bool observer = false;     // true: follow and execute, never vote
  // The ledger was replaced after Diverged: heights up to this one were executed before. They are
  // executed again and never sealed or checkpointed again, and until then nothing is voted for.
  Height executed_before;
  // No other life of this replica has it: answers to an earlier life's questions do not count.
  std::uint64_t life = 1;
};
struct MessageReceived {
  ReplicaId from;  // the transport peer, which may relay for another replica
  VerifiedMessagePtr message;
};
// Answers RequestProposal. The payload is statically valid and within the chain's caps.
struct ProposalReady {
  Height height;
  View view;
  Bytes payload;
  Digest payload_digest;
};
// Answers Validate: the host has every byte of the payload and it is statically valid, or not.
struct Validated {
  Digest id;
  bool valid = false;
};
struct Persisted {
  PersistToken token;
};
// Answers Commit, once the block is durable.
struct Executed {
  Height height;
  Digest id;
  Digest block_hash;
  Digest checkpoint_digest;
  bool empty = false;  // without a transaction: no progress for whoever waits
};
// Answers Rewind: the ledger stands at this height again, durably, and executes from there.
struct Rewound {
  Height height;
};
// Answers StartWork: this nonce solves the puzzle. Work that was cancelled gets no answer, or one
// that came too late.
struct WorkFound {
  WorkToken token;
  std::uint64_t nonce = 0;
};
// Answers LoadPayload: a payload that left the engine's memory, with its commit certificate.
struct PayloadLoaded {
  struct Body {
    Bytes payload;
    Bytes commit_certificate;
  };
  Digest id;
  std::optional<Body> body;
};
// Answers LoadCertificates: the stored commit certificates of `first` and the heights behind it, as
// far as the ledger has them.
struct CertificatesLoaded {
  Height first;
  std::vector<Bytes> certificates;
};
// Answers RequestSync: the round of block catch-up that it asked for has ended, for better or
// worse. The blocks themselves arrive as commit certificates with their payloads (MessageReceived).
struct SyncFinished {
  Height height;
};
// The host holds q verified seals of this height that are not for the block executed here.
struct DivergenceFound {
  Height height;
};
// Client work that could be proposed waits in the host, or no longer.
struct PendingChanged {
  bool eligible = false;
};
enum class SuspicionReason : std::uint8_t {
  progress = 1,
  censorship = 2,
  throughput = 3,
  equivocation = 4,
  late_proposals = 5,  // proposal after proposal whose time lies far in the past
};
constexpr const char* to_string(SuspicionReason reason) {
  switch (reason) {
    case SuspicionReason::progress: return "progress";
    case SuspicionReason::censorship: return "censorship";
    case SuspicionReason::throughput: return "throughput";
    case SuspicionReason::equivocation: return "equivocation";
    case SuspicionReason::late_proposals: return "late_proposals";
  }
  return "unknown";
}
// The host judges censorship and throughput, since payloads are opaque here.
struct PrimarySuspected {
  View view;
  SuspicionReason reason;
};
struct Ticked {};

using Input = std::variant<Started, MessageReceived, ProposalReady, Validated, Persisted, Executed,
                           Rewound, WorkFound, PayloadLoaded, CertificatesLoaded, SyncFinished,
                           DivergenceFound, PendingChanged, PrimarySuspected, Ticked>;
struct Event {
  Instant now;  // monotonic
  WallMs wall;  // judges proposal times only
  Input input;
};

// ---- out ----

// Append to the vote log. A snapshot replaces everything before it once it is durable.
struct Persist {
  PersistToken token;
  Bytes record;
  bool snapshot = false;
};
// `to` empty = every other replica. `after` = hold back until that token is durable.
struct Send {
  std::optional<ReplicaId> to;
  Bytes message;
  std::optional<PersistToken> after;
  const char* type = "";  // as VerifiedMessage::type_name
};
// Ask for the next payload. `ahead` lists the ids of payloads proposed above the ledger's head,
// whose transactions must not be repeated. The host answers when it has work (or at once if
// allow_empty).
struct RequestProposal {
  Height height;
  View view;
  bool allow_empty = false;
  std::vector<Digest> ahead;
};
struct CancelProposal {
  Height height;
  View view;
};
// `payload_digest` is what ProposalReady carried for it; `id` is the id of the whole proposal.
struct Validate {
  Height height;
  Digest id;
  Bytes payload;
};
// Execute this payload next. Heights come without gaps, each exactly once in a life unless a Rewind
// lies between.
struct Commit {
  Height height;
  Digest id;
  WallMs proposed_time;  // 0 for a null payload
  PublicKey proposer;    // zero for a null payload
  Bytes payload;         // empty for a null payload
  Bytes commit_certificate;
  std::optional<View> view = {};  // in which it was agreed on; none where there are no views
};
// The order above `height` was withdrawn, although the ledger may have executed it: another branch
// has outweighed it. The ledger goes back to the state after `height`; the Commits of the other
// branch follow behind Rewound. Cancels every unanswered Commit above `height`.
struct Rewind {
  Height height;
};
// The payloads that are ordered for now above the last Commit, lowest height first, without a gap:
// the first stands one above it. A later event may order others in their place. For status pages
// and for clients who want to know early; needs no answer.
struct TentativeOrder {
  std::vector<Digest> ids;
  std::vector<Bytes> certificates = {};  // that each would be committed with
};
// Search a nonce for this puzzle (EngineParts::puzzle_solver) until WorkFound, CancelWork or the
// next StartWork, which replaces it.
struct StartWork {
  WorkToken token;
  Bytes puzzle;
};
struct CancelWork {
  WorkToken token;
};
// A quorum sealed the block of this height.
struct Sealed {
  Height height;
  Digest block_hash;
  std::vector<crypto::ReplicaSignature> seals;
};
struct LoadPayload {
  Digest id;
};
// The stored commit certificates of up to `count` heights from `first` on.
struct LoadCertificates {
  Height first;
  std::uint32_t count = 0;
};
// A quorum is ahead of this replica: fetch committed payloads above `above` from peers and feed
// them in as messages. `evidence` is a height that signatures prove to exist, never a peer's claim.
struct RequestSync {
  Height above;
  Height evidence;
};
// A bad or useless message: for metrics and for disconnecting a peer that sends many.
struct Rejected {
  ReplicaId from;
  std::string reason;
};
// Two signed contents where a correct replica signs one. `proof` is self-contained.
struct Evidence {
  ReplicaId culprit;
  std::string what;
  Bytes proof;
};
// A contradiction that cannot happen with at most f faulty replicas, or a damaged durable record.
// The host stops voting and tells the operator.
struct Halt {
  std::string reason;
};
// A quorum proved that this replica's ledger went wrong at `height`. The engine does nothing any
// more. The host ends this life, moves the ledger aside, never the vote log, and starts the next
// one with an empty ledger and `executed_before = executed_to`, also if it crashes on the way.
struct Diverged {
  Height height;
  Height executed_to;  // no height above it was ever handed to the ledger
  std::string reason;
};
// A step worth a log line or a metric; never needed for correctness.
struct Progress {
  enum class Phase : std::uint8_t {
    proposed,
    pre_prepared,
    prepared,
    committed,
    executed,
    sealed,
    checkpoint_stable,
    view_left,        // a VIEW-CHANGE for `view` was sent
    view_entered,     // the NEW-VIEW of `view` was accepted
    suspected,        // this replica began to suspect the primary of `view`
    mined,            // this replica found a block of `height`
    branch_switched,  // the preferred branch changed: `height` is the last one that both share
    parted,           // peers have more work on a branch that parts from the own one at `height`,
                      // which is too far below to be taken back (Status::Branch::parted_at)
    reunited          // they have not any more
  };
  Phase phase;
  Height height;
  View view;
  const char* cause = "";    // of view_left and suspected: "progress", "censorship", "joined", ...
  std::uint64_t blocks = 0;  // of branch_switched: how many left the preferred branch
};

// The primary makes no progress although client work waits: hand the oldest of it to everybody once
// more, before this replica suspects. Needs no answer.
struct RelayPending {};

using Output =
    std::variant<Persist, Send, RequestProposal, CancelProposal, Validate, Commit, Rewind,
                 TentativeOrder, StartWork, CancelWork, Sealed, LoadPayload, LoadCertificates,
                 RequestSync, Rejected, Evidence, Halt, Diverged, Progress, RelayPending>;

// For status pages; a copy, made on the calling thread. Instants are on the clock of the events.
struct Status {
  // Somebody who would leave `view`.
  struct Suspicion {
    ReplicaId replica;
    SuspicionReason reason;
    Instant until;  // when it is forgotten, unless it is repeated
  };
  // The highest view above the active one that a replica asked for.
  struct ViewChangeSeen {
    ReplicaId replica;
    View view;
  };
  // What happens next if nothing else does: "progress" the primary is suspected, "new_view" the
  // promised view is given up for the next, "resend" the own VIEW-CHANGE goes out again, "calm" the
  // timeout shrinks, "status" STATUS is sent, "sync" blocks are asked for.
  struct Timer {
    const char* name;
    Instant due;
  };
  // Of an engine that orders by work.
  struct Branch {
    Height tip;  // of the preferred branch, all of it validated
    Digest tip_id;
    Height best_header;  // of the branch that weighs most, perhaps not fetched yet
    Digest best_header_id;
    // Peers have proved more work than this replica's on a branch that parts from the own one here,
    // too far below to be taken back: people must help.
    std::optional<Height> parted_at;
    std::uint64_t tip_time_s = 0;       // seconds since 1970
    std::uint32_t bits = 0;             // of the next block
    std::uint64_t expected_hashes = 0;  // for the next block, saturating
    std::uint64_t blocks_mined = 0;     // here, in this life
    std::uint64_t stale_blocks = 0;     // seen and not on the preferred branch
    std::uint64_t branch_switches = 0;  // that took blocks back
    std::uint64_t deepest_switch = 0;   // in blocks
    std::uint64_t rewinds = 0;
    std::size_t orphans = 0;
    bool mining = false;
  };
  Epoch epoch;
  View view;
  View promise_view;
  ReplicaId primary;  // of `view`
  Height last_executed;
  Height last_committed;
  Height sealed_to;  // every height up to it has a block certificate here
  Height low_watermark;
  Height high_watermark;
  Height highest_evidence;  // the highest height that signatures prove to be committed
  // A replaced ledger is filled again up to here before this replica votes; 0 = it is not.
  Height executing_again_to;
  bool starting = false;  // asks its peers what they hold of it and votes for nothing yet
  bool changing = false;  // `promise_view` is asked for and not open yet
  std::vector<Suspicion> suspicions;         // of `view`, the own one included
  std::vector<ViewChangeSeen> view_changes;  // the own one included
  Duration view_timeout{0};                  // how long a view may go without progress
  std::uint32_t timeout_level = 0;           // how often it was doubled
  std::vector<Timer> timers;                 // armed ones only
  // By replica: since when something that this one said has no answer of it. None where everything
  // is answered; empty where nothing asks for answers.
  std::vector<std::optional<Instant>> unanswered;
  // Executed by others, as far as more of them say so than may lie. For people: nothing is signed.
  Height claimed_height;
  const char* untimed = "";  // why no progress is expected of the primary; empty while it is
  bool observer = false;
  std::string observer_reason;
  std::optional<Branch> branch;
};

// What a host must know of an engine to serve people, beyond the events. Constant for a chain.
struct EngineTraits {
  // True: an executed block becomes final by Sealed. False: its Commit made it final, as far as
  // anything does.
  bool seals = true;
  // So many replicas must be connected, this one included, before anything can become final.
  std::uint32_t connected_min = 1;
  // A replica that runs says something at least twice in this time, work or not: one that is
  // connected and silent for so long cannot be counted on. 0: replicas may be silent.
  Duration silence_max{0};
  // And answers within this time (Status::unanswered), unless the line between them is slow: then
  // what it says is older than that. 0: nothing asks for answers.
  Duration answer_max{0};
  // A payload is committed when so many blocks stand on it, its own included. 0: commits do not
  // depend on depth and are never withdrawn.
  std::uint32_t commit_depth = 0;
  // Started::certificates holds those of so many of the newest heights.
  std::uint64_t history = 0;
  bool mines = false;  // asks for work
  // What the vote log holds binds this replica's key: whoever lost it must not vote again.
  bool log_binds = true;
};

// Searches nonces for the puzzles of an engine's StartWork. Stateless; any thread.
class PuzzleSolver {
 public:
  virtual ~PuzzleSolver() = default;
  // Tries `count` nonces from `first` on and gives the first that solves the puzzle, if one does.
  virtual std::optional<std::uint64_t> search(ByteView puzzle, std::uint64_t first,
                                              std::uint64_t count) const = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  // Appends to `out`.
  virtual void step(const Event& event, std::vector<Output>& out) = 0;
  virtual std::optional<Instant> next_deadline() const = 0;
  virtual Status status() const = 0;
  // Bytes held for messages, votes and payloads: the simulator asserts a bound on it.
  virtual std::size_t memory_bytes() const = 0;
};

// What a commit certificate proves: that `payload_digest` was ordered at `height`.
struct CommittedPayload {
  Height height;
  Digest id;
  WallMs proposed_time;
  PublicKey proposer;
  Digest payload_digest;
};

// Two contents that one replica signed where a correct one signs a single one.
struct ProvedOffence {
  struct SignedContent {
    std::string type;      // as VerifiedMessage::type_name
    Bytes content;         // what tells it from the other one: an id, a hash or a claim
    Digest signed_digest;  // what the signature covers
    Signature signature;
  };
  ReplicaId culprit;
  std::optional<View> view;
  std::optional<Height> height;
  std::array<SignedContent, 2> contents;
};

// Checks messages before the engine sees them. Stateless; any thread.
class MessageVerifier {
 public:
  virtual ~MessageVerifier() = default;
  // `from` is the authenticated transport peer. Errors: bad_encoding, bad_signature,
  // limit_exceeded.
  virtual Result<VerifiedMessagePtr> verify(ReplicaId from, ByteView message) const = 0;
  // A commit certificate alone, or with its payload as the message that block catch-up feeds in.
  virtual Result<CommittedPayload> verify_commit_certificate(ByteView certificate) const = 0;
  virtual Result<VerifiedMessagePtr> verify_committed(ByteView certificate,
                                                      Bytes payload) const = 0;
  // The digest of a payload as ProposalReady carries it.
  virtual Digest payload_digest(ByteView payload) const = 0;
  // The proof of an Evidence output; it convinces whoever knows the chain's configuration.
  virtual Result<ProvedOffence> verify_evidence(ByteView proof) const = 0;
  // No message of this chain is longer.
  virtual std::size_t message_bytes_max() const = 0;
};

// Checks a whole stored order, where one commit certificate alone does not prove its own place in
// it. Owned by one thread.
class OrderAudit {
 public:
  virtual ~OrderAudit() = default;
  // The commit certificates of heights 1, 2, 3, ... Errors: bad_encoding, bad_signature, corrupt.
  virtual Result<CommittedPayload> next(ByteView certificate) = 0;
};

}  // namespace quorate::consensus
