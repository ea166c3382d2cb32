// The inside of the replica, shared by replica.cpp (events in) and replica_outputs.cpp (what the
// engine asks for). Nothing else includes this.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "node/block_builder.hpp"
#include "node/catch_up.hpp"
#include "node/primary_watch.hpp"
#include "node/relay.hpp"
#include "node/replica.hpp"

namespace quorate::node {

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
  void watch_primary();
  void relay_oldest();
  std::optional<Instant> next_deadline() const;
  ReplicaStatus status() const;
  std::string not_ready_reason(const ReplicaStatus& status) const;
  std::size_t memory_bytes() const;

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
  // Hands committed payloads to the executor, in order, as far as they are decoded.
  void execute_committed();
  // The transactions of a committed payload; none while its check is still under way.
  std::optional<std::vector<ledger::TransactionPtr>> transactions_of(
      const consensus::Commit& commit);
  void remember_payload(const Digest& id, Height height,
                        std::vector<ledger::TransactionPtr> transactions);
  void stop_voting(const std::string& reason, Notice::Kind kind = Notice::Kind::halted);
  void notify(Notice notice) { ports.observer.notice(notice); }

  struct KnownPayload {
    Height height;
    std::vector<ledger::TransactionPtr> transactions;
  };

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
  std::set<ReplicaId> peers;
  std::set<ReplicaId> reading_for;  // peers with a read of blocks under way: one each
  bool told_pending = false;
  std::string host_reason;  // why the host has this replica follow only; the engine is not told
  std::optional<std::string> halted;
  std::map<std::string_view, MessageCount> messages;  // names have static lifetime

  // Durable-before-send: FIFO tokens that are not yet durable, and the messages that wait for them.
  std::deque<consensus::PersistToken> persisting;
  std::multimap<consensus::PersistToken, consensus::Send> held;
  std::size_t held_bytes = 0;

  std::map<Digest, KnownPayload> payloads;   // decoded, above the head
  std::vector<Digest> tentative;             // payloads ordered for now above the last Commit
  std::map<Digest, std::uint32_t> checking;  // payload checks under way
  std::deque<consensus::Commit> committed;   // not yet handed to the executor
  std::map<Height, ledger::BlockCertificate> served_seals;  // kept until the block is executed
};

}  // namespace quorate::node
