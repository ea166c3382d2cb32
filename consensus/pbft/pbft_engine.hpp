// The PBFT engine [CL99] as one deterministic state machine: it takes an event, hands it to the
// part it concerns, and lets every part settle. The rules live in the parts; docs/ordering.md
// numbers the invariants. Not thread-safe: one thread owns it.
#pragma once

#include "consensus/engine.hpp"
#include "consensus/pbft/catch_up.hpp"
#include "consensus/pbft/checkpointing.hpp"
#include "consensus/pbft/commit_queue.hpp"
#include "consensus/pbft/message_verifier.hpp"
#include "consensus/pbft/normal_case.hpp"
#include "consensus/pbft/replica_state.hpp"
#include "consensus/pbft/retransmission.hpp"
#include "consensus/pbft/sealing.hpp"
#include "consensus/pbft/startup.hpp"
#include "consensus/pbft/view_change.hpp"

namespace quorate::consensus::pbft {

class PbftEngine final : public Engine {
 public:
  // `signer` (null without a key) must outlive the engine.
  PbftEngine(Settings settings, const crypto::Signer* signer);

  void step(const Event& event, std::vector<Output>& out) override;
  std::optional<Instant> next_deadline() const override;
  Status status() const override;
  std::size_t memory_bytes() const override;

 private:
  // One overload per input.
  void on(const Started& started);
  void on(const MessageReceived& received);
  void on(const ProposalReady& proposal);
  void on(const Validated& answer);
  void on(const Persisted& persisted);
  void on(const Executed& executed);
  void on(const Rewound&) {}    // it never rewinds
  void on(const WorkFound&) {}  // and never mines
  void on(const PayloadLoaded& loaded);
  void on(const CertificatesLoaded&) {}  // nor asks for them
  void on(const SyncFinished& finished);
  void on(const DivergenceFound& found);
  void on(const PendingChanged& pending);
  void on(const PrimarySuspected& suspected);
  void on(const Ticked& ticked);

  // One overload per message.
  void on_message(ReplicaId from, const PrePrepare& message);
  void on_message(ReplicaId from, const Vote& message);
  void on_message(ReplicaId from, const Seal& message);
  void on_message(ReplicaId from, const CheckpointVote& message);
  void on_message(ReplicaId from, const StatusReport& message);
  void on_message(ReplicaId from, const Fetch& message);
  void on_message(ReplicaId from, const Data& message);
  void on_message(ReplicaId from, const CommitCertificate& message);
  void on_message(ReplicaId from, const CheckpointProof& message);
  void on_message(ReplicaId from, const Committed& message);
  void on_message(ReplicaId from, const Suspect& message);
  void on_message(ReplicaId from, const ViewChangePtr& message);
  void on_message(ReplicaId from, const NewViewPtr& message);

  void on_durable(const DurableAction& action);
  void open_vote_log(const Started& started);
  void remember_certificates(const std::vector<Bytes>& certificates);
  void note_replaced_ledger(const Started& started);
  void finish_start();
  void settle();
  void collect_garbage();
  void assert_bounds() const;

  ReplicaState state_;
  CommitQueue commits_;
  NormalCase normal_case_;
  Checkpointing checkpointing_;
  Sealing sealing_;
  CatchUp catch_up_;
  Startup startup_;
  ViewChanging view_changing_;
  Retransmission retransmission_;
  Height collected_to_;  // garbage below it is gone
  View hurried_;         // the view whose missing parts were asked for at once
};

}  // namespace quorate::consensus::pbft
