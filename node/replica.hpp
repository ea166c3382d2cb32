// The replica: ordering engine, mempool, block builder and catch-up behind one sans-IO step. It
// owns no clock, socket, file, thread or randomness; the node's runtime and the simulator drive
// this very class through the ports. Not thread-safe: one thread owns it.
//
// The replica enforces durable-before-send: a consensus message that waits for the vote log is
// handed to the transport only after VotesPersisted.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "consensus/factory.hpp"
#include "ledger/chain.hpp"
#include "node/mempool.hpp"
#include "node/peer_messages.hpp"
#include "node/ports.hpp"
#include "node/tentative_blocks.hpp"

namespace quorate::node {

// ---- in ----

// The newest heights of a chain, oldest first.
struct NewestBlocks {
  std::vector<Bytes> certificates;  // commit certificates
  std::vector<Digest> block_hashes;
  Digest genesis_hash = {};
};
// As many as the engine asks for (EngineTraits::history). Errors: io, corrupt.
Result<NewestBlocks> newest_blocks(const ledger::Chain& chain, std::uint64_t history);

struct ReplicaStarted {
  std::vector<Bytes> vote_log;  // records since the newest snapshot, oldest first
  ledger::Head head;
  Digest checkpoint_digest;    // of the head
  ledger::StateViewPtr state;  // at the head
  NewestBlocks newest = {};    // newest_blocks() of the chain
  bool observer = false;       // follow, never vote
  std::string observer_reason;
  Height executed_before;  // by a ledger that was replaced; consensus::Started says more
  std::uint64_t life = 1;  // random: no other life of this node has it
};
// A frame from a peer, verified off-thread by verify_peer_message.
struct PeerMessageReceived {
  ReplicaId from;
  PeerMessage message;
};
struct PeerConnected {
  ReplicaId peer;
};
struct PeerDisconnected {
  ReplicaId peer;
};
// From a client of this node, verified. Answered through Clients::admitted.
struct TransactionsSubmitted {
  Ticket ticket;
  std::vector<ledger::TransactionPtr> transactions;
};
struct VotesPersisted {
  consensus::PersistToken token;
};
struct BlocksExecuted {
  std::vector<ledger::ExecutedBlock> blocks;
};
// Answers Executor::rewind.
struct LedgerRewound {
  ledger::Rewound rewound;
};
struct WorkFound {
  consensus::WorkToken token;
  std::uint64_t nonce = 0;
};
struct PayloadChecked {
  Digest id;
  Height height;
  std::optional<std::vector<ledger::TransactionPtr>> transactions;  // none = invalid
};
struct PayloadLoaded {
  Digest id;
  std::optional<consensus::PayloadLoaded::Body> body;
};
struct CertificatesLoaded {
  Height first;
  std::vector<Bytes> certificates;
};
// Of up to `count` heights from `first` on, as far as the chain goes. Errors: io, corrupt.
Result<CertificatesLoaded> load_certificates(const ledger::Chain& chain, Height first,
                                             std::uint32_t count);
struct BlocksRead {
  ReplicaId for_peer;
  std::vector<ServedBlock> blocks;
};
struct ReplicaTicked {};

using ReplicaInput =
    std::variant<ReplicaStarted, PeerMessageReceived, PeerConnected, PeerDisconnected,
                 TransactionsSubmitted, VotesPersisted, BlocksExecuted, LedgerRewound, WorkFound,
                 PayloadChecked, PayloadLoaded, CertificatesLoaded, BlocksRead, ReplicaTicked>;

struct ReplicaEvent {
  Instant now;
  WallMs wall;
  ReplicaInput input;
};

// ---- configuration and state ----

struct ReplicaConfig {
  ledger::Genesis genesis;
  std::optional<ReplicaId> self;
  Duration batch_delay = std::chrono::milliseconds(0);
  MempoolLimits mempool;
};

// Of one type, since the start. A broadcast counts once for each peer.
struct MessageCount {
  std::string_view type;
  std::uint64_t in = 0;
  std::uint64_t out = 0;
};

struct ReplicaStatus {
  consensus::Status consensus;
  ledger::Head head;
  Height target;  // the highest height that signatures prove; head == target when synced
  bool syncing = false;
  std::uint32_t peers = 0;  // validators besides this node
  std::uint32_t peers_connected = 0;
  std::uint32_t peers_silent = 0;  // of these, though they should have said something
  std::uint32_t peers_late = 0;    // of these, not silent: what they say comes too late to count
  std::vector<MessageCount> messages;
  std::uint64_t rewind_dropped = 0;  // transactions that found no room after a rewind
  // Proposals asked for above a payload that this host does not have, so that a transaction of it
  // might be proposed once more: there must be none.
  std::uint64_t blind_proposals = 0;
  std::string halted;  // the contradiction that stopped this replica, if one did
  // Synced, allowed to vote, and as many are connected, not silent and not late as it takes to
  // commit.
  bool ready = false;
  std::string not_ready_reason;  // for people; empty when ready
};

// What its people do when the peers of a node are on another chain (Status::Branch::parted_at).
inline constexpr const char* kPartedRemedy =
    "stop this node, move what it has aside (mv data data-aside in its home, never keys) and start "
    "it: it then fetches their chain";

class Replica {
 public:
  // `parts` from consensus::make_engine. The ports must outlive the replica.
  Replica(ReplicaConfig config, consensus::EngineParts parts, Ports ports);
  ~Replica();

  // The first event is ReplicaStarted.
  void step(const ReplicaEvent& event);
  // When ReplicaTicked is due, at the latest.
  std::optional<Instant> next_deadline() const;

  ReplicaStatus status() const;
  const Mempool& mempool() const;
  // The state after the newest executed block.
  const ledger::StateViewPtr& state() const;
  // Where a transaction stands in the tentative order: the lowest block above the executed head
  // that has it. None on chains whose order is not tentative.
  std::optional<Height> tentative_height(const Digest& transaction_id) const;
  // The blocks above the executed head, unless others take their place. None there likewise.
  TentativeBranch tentative_branch() const;
  std::size_t memory_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::node
