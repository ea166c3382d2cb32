// The proof-of-work engine as one deterministic state machine: it takes an event, hands it to the
// part it concerns, and lets every part settle. The rules live in the parts; docs/ordering.md
// numbers the invariants. Not thread-safe: one thread owns it.
#pragma once

#include "consensus/engine.hpp"
#include "consensus/pow/admission.hpp"
#include "consensus/pow/block_intake.hpp"
#include "consensus/pow/body_sync.hpp"
#include "consensus/pow/commit_tracker.hpp"
#include "consensus/pow/deep_forks.hpp"
#include "consensus/pow/header_sync.hpp"
#include "consensus/pow/log_keeper.hpp"
#include "consensus/pow/long_branches.hpp"
#include "consensus/pow/message_verifier.hpp"
#include "consensus/pow/mining.hpp"
#include "consensus/pow/serving.hpp"
#include "consensus/pow/tip_choice.hpp"

namespace quorate::consensus::pow {

class PowEngine final : public Engine {
 public:
  explicit PowEngine(Settings settings);

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
  void on(const Rewound& rewound);
  void on(const WorkFound& found);
  void on(const PayloadLoaded& loaded);
  void on(const CertificatesLoaded& loaded);
  void on(const SyncFinished&) {}     // it asks for blocks itself
  void on(const DivergenceFound&) {}  // nobody seals
  void on(const PendingChanged& pending);
  void on(const PrimarySuspected&) {}  // there is none
  void on(const Ticked&) {}

  // One overload per message.
  void on_message(ReplicaId from, const Announce& message);
  void on_message(ReplicaId from, const AskHeaders& message);
  void on_message(ReplicaId from, const Headers& message);
  void on_message(ReplicaId from, const FullBlock& message);
  void on_message(ReplicaId from, const AskBlocks& message);

  // The tree as the ledger's newest headers tell it. False after a halt.
  bool restore_tree(const Started& started);
  void restore_log(const Started& started);
  bool admits(const Input& input);
  void settle();
  bool may_mine() const;
  std::uint64_t stale_blocks() const;

  EngineState state_;
  BlockIntake intake_;
  TipChoice tips_;
  CommitTracker commits_;
  Mining mining_;
  HeaderSync headers_;
  BodySync bodies_;
  DeepForks deep_forks_;
  LongBranches long_branches_;
  Serving serving_;
  LogKeeper log_;
  Admission admission_;
  bool started_ = false;
  Height applied_;  // when this life began
};

}  // namespace quorate::consensus::pow
