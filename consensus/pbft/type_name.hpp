// What messages are called in logs, metrics and evidence. Any thread.
#pragma once

#include "consensus/pbft/messages.hpp"

namespace quorate::consensus::pbft {

struct TypeName {
  const char* operator()(const Core&) const { return "pre_prepare"; }
  const char* operator()(const PrePrepare&) const { return "pre_prepare"; }
  const char* operator()(const Vote& m) const {
    return m.kind == VoteKind::prepare ? "prepare" : "commit";
  }
  const char* operator()(const Seal&) const { return "seal"; }
  const char* operator()(const CheckpointVote&) const { return "checkpoint"; }
  const char* operator()(const StatusReport&) const { return "status"; }
  const char* operator()(const Fetch&) const { return "fetch"; }
  const char* operator()(const Data&) const { return "data"; }
  const char* operator()(const CommitCertificate&) const { return "commit_certificate"; }
  const char* operator()(const CheckpointProof&) const { return "checkpoint_proof"; }
  const char* operator()(const Suspect&) const { return "suspect"; }
  const char* operator()(const ViewChangePtr&) const { return "view_change"; }
  const char* operator()(const ViewChangeStub&) const { return "view_change"; }
  const char* operator()(const NewViewPtr&) const { return "new_view"; }
  const char* operator()(const NewViewStub&) const { return "new_view"; }
  const char* operator()(const Committed&) const { return "committed"; }
};

inline const char* type_name(const Message& message) { return std::visit(TypeName{}, message); }

}  // namespace quorate::consensus::pbft
