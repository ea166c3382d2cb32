// What the replica needs from the world, as interfaces. node/runtime and node/net implement them
// with threads, disks and sockets; tests/sim implements them over one heap of events in virtual
// time. Every call returns at once; what takes time answers later with a ReplicaInput
// (replica.hpp). All calls come from the thread that steps the replica.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "consensus/engine.hpp"
#include "ledger/chain.hpp"

namespace quorate::node {

// Frames to peers, by class so that one class cannot starve another.
enum class TrafficClass : std::uint8_t { consensus = 1, sync = 2, transactions = 3 };

class Transport {
 public:
  virtual ~Transport() = default;
  // `to` empty = every connected peer. May drop (queues are bounded); the protocol retransmits.
  virtual void send(std::optional<ReplicaId> to, TrafficClass traffic, Bytes body) = 0;
  // Ends the connection and logs the reason; the peer may come back.
  virtual void disconnect(ReplicaId peer, const std::string& reason) = 0;
};

class VoteLog {
 public:
  virtual ~VoteLog() = default;
  // FIFO. Answers VotesPersisted once this record and all before it are durable.
  virtual void append(consensus::PersistToken token, Bytes record, bool snapshot) = 0;
};

// The ledger went wrong at `height`, as q signatures of others prove.
struct LedgerReplacement {
  Height height;
  Height executed_to;  // no height above it was ever handed to this ledger
  std::string reason;
};

class Executor {
 public:
  virtual ~Executor() = default;
  // FIFO. Answers BlocksExecuted once durable.
  virtual void execute(ledger::OrderedBlock block) = 0;
  // In the same FIFO: takes the blocks above `height` back. Those of them that are not executed yet
  // need not be. Answers LedgerRewound once durable.
  virtual void rewind(Height height) = 0;
  virtual void store_seals(Height height, std::vector<crypto::ReplicaSignature> seals) = 0;
  // Answers PayloadLoaded.
  virtual void load_payload(Digest id) = 0;
  // Answers CertificatesLoaded.
  virtual void load_certificates(Height first, std::uint32_t count) = 0;
  // Reads up to `blocks_max` stored blocks from `from` on, within `bytes_max` (at least one block),
  // and answers BlocksRead.
  virtual void read_blocks(ReplicaId for_peer, Height from, std::uint32_t blocks_max,
                           std::size_t bytes_max) = 0;
  // The last call of this replica's life. The host ends it, moves the ledger aside, never the vote
  // log, and starts the replica anew with an empty ledger and ReplicaStarted::executed_before =
  // executed_to, also when the machine crashes on the way.
  virtual void replace_ledger(LedgerReplacement replacement) = 0;
};

// Searches nonces, for engines that order by work.
class Miner {
 public:
  virtual ~Miner() = default;
  // Answers WorkFound, once, unless it is cancelled or replaced by the next start before.
  virtual void start(consensus::WorkToken token, Bytes puzzle) = 0;
  virtual void cancel(consensus::WorkToken token) = 0;
  // Client work waits to be executed or buried, or no longer. For whoever would mine for it alone.
  virtual void pending(bool waits) = 0;
};

class PayloadChecker {
 public:
  virtual ~PayloadChecker() = default;
  // Decodes the payload and checks every transaction's signature off-thread. Answers
  // PayloadChecked.
  virtual void check(Digest id, Height height, Bytes payload) = 0;
};

// A client's submission waits for its ticket to be answered exactly once.
using Ticket = StrongInt<struct TicketTag, std::uint64_t>;

// Why a transaction was not admitted; `detail` is for people, expected/got for nonce and funds.
struct Refusal {
  ledger::Reason reason = ledger::Reason::none;
  std::string detail;
  std::optional<std::uint64_t> expected;
  std::optional<std::uint64_t> got;
};

class Clients {
 public:
  virtual ~Clients() = default;
  // Answer of TransactionsSubmitted: one entry per transaction, none = admitted (or already known).
  virtual void admitted(Ticket ticket, std::vector<std::optional<Refusal>> results) = 0;
};

// What is worth a log line, a metric or a subscription event. Never needed for correctness.
struct Notice {
  enum class Kind : std::uint8_t {
    progress,            // height, view, phase
    block_executed,      // block, agreed_in
    blocks_withdrawn,    // withdrawn, blocks, transactions, dropped; height: the ledger's from now
    block_sealed,        // height
    certificate_stored,  // height: its seals are in the store; comes from the execute thread
    transaction_pooled,  // transaction
    message_rejected,    // peer, text
    equivocation,        // peer, text, proof
    sync_started,
    sync_finished,  // height
    halted,         // text
    diverged,       // height, text: the ledger is replaced
  };
  Kind kind;
  std::optional<ReplicaId> peer;
  Height height;
  View view;
  std::optional<consensus::Progress::Phase> phase;
  std::uint64_t blocks = 0;        // of progress, as there; how many were withdrawn
  std::uint64_t transactions = 0;  // in all blocks that were withdrawn
  std::uint64_t dropped = 0;       // of those and of what waited: found no room in the mempool
  std::optional<View> agreed_in;   // the view of the commit certificate, where there are views
  std::shared_ptr<const ledger::ExecutedBlock> block;
  std::shared_ptr<const std::vector<ledger::WithdrawnBlock>>
      withdrawn;  // the lowest, as ledger::Rewound
  ledger::TransactionPtr transaction;
  std::string text;
  Bytes proof;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void notice(const Notice& notice) = 0;
};

struct Ports {
  Transport& transport;
  VoteLog& vote_log;
  Executor& executor;
  PayloadChecker& payload_checker;
  Clients& clients;
  Observer& observer;
  Miner* miner = nullptr;  // null: this node does not mine
};

}  // namespace quorate::node
