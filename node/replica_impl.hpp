// The inside of the replica, shared by replica.cpp (events in), replica_outputs.cpp (what the
// engine asks for), replica_rewind.cpp (an order that is tentative) and replica_status.cpp (what it
// says of itself). Nothing else includes this.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "node/block_builder.hpp"
#include "node/catch_up.hpp"
#include "node/primary_watch.hpp"
#include "node/relay.hpp"
#include "node/replica.hpp"
#include "node/tentative_blocks.hpp"

namespace quorate::node {

// Whether `payload` is the encoding of exactly these transactions, without encoding them again.
bool is_payload_of(ByteView payload, const std::vector<ledger::TransactionPtr>& transactions);

struct Replica::Impl {
  Impl(ReplicaConfig config, consensus::EngineParts parts, Ports ports);

  // ---- replica.cpp: events in ----
  void step(const ReplicaEvent& event);
  void on(const ReplicaStarted& started);
  void on(const PeerMessageReceived& received);
  void on(const PeerConnected& connected);
  void on(const PeerDisconnected& disconnected);
  void on(const TransactionsSubmitted& submitted);
  void on(const VotesPersisted& persisted);
  void on(const BlocksExecuted& executed);
  void on(const LedgerRewound& answer);
  void on(const WorkFound& found);
  void on(const PayloadChecked& checked);
  void on(const PayloadLoaded& loaded);
  void on(const CertificatesLoaded& loaded);
  void on(const BlocksRead& read);
  void on(const ReplicaTicked&) {}
  void on_message(ReplicaId from, const ConsensusMessage& message);
  void on_message(ReplicaId from, const RelayedTransactions& relayed);
  void on_message(ReplicaId from, const BlocksRequest& request);
  void on_message(ReplicaId from, const BlocksResponse& response);
  void on_block(const ledger::ExecutedBlock& block);
  std::optional<Refusal> admit(const ledger::TransactionPtr& transaction);
  // Whatever became due or possible through this event.
  void run_due();
  void deliver_blocks();
  void answer_proposal();
  void tell_pending();
  bool watches_primary() const;
  void watch_primary();
  std::optional<PrimaryWatch::Content> proposed_content(Height height) const;
  void relay_oldest();
  std::optional<Instant> next_deadline() const;
  std::size_t memory_bytes() const;

  // ---- replica_status.cpp: what it says of itself ----
  ReplicaStatus status() const;
  void count_peers(ReplicaStatus& out) const;
  // What it answers comes too late.
  bool is_late(ReplicaId peer, Instant expected_since, const consensus::Status& status) const;
  std::string not_ready_reason(const ReplicaStatus& status) const;
  std::string unreachable_reason(const ReplicaStatus& status) const;

  // ---- replica_outputs.cpp: the engine and what it asks for ----
  void feed(consensus::Input input) { inputs.push_back(std::move(input)); }
  void run_engine();
  void perform(consensus::Persist& persist);
  void perform(consensus::Send& send);
  void perform(consensus::RequestProposal& request);
  void perform(consensus::CancelProposal& cancel);
  void perform(consensus::Validate& validate);
  void perform(consensus::Commit& commit);
  void perform(consensus::Rewind& rewind);
  void perform(consensus::TentativeOrder& order);
  void perform(consensus::StartWork& work);
  void perform(consensus::CancelWork& work);
  void perform(consensus::Sealed& sealed);
  void perform(consensus::LoadPayload& load);
  void perform(consensus::LoadCertificates& load);
  void perform(consensus::RequestSync& request);
  void perform(consensus::Rejected& rejected);
  void perform(consensus::Evidence& evidence);
  void perform(consensus::Halt& halt);
  void perform(consensus::Diverged& diverged);
  void perform(consensus::Progress& progress);
  void perform(consensus::RelayPending&);
  // Hands what is committed or withdrawn to the executor, in order, as far as it is decoded.
  void execute_committed();
  void execute(consensus::Commit commit, std::vector<ledger::TransactionPtr> transactions);
  // The transactions of a committed payload; none while its check is still under way.
  std::optional<std::vector<ledger::TransactionPtr>> transactions_of(
      const consensus::Commit& commit);
  void remember_payload(const Digest& id, Height height,
                        std::vector<ledger::TransactionPtr> transactions);
  void stop_voting(const std::string& reason, Notice::Kind kind = Notice::Kind::halted);
  void notify(Notice notice) { ports.observer.notice(notice); }

  // ---- replica_rewind.cpp: an order that is tentative ----
  // Whether the order above the head is tentative on this chain, and its commits can be withdrawn.
  bool tentative_order() const { return parts.traits.commit_depth > 0; }
  void request_on_branch(const consensus::RequestProposal& request);
  // Takes the payload of an own proposal as checked, since it was built here. False: it is not one.
  bool take_own(const consensus::Validate& validate);
  void note_committed(const consensus::Commit& commit,
                      const std::vector<ledger::TransactionPtr>& transactions);
  // A block of this height that is executed now will be taken back: the Rewind is under way.
  bool being_withdrawn(Height height) const;
  // Gives how many transactions found no room.
  std::uint64_t return_to_mempool(const ledger::Rewound& rewound);

  ReplicaConfig config;
  consensus::EngineParts parts;
  Ports ports;
  crypto::Membership membership;
  Digest chain_id;
  Mempool mempool;
  BlockBuilder builder;
  CatchUp catch_up;
  Relay relay;
  PrimaryWatch watch;

  Instant now;
  WallMs wall;
  std::deque<consensus::Input> inputs;  // for the engine, in order
  std::vector<consensus::Output> outputs;

  ledger::Head head;
  ledger::StateViewPtr state;
  struct Connection {
    Instant since;  // answers may be expected
    Instant heard;  // the last word
  };
  std::map<ReplicaId, Connection> peers;
  // Were late when their connection ended, and since when. A new one is no better for being new.
  std::map<ReplicaId, Instant> lost_late;
  std::set<ReplicaId> reading_for;  // peers with a read of blocks under way: one each
  bool told_pending = false;
  bool told_miner = false;
  Height bury_to;  // what was executed last can be proved to clients once the head is there
  std::string host_reason;  // why the host has this replica follow only; the engine is not told
  std::optional<std::string> halted;
  std::uint64_t blind_proposals = 0;
  std::uint64_t rewind_dropped = 0;                   // transactions, for lack of room
  std::map<std::string_view, MessageCount> messages;  // names have static lifetime

  // Durable-before-send: FIFO tokens that are not yet durable, and the messages that wait for them.
  std::deque<consensus::PersistToken> persisting;
  std::multimap<consensus::PersistToken, consensus::Send> held;
  std::size_t held_bytes = 0;

  // Decoded, above the head; where the order is tentative also so far below it as another branch
  // may begin.
  std::map<Digest, OrderedPayload> payloads;
  std::map<Digest, std::uint32_t> checking;  // payload checks under way
  using Ordered = std::variant<consensus::Commit, consensus::Rewind>;
  std::deque<Ordered> committed;     // not yet handed to the executor
  std::map<Height, View> agreed_in;  // of the blocks that are being executed
  Height committed_to;               // the height of the last Commit, if no Rewind followed
  std::deque<Height> rewinding;      // Rewinds without an answer
  TentativeBlocks tentative;
  std::map<Height, ledger::BlockCertificate> served_seals;  // kept until the block is executed
};

}  // namespace quorate::node
